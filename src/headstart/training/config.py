"""TrainingConfig: all that a training is told besides its images, checked. Knows no Keras."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headstart.classifier.stakes import Stakes
from headstart.data.dataset import Dataset
from headstart.data.resizing import STRETCH, get_resizing
from headstart.data.value_range import FULL, ValueRange, parse_value_range
from headstart.data.views import MIRRORED, ORIGINAL, VIEWS
from headstart.engines.base import FLOAT32, GPU, Compute, check_precision
from headstart.engines.opening import check_device
from headstart.engines.openvino import computes_in_bfloat16
from headstart.errors import ModelError
from headstart.features.executors.ray import RayExecutor
from headstart.features.spec import FeatureSpec
from headstart.models.at_hand import bases_at_hand, resolved
from headstart.models.backbones import check_image_size, get_backbone, is_file, name_of
from headstart.models.network_files.base import FileBase
from headstart.models.weights import PRETRAINED, no_keras_model
from headstart.training import recipes
from headstart.training.recipes import Recipe, get_recipe

CACHED, END_TO_END = "cached", "end_to_end"
EXECUTIONS = (CACHED, END_TO_END)
AUTO = "auto"
# the turned views of each training image that a solved head and its fine-tuning are given; None: those that do no harm
VIEW_CHOICES = {AUTO: None, ORIGINAL: (ORIGINAL,), MIRRORED: (ORIGINAL, MIRRORED), "all": tuple(VIEWS)}
OLD_EXECUTIONS = {"split": CACHED, "whole": END_TO_END}


@dataclass(frozen=True)
class TrainingConfig:
    """What `headstart.train`, a run and the command line are told, with the image size known; see `headstart.train`.

    resizing: name of a row of RESIZINGS; "auto" until the training images are known, see `training/resizing.py`.
    value_range: what is black and white in photos with 16 bits a value; None until the collection is known.
    precision: "float32" or "bfloat16", of all; "auto": float32 but for what a head is solved on, if the processor
        computes in bfloat16.
    chooses_backbone: whether nobody has named one.
    device: "gpu", or "auto": the processor, where Keras has no device of its own.
    executor: works on the features of the frozen base; None: this machine.
    candidates: bases with their weights, of which the training images choose one, see `training/backbone_choice.py`;
        `backbone` is the first until then. at_least: images per second that it must compute. asked_size: the side that
        was named, of whichever base.
    stakes: what mistakes cost, and which recall is to be promised.
    """

    recipe: Recipe
    backbone: str
    image_size: int
    resizing: str
    weights: str | Path
    seed: int
    execution: str
    precision: str
    views: str = AUTO
    chooses_backbone: bool = False
    value_range: ValueRange | None = None
    device: str = AUTO
    executor: RayExecutor | None = None
    candidates: tuple[tuple[str, str], ...] = ()
    at_least: float | None = None
    asked_size: int | None = None
    stakes: Stakes | None = None

    def __post_init__(self) -> None:
        """
        Raises:
            MissingExtraError, ModelError: the device is not there, or does not go with the precision.
        """
        if self.executor is None:  # else it is that of the machines that work
            check_device(self.compute)

    @classmethod
    def of(
        cls,
        *,
        recipe: str | Recipe = recipes.DEFAULT,
        backbone: str | None = None,
        image_size: int | None = None,
        resizing: str = STRETCH,
        value_range: str | None = None,
        weights: str | Path = PRETRAINED,
        seed: int = 0,
        execution: str = CACHED,
        precision: str = FLOAT32,
        views: str = AUTO,
        device: str = AUTO,
        executor: RayExecutor | None = None,
        at_least: float | None = None,
        stakes: Stakes | None = None,
    ) -> TrainingConfig:
        """
        Raises:
            ModelError: something is not known, or does not go together.
        """
        recipe, chooses_backbone, asked_size = get_recipe(recipe), backbone is None, image_size
        candidates: tuple[tuple[str, str], ...] = ()
        if backbone == AUTO:
            candidates = _candidates(recipe, weights)
            backbone, weights = None, PRETRAINED
        elif at_least is not None:
            raise ModelError("A speed is asked for where the base is chosen by it: give --backbone auto, too.")
        backbone = resolved(backbone or recipe.usual_backbone, image_size)
        if is_file(backbone):
            _check_file(backbone, recipe, weights, device)
        image_size = image_size or recipe.image_size_for(backbone)
        check_image_size(backbone, image_size)
        if resizing != AUTO:
            get_resizing(resizing)  # is there one of that name?
        if precision != AUTO:
            check_precision(precision)
        if get_backbone(backbone).parts and recipe.fine_tuning and recipe.fine_tuning.patience is None:
            raise ModelError(
                f"The recipe '{recipe.name}' fine-tunes one base, and '{backbone}' are several. Leave their layers as "
                f"they are (--fine-tune never), or choose one of them."
            )
        execution = _checked_execution(execution, recipe)
        _check_views(views, recipe)
        said = None if value_range is None else parse_value_range(value_range)
        settings = recipe, backbone, image_size, resizing, weights, seed, execution, precision, views
        return cls(*settings, chooses_backbone, said, device, executor, candidates, at_least, asked_size, stakes)

    @property
    def feature_spec(self) -> FeatureSpec:
        """Of the features that the head is trained on."""
        depths = self.recipe.reads_depths
        precision = self.answering_precision
        values = self.value_range or FULL
        return FeatureSpec(
            self.backbone, self.image_size, self.resizing, self.weights, precision, depths=depths, value_range=values
        )

    @property
    def answering_precision(self) -> str:
        """Of the classifier, and of the features of the images that it is measured with."""
        return FLOAT32 if self.precision == AUTO else self.precision

    @cached_property
    def is_rough(self) -> bool:
        """Whether the features of images that the head is trained on are computed in bfloat16, and all others not."""
        is_open = self.precision == AUTO and self.device != GPU and self.recipe.solves_head
        return is_open and computes_in_bfloat16()

    def rough(self, dataset: Dataset) -> frozenset[str]:
        """Digests of the images whose features need not be exact: those that nothing is measured with."""
        if not self.is_rough:
            return frozenset()
        return frozenset(dataset.train.digests).difference(dataset.validation.digests, dataset.test.digests)

    @property
    def compute(self) -> Compute:
        return Compute(device=self.device, precision=self.answering_precision)

    def with_base(self, backbone: str, weights: str | Path) -> TrainingConfig:
        """The same, with a base that was chosen."""
        backbone = resolved(backbone, self.asked_size)
        size = self.asked_size or self.recipe.image_size_for(backbone)
        check_image_size(backbone, size)
        return replace(self, backbone=backbone, weights=weights, image_size=size, candidates=())

    def for_images(self, count: int) -> TrainingConfig:
        """The same, with the epochs that so many training images need."""
        return replace(self, recipe=self.recipe.for_images(count))

    def for_values(self, found: ValueRange) -> TrainingConfig:
        """The same, with the range of values that was found in a collection, if none was said."""
        return self if self.value_range else replace(self, value_range=found)

    def to_json(self) -> dict:
        """What must be the same where a run is resumed."""
        values = AUTO if self.value_range is None else str(self.value_range)
        content: dict[str, Any] = asdict(self) | {"weights": str(self.weights), "value_range": values}
        del content["chooses_backbone"]  # only a time limit asks for it
        del content["asked_size"]  # it is that of `image_size`
        if is_file(self.backbone):  # what is in it counts, not where it lies
            content["backbone"] = f"{name_of(self.backbone)} {FileBase.read(self.backbone).identity[:12]}"
        del content["device"], content["executor"]  # on others it goes on with the same numbers, to rounding
        if self.stakes is None:
            del content["stakes"]
        elif self.stakes.precision is None:
            del content["stakes"]["precision"]  # headstart 0.3 did not know it
        return content


def _check_views(views: str, recipe: Recipe) -> None:
    """
    Raises:
        ModelError: there is no such choice, or the recipe leaves none.
    """
    if views not in VIEW_CHOICES:
        raise ModelError(f"There is no choice of views '{views}'. Choose one of: {', '.join(VIEW_CHOICES)}.")
    if views != AUTO and not recipe.solves_head:
        raise ModelError(
            f"The recipe '{recipe.name}' draws random views of its own, so views cannot be chosen. "
            f"Take the recipe 'fast', or leave the views out."
        )


def _checked_execution(execution: str, recipe: Recipe) -> str:
    """An execution by its present name.

    Raises:
        ModelError: there is none of that name, or it does not go with the recipe.
    """
    if execution in OLD_EXECUTIONS:
        message = f"The execution '{execution}' is now called '{OLD_EXECUTIONS[execution]}'."
        warnings.warn(message, DeprecationWarning, stacklevel=4)
        execution = OLD_EXECUTIONS[execution]
    if execution not in EXECUTIONS:
        raise ModelError(f"There is no execution '{execution}'. Choose one of: {', '.join(EXECUTIONS)}.")
    if execution == END_TO_END and recipe.solves_head:
        raise ModelError(
            f"The recipe '{recipe.name}' solves its head from features, so it cannot be trained end to end. "
            f"Take the recipe 'tutorial' with it, or leave the execution out."
        )
    return execution


def _check_file(backbone: str, recipe: Recipe, weights: str | Path, device: str) -> None:
    """
    Raises:
        ModelError: something needs layers, and the base is the network of a file.
    """
    if weights != PRETRAINED:
        raise ModelError(
            f"'{backbone}' holds its weights itself, and '{weights}' was given as well. Leave --weights out."
        )
    if not recipe.solves_head or (recipe.fine_tuning and recipe.fine_tuning.patience is None):
        raise ModelError(
            f"{no_keras_model(backbone)} The recipe '{recipe.name}', as it was asked for, trains layers in any case. "
            f"Take the recipe 'fast', and leave --fine-tune always out."
        )
    if device == GPU:
        raise ModelError(f"{no_keras_model(backbone)} Leave --device out.")


def _candidates(recipe: Recipe, weights: str | Path) -> tuple[tuple[str, str], ...]:
    """The bases at hand that a recipe can use, the usual one first.

    Raises:
        ModelError: the recipe is made for one base.
    """
    if not recipe.solves_head:
        raise ModelError(
            f"The recipe '{recipe.name}' is made for '{recipe.usual_backbone}': a base is chosen for 'fast'."
        )
    at_hand = bases_at_hand(weights)
    if recipe.fine_tuning and recipe.fine_tuning.patience is None:
        at_hand = {name: of_it for name, of_it in at_hand.items() if not is_file(name)}
    usual = recipe.usual_backbone
    return tuple(sorted(at_hand.items(), key=lambda each: each[0] != usual))
