"""train(): the whole pipeline, Dataset + Recipe -> Classifier. Read this first.

A pretrained base is frozen and gets a new head, which is solved or trained (feature extraction); then the top of the
base is thawed and trained along, carefully (fine-tuning). What is frozen is run by a compiled engine and gives features
that are kept, and only what lies behind the cut is trained (`parts.py`, `phases.py`). A head that is solved needs no
Keras: it is imported when there are layers to be trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from headstart.classifier.calibration import fit_calibration
from headstart.classifier.classifier import Classifier
from headstart.classifier.novelty import fit_novelty_detector
from headstart.data.dataset import Dataset, Split
from headstart.data.resizing import STRETCH
from headstart.errors import DatasetError
from headstart.events import Listener, Step, StepStarted
from headstart.features import linear_head
from headstart.features.extractor import new_network
from headstart.features.rows import Rows
from headstart.listeners.console import Console
from headstart.models import backbones
from headstart.models.weights import PRETRAINED
from headstart.numerics import check_numbers
from headstart.training import recipes
from headstart.training.config import TrainingConfig
from headstart.training.phases import Training
from headstart.training.recipes import Recipe
from headstart.training.telling import say_shapes


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier, and what it says of any images by the way that is fastest now: from the features that are kept.

    logits: Split -> float32 (n, 1) or (n, classes), equal to `Classifier.logits` within rounding.
    features: Split -> (n, depth), what its head is given.
    feature_maps: a few uint8 images (n, size, size, 3) -> float32 (n, height, width, depth), of which features are
        averages.
    pretrained: Split -> (n, depth), the same of its base as it was pretrained; None where these were not needed.
    views: names of the views of each training image that were kept; none where each epoch drew fresh ones.
    """

    classifier: Classifier
    logits: Callable[[Split], np.ndarray]
    features: Callable[[Split], Rows]
    feature_maps: Callable[[np.ndarray], np.ndarray]
    pretrained: Callable[[Split], Rows] | None = None
    views: tuple[str, ...] = ()


def train(
    dataset: Dataset,
    *,
    recipe: str | Recipe = recipes.DEFAULT,
    backbone: str = backbones.DEFAULT,
    image_size: int | None = None,
    resizing: str = STRETCH,  # the tutorial's
    weights: str | Path = PRETRAINED,
    seed: int = 0,
    execution: str = "split",
    precision: str = "float32",
    listener: Listener | None = None,
) -> Classifier:
    """Train a classifier.

    Args:
        dataset: what to train on; its validation images are looked at after each epoch, its test images never.
        recipe: name of a row of RECIPES, or a Recipe.
        backbone: name of a row of BACKBONES.
        image_size: side in pixels; by default the recipe's, or the one that the backbone was pretrained at.
        resizing: how a photo of another shape becomes a square: "stretch" distorts it, "crop" cuts out its middle,
            "pad" keeps all of it and fills the rest with grey. The classifier does the same with what it is given.
        weights: "pretrained", or the path of a file with the weights of the base.
        seed: of the new head, the order of the images, their random views and the dropout.
        execution: "split" runs what is frozen by a compiled engine and trains the rest; "whole" runs the whole Keras
            model in each step, which is slow, and what tests compare with. The same algorithm, to rounding.
        precision: of the engine: "float32", or "bfloat16" where the processor has that. The classifier is measured with
            it, and `Predictor` answers with it; Keras (`Classifier.predict`) and exports calculate in float32.
        listener: where to report to; by default to standard error.

    Returns:
        the classifier; its `history` has a row for each epoch.

    Raises:
        DatasetError, ModelError, WeightsError: with what is wrong and what to do; also where the network gives, or
            training ends in, what is no number.
    """
    settings = TrainingConfig.of(
        recipe=recipe,
        backbone=backbone,
        image_size=image_size,
        resizing=resizing,
        weights=weights,
        seed=seed,
        execution=execution,
        precision=precision,
    )
    return train_and_keep(dataset, settings, listener=listener or Console()).classifier


def train_and_keep(
    dataset: Dataset, settings: TrainingConfig, *, checkpoint_folder: Path | None = None, listener: Listener
) -> Trained:
    """`train`, with what a run needs besides: checkpoint_folder keeps the state after each epoch; if it holds one,
    training goes on from there."""
    _check_splits(dataset)
    settings = replace(settings, recipe=settings.recipe.for_images(len(dataset.train)))
    listener.emit(StepStarted(Step.COMPOSE, "Compose the model"))
    recipe = settings.recipe
    network = new_network(settings, len(dataset.class_names))
    say_shapes(listener, dataset, network.summary, recipe.batch_size)
    training = Training(dataset, settings, network, checkpoint_folder, listener)
    training.go()
    if settings.execution == "split" and not training.parts.base_changed:
        network.body = training.parts.engine(thawed=False).file
    features = cache(training.features)

    @cache
    def logits(split: Split) -> np.ndarray:
        found = linear_head.logits(features(split), *network.head)
        check_numbers(found, split.paths)  # steps that are too long end in NaN
        return found

    train, validation = dataset.train, dataset.validation
    classifier = Classifier(
        network=network,
        class_names=dataset.class_names,
        backbone=settings.backbone,
        image_size=settings.image_size,
        recipe=recipe.name,
        resizing=settings.resizing,
        precision=settings.precision,
        certainty=fit_calibration(logits(validation), validation.labels),
        familiar=fit_novelty_detector(features(train), train, features(validation), seed=settings.seed),
        history=tuple(training.history),
        phases=tuple(training.phases),
    )
    pretrained = partial(training.parts.features, pretrained=True) if recipe.solves_head else None
    return Trained(classifier, logits, features, training.parts.feature_maps, pretrained, training.views)


def _check_splits(dataset: Dataset) -> None:
    for name, split in (("train", dataset.train), ("validation", dataset.validation)):
        if len(split) == 0:
            raise DatasetError(
                f"There are no {name} images, and training needs some. Leave out the fractions, or add images."
            )
