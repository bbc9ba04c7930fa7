"""How the layers of a phase are run: the protocol Execution, and its two implementations, which are one algorithm.

`CachedExecution` runs what is frozen once, by an engine, and trains what lies behind the cut on the features.
`EndToEndExecution` runs the whole network in each step, which is slow, and what the other one is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Float, UInt8
from headstart.cluster import check_machines
from headstart.data.batches import Batches
from headstart.data.dataset import Split
from headstart.data.value_range import FULL
from headstart.data.views import ORIGINAL
from headstart.errors import ClusterError
from headstart.events import Message
from headstart.features.executors.ray import RayExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Rows, rows_of
from headstart.features.spec import FINE_TUNING
from headstart.models.network import Network
from headstart.training.config import CACHED, TrainingConfig
from headstart.training.context import TrainingContext
from headstart.training.feature_batches import FreshViews, KeptViews
from headstart.training.recipes import Phase

if TYPE_CHECKING:
    from headstart.training.keras_fit import Source, TrainableNetwork

PIXEL_BYTES = 256 * 2**20  # of decoded training images that are kept in memory from epoch to epoch
PIECE = 64  # images whose features are run through the trainable part at a time, to measure it


@runtime_checkable
class Execution(Protocol):
    """What a phase is trained with, and what the trained network says of images."""

    def trainable(self, phase: Phase) -> TrainableNetwork:
        """What is trained: takes the batches of `sources`, gives logits."""
        ...

    def sources(self, phase: Phase) -> tuple[Source, Source]:
        """Batches of the training images, and of the validation images, which are not shuffled."""
        ...

    def kept_views(self, phase: Phase) -> tuple[str, ...]:
        """The views of each training image that are kept; none if each epoch draws fresh ones."""
        ...

    def features(self, split: Split, *, fine_tuned: bool, view: str = ORIGINAL) -> Rows:
        """What the head of the trained network is given, (n, numbers). fine_tuned: whether its base was trained."""
        ...

    def feature_maps(
        self, pixels: UInt8[np.ndarray, "n size size 3"], *, fine_tuned: bool
    ) -> Sequence[Float[np.ndarray, "n height width channels"]]:
        """The feature maps that these are of, for a few images: nothing of them is kept."""
        ...


def execution_of(context: TrainingContext) -> Execution:
    """The one that the config names."""
    return CachedExecution(context) if context.config.execution == CACHED else EndToEndExecution(context)


class CachedExecution:
    """Features of the frozen layers are computed once and kept; what lies behind the cut is trained on them."""

    def __init__(self, context: TrainingContext) -> None:
        self.context = context
        self.config, self.network = context.config, context.network

    def trainable(self, phase: Phase) -> TrainableNetwork:
        from headstart.training import keras_fit  # with it comes Keras, which a solved head does without

        model = self.network.model
        features = self._trainable_part if phase.unfreeze else keras_fit.identity_features(model)
        return keras_fit.TrainableNetwork(model, features)

    def sources(self, phase: Phase) -> tuple[Source, Source]:
        extractor, size = self._extractor(phase), self.config.recipe.batch_size
        train, held_out = self.context.dataset.train, self.context.dataset.validation
        validation = KeptViews(held_out, [extractor.features(held_out)], size)
        views = self.kept_views(phase)
        if not views:
            return FreshViews(self._random_views, extractor.engine, extractor.spec.kept_tensors), validation
        kept = [extractor.features(train, view=view) for view in views]
        return KeptViews(train, kept, size, shuffle=True, seed=self.config.seed), validation

    def kept_views(self, phase: Phase) -> tuple[str, ...]:
        """If the head is solved, from kept views; elsewhere fresh ones, as the recipe draws them."""
        return self.context.views if self.config.recipe.solves_head else ()

    def features(self, split: Split, *, fine_tuned: bool, view: str = ORIGINAL) -> Rows:
        if not fine_tuned:
            return rows_of(self.context.pretrained.features(split, view=view))
        from headstart.training import keras_fit

        cut = self._cut.features(split, view=view)
        return keras_fit.predict_all(self._trainable_part, KeptViews(split, [cut], PIECE))

    def feature_maps(self, pixels: np.ndarray, *, fine_tuned: bool) -> Sequence[np.ndarray]:
        if fine_tuned:
            return self.network.forward(pixels, maps=True).maps
        return self.context.pretrained.feature_maps(pixels)

    def _extractor(self, phase: Phase) -> FeatureExtractor:
        return self._cut if phase.unfreeze else self.context.pretrained

    @cached_property
    def _random_views(self) -> Batches:
        return random_views(self.context)

    @cached_property
    def _cut(self) -> FeatureExtractor:
        """Of the features below the layers that fine-tuning trains."""
        spec = replace(self.config.feature_spec, cut=FINE_TUNING)
        return FeatureExtractor(
            spec,
            listener=self.context.listener,
            base=lambda: self.network.base,
            compute=self.config.compute,
            executor=self._executor_with_keras,
        )

    @property
    def _executor_with_keras(self) -> RayExecutor | None:
        """The cluster, if its machines can make the network below the cut; where they cannot, that is said."""
        executor = self.config.executor
        try:
            if executor:
                check_machines(executor.address, ("keras",))
        except ClusterError as error:
            self.context.listener.emit(Message(f"This machine computes the features below the trained layers. {error}"))
            return None
        return executor

    @cached_property
    def _trainable_part(self) -> Any:
        """The tensors at the cut -> features, on the variables of the network."""
        from headstart.training.keras_fit import trainable_features

        return trainable_features(self.network.base, self.config.backbone, depths=self.config.recipe.reads_depths)


class EndToEndExecution:
    """The whole network, from the pixels on, in each step."""

    def __init__(self, context: TrainingContext) -> None:
        self.context = context
        self.network: Network = context.network

    def trainable(self, phase: Phase) -> TrainableNetwork:
        from headstart.training import keras_fit

        return keras_fit.TrainableNetwork(self.network.model)

    def sources(self, phase: Phase) -> tuple[Source, Source]:
        return self._random_views, pixel_batches(self.context.config, self.context.dataset.validation)

    def kept_views(self, phase: Phase) -> tuple[str, ...]:
        return ()

    def features(self, split: Split, *, fine_tuned: bool, view: str = ORIGINAL) -> Rows:
        if view != ORIGINAL:
            raise ValueError(f"the view '{view}', where each epoch draws fresh ones; expected the original")
        batches = pixel_batches(self.context.config, split)
        return np.concatenate([self.network.forward(images).features for images, _ in batches])

    def feature_maps(self, pixels: np.ndarray, *, fine_tuned: bool) -> Sequence[np.ndarray]:
        return self.network.forward(pixels, maps=True).maps

    @cached_property
    def _random_views(self) -> Batches:
        return random_views(self.context)


def random_views(context: TrainingContext) -> Batches:
    """The training images, in random views in each epoch, of pixels that are decoded once, as far as they fit."""
    config = context.config
    return pixel_batches(
        config,
        context.dataset.train,
        shuffle=True,
        augmentation=config.recipe.augmentation,
        seed=config.seed,
        memory=PIXEL_BYTES,
    )


def pixel_batches(config: TrainingConfig, split: Split, **options: Any) -> Batches:
    """Batches of pixels, as the recipe wants them."""
    reading = {"resizing": config.resizing, "value_range": config.value_range or FULL}
    return Batches(split, config.image_size, config.recipe.batch_size, **reading, **options)
