"""TrainingContext: what all stages of a training are given. Nothing in it changes but the network's weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.array_types import Float, Float32
from headstart.data.dataset import Dataset, Split
from headstart.data.views import MIRRORED, ORIGINAL
from headstart.events import Listener, Message
from headstart.features.compact import Compact
from headstart.features.rows import rows_of
from headstart.models.network import Network
from headstart.time_limit import NO_LIMIT, TimeLimit
from headstart.training.callbacks import NO_CALLBACKS, Callbacks
from headstart.training.config import VIEW_CHOICES, TrainingConfig
from headstart.training.probe import LinearProbe
from headstart.training.spending import engine_rate, too_long
from headstart.training.views import harmless_views

if TYPE_CHECKING:
    from headstart.features.extractor import FeatureExtractor

MOST = 4  # views of an image that a fine-tuning of some epochs is given: each takes as long as an epoch
MANY = 40_000  # views of all images together that are worth their time; beyond, two of each image


@dataclass(frozen=True, eq=False)
class TrainingContext:
    """dataset: its training images are trained on, its validation images are looked at after each epoch.

    pretrained: gives features of the base as it was pretrained, whatever becomes of it.
    limit: of the time for all of the training.
    callbacks: of the user's, which are told of epochs and batches.
    """

    dataset: Dataset
    config: TrainingConfig
    network: Network
    pretrained: FeatureExtractor
    listener: Listener
    checkpoint_folder: Path | None = None
    limit: TimeLimit = NO_LIMIT
    callbacks: Callbacks = NO_CALLBACKS

    @cached_property
    def class_weights(self) -> Float[np.ndarray, " classes"]:
        """What an image of each class counts: 1; in a balanced recipe, images / (classes x images of the class), where
        an image that is shared counts in parts."""
        train, classes = self.dataset.train, len(self.dataset.class_names)
        if not self.config.recipe.balanced:
            return np.ones(classes)
        if train.is_soft:
            shares = train.truth.sum(axis=0, dtype=np.float64)  # 0 where a fold has nothing of a class
            return len(train) / (classes * np.where(shares, shares, 1))
        return len(train) / (classes * np.maximum(np.bincount(train.labels, minlength=classes), 1))

    @cached_property
    def probe(self) -> LinearProbe:
        return LinearProbe(self.compact, self.dataset.train, seed=self.config.seed)

    @cached_property
    def head_views(self) -> tuple[str, ...]:
        """Those that a solved head is given: unless the config names them, the original one, and the mirrored one if
        the collection is neither easy nor large, and it helps. More gain little, and take as many times longer
        (benchmarks/LOG.md).
        """
        views = VIEW_CHOICES[self.config.views]
        if views is None and (self.probe.is_easy or len(self.dataset.train) > MANY // 2):
            views = (ORIGINAL,)
        elif views is None and self.limit.is_set:
            needed = len(self.dataset.train) / self.rate
            if not self.limit.allows(needed):
                self.listener.emit(Message(f"No mirrored views: {too_long(needed, self.limit)}."))
                views = (ORIGINAL,)
        return self._told(views or self._harmless((ORIGINAL, MIRRORED), slack=0.0))

    @cached_property
    def rate(self) -> float:
        """Images per second of the engine of the base as it was pretrained."""
        return engine_rate(self.pretrained)

    @cached_property
    def views(self) -> tuple[str, ...]:
        """The turned views of the training images that the config names; or those that show the same class, as many as
        are worth their time."""
        if VIEW_CHOICES[self.config.views]:
            return self.head_views
        most = min(MOST, max(2, MANY // len(self.dataset.train)))
        return self._told(self._harmless(self.probe.views[:most]))

    def _harmless(self, views: tuple[str, ...], *, slack: float = 1.0) -> tuple[str, ...]:
        """slack: see `harmless_views`. A fine-tuning gains from views that a head does not."""
        return harmless_views(self.compact, self.dataset.train, views, seed=self.config.seed, slack=slack)

    def _told(self, views: tuple[str, ...]) -> tuple[str, ...]:
        named = ", ".join(views).replace("_", " ")
        self.listener.emit(Message(f"Views of each training image: {named}.", "views", {"views": named}))
        return views

    def compact(self, split: Split, view: str = ORIGINAL) -> Float32[np.ndarray, "n components"]:
        """What the base as it was pretrained says of images, in a few numbers."""
        return self._compact(rows_of(self.pretrained.features(split, view=view)))

    @cached_property
    def _compact(self) -> Compact:
        features = rows_of(self.pretrained.features(self.dataset.train))
        return Compact.of(features, self.pretrained.spec.block_sizes, seed=self.config.seed)
