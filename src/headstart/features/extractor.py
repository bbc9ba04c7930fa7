"""The two parts of a network in training: what is frozen gives features, and what lies behind is trained on them.

Each engine is opened once, and the features of each view of each split are looked up once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.dataset import Split
from headstart.data.views import ORIGINAL
from headstart.engines.openvino import BATCH
from headstart.events import Listener
from headstart.features import cut, store
from headstart.features.store import Features
from headstart.models.backbones import get_backbone
from headstart.models.network import Network
from headstart.models.weights import identity, layer_index, load_base
from headstart.training.config import TrainingConfig

if TYPE_CHECKING:
    import keras

    from headstart.training.keras_fit import TrainableNetwork


def new_network(settings: TrainingConfig, num_classes: int) -> Network:
    """A pretrained base with a new head, as a training begins.

    Raises:
        ModelError, WeightsError: see `load_base`.
    """
    recipe = settings.recipe
    return Network.pretrained(
        settings.backbone,
        settings.image_size,
        settings.weights,
        num_classes=num_classes,
        dropout=recipe.dropout,
        seed=None if recipe.solves_head else settings.seed,
    )


def pooled_features(images: Split, settings: TrainingConfig, *, listener: Listener) -> Features:
    """What all of the base says of images, before any training: float32 rows, of which a training uses the same."""
    return Parts(settings, new_network(settings, len(images.class_names)), listener).features(images)


@dataclass(eq=False)
class Parts:
    """Cut behind all of the base, or, where its top is thawed, at the cut below that.

    base_changed: whether the base is not as it was pretrained any more, or is not going to be.
    """

    settings: TrainingConfig
    network: Network
    listener: Listener
    base_changed: bool = False
    _engines: dict[tuple[bool, bool], cut.FrozenPart] = field(default_factory=dict)
    _features: dict[tuple[Split, cut.FrozenPart, str], Features] = field(default_factory=dict)

    def features(
        self, split: Split, *, thawed: bool = False, pretrained: bool = False, view: str = ORIGINAL
    ) -> Features:
        """thawed: at the cut below what is thawed; else behind all of the base, as it is now, or was pretrained."""
        compiled = self.engine(thawed, pretrained=pretrained)
        wanted = (split, compiled, view)
        if wanted not in self._features:
            self._features[wanted] = store.extract(
                split,
                compiled,
                self.settings.image_size,
                resizing=self.settings.resizing,
                view=view,
                listener=self.listener,
            )
        return self._features[wanted]

    def feature_maps(self, images: np.ndarray) -> np.ndarray:
        """The last feature maps of the base: uint8 (n, size, size, 3) -> float32 (n, height, width, depth).

        For a few images: nothing of it is kept.
        """
        if self.base_changed or self.settings.execution == "whole":
            return self.network.look(images).feature_maps
        engine = self.engine(thawed=False).engine
        pooled, maps = (np.empty((len(images), *shape), np.float32) for shape in engine.shapes)
        engine.fill((images[start : start + BATCH] for start in range(0, len(images), BATCH)), [pooled, maps])
        return maps

    def engine(self, thawed: bool, *, pretrained: bool = False) -> cut.FrozenPart:
        changed = self.base_changed and not thawed and not pretrained
        if (thawed, changed) not in self._engines:
            self._engines[thawed, changed] = self._compiled(thawed, changed)
        return self._engines[thawed, changed]

    def behind(self, thawed: bool) -> TrainableNetwork:
        """What is trained: features, or the tensors at the cut -> logits."""
        from headstart.training import folding, keras_fit

        if not thawed:
            return keras_fit.TrainableNetwork(self.network.model, keras_fit.passing_on(self.network.model))
        part = cut.trainable_part(self.network.base, self._cut)
        return keras_fit.TrainableNetwork(self.network.model, folding.fold(part))

    def _compiled(self, thawed: bool, changed: bool) -> cut.FrozenPart:
        settings = self.settings
        key = cut.engine_key(
            weights=None if changed else identity(settings.backbone, settings.weights),
            backbone=settings.backbone,
            image_size=settings.image_size,
            start=get_backbone(settings.backbone).fine_tune_from if thawed else "pooled",
            precision=settings.precision,
        )

        def build() -> keras.Model:
            from headstart.models.preprocessing import preprocess

            base, at = self.network.base, self._cut if thawed else None
            if self.base_changed and not changed and not thawed:  # in a run that is gone on with: as it was once
                base = load_base(settings.backbone, settings.image_size, settings.weights)
            return cut.frozen_part(base, at, lambda pixels: preprocess(settings.backbone, pixels))

        features = None if thawed else 1
        return cut.compiled(key, build, features=features, precision=settings.precision, listener=self.listener)

    @cached_property
    def _cut(self) -> list[keras.KerasTensor]:
        base = self.network.base
        return cut.find_cut(base, layer_index(base, get_backbone(self.settings.backbone).fine_tune_from))
