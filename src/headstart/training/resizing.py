"""Which way to make a square of a photo suits a collection? Found by cross-validation over its training images.

Stretching shows all of a photo, out of shape; padding all of it, smaller; cropping a part, in shape. What is better
depends on where on its photos a collection shows what tells its classes apart. Where the images do not tell, photos are
stretched, as in the tutorial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headstart.array_types import Float32
from headstart.data.dataset import Dataset, Split
from headstart.data.resizing import RESIZINGS, STRETCH
from headstart.events import Listener, Message
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.validated import ENOUGH, difference, out_of_fold_losses
from headstart.training.backbone_choice import with_backbone
from headstart.training.config import AUTO, TrainingConfig

LOOKED_AT = 1_000  # training images, at most
CLEAR = 2.0  # standard errors of the mean difference: with less, a resizing may be better by chance

GetFeatures = Callable[[Split, str], Float32[np.ndarray, "n depth"]]  # (images, resizing) -> what a head looks at


def decided(config: TrainingConfig, dataset: Dataset, listener: Listener) -> TrainingConfig:
    """The same, with all that is left to the training images: the base, then the resizing.

    Raises:
        ImageError, ModelError, CancelledError: see `with_backbone` and `with_resizing`.
    """
    return with_resizing(with_backbone(config, dataset, listener), dataset, listener)


def with_resizing(config: TrainingConfig, dataset: Dataset, listener: Listener) -> TrainingConfig:
    """The same; if it leaves the resizing to the training images, with that which suits them.

    Raises:
        ImageError, ModelError, CancelledError: see `FeatureExtractor.features`.
    """
    if config.resizing != AUTO:
        return config

    def features(images: Split, name: str) -> Float32[np.ndarray, "n components"]:
        spec = replace(config, resizing=name).feature_spec
        extractor = FeatureExtractor(
            spec, listener=listener, compute=config.compute, executor=config.executor, rough=config.rough(dataset)
        )
        rows = rows_of(extractor.features(images))
        return Compact.of(rows, spec.block_sizes, seed=config.seed)(rows)

    chosen = choose_resizing(features, dataset.train, seed=config.seed)
    reason = "no other is clearly better" if chosen == STRETCH else "the training images are answered better by it"
    listener.emit(Message(f"Photos become squares by: {chosen} ({reason}).", "resizing", {"resizing": chosen}))
    return replace(config, resizing=chosen)


def choose_resizing(features: GetFeatures, train: Split, *, seed: int) -> str:
    """The name of the row of RESIZINGS with the least cross-entropy, if that is clearly less than for stretched photos,
    or else "stretch"."""
    images = train.take(linear_head.validated_images(train.labels, LOOKED_AT, seed))
    stretched = out_of_fold_losses([features(images, STRETCH)], images, seed=seed)
    if len(stretched) < ENOUGH:
        return STRETCH
    found = {STRETCH: 0.0}
    for name in RESIZINGS:
        if name == STRETCH:
            continue
        gained = difference(out_of_fold_losses([features(images, name)], images, seed=seed), stretched)
        if gained and gained[0] < -CLEAR * gained[1]:
            found[name] = gained[0]
    return min(found, key=lambda name: found[name])
