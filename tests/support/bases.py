"""Bases of BACKBONES with random weights, each built once for the tests of a worker that follow each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from headstart.models.backbones import get_backbone
from headstart.models.weights import RANDOM, load_base

if TYPE_CHECKING:
    import keras


def smallest(name: str) -> int:
    """The least side of images, in pixels, that the base works on: what is tested does not depend on it."""
    return max(32, get_backbone(name).min_image_size)


def lively(base: keras.Model, seed: int = 0) -> keras.Model:
    """Random weights whose BatchNormalization does something: fresh ones have mean 0, deviation 1, gamma 1, beta 0."""
    import keras

    rng = np.random.default_rng(seed)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for variable in layer.weights:
                draw = rng.uniform(0.5, 1.5, variable.shape)
                variable.assign(draw if variable.path.endswith(("gamma", "moving_variance")) else draw - 1)
    return base


@lru_cache(maxsize=3)  # tests are ordered by backbone, see conftest.py; all of them together would take gigabytes
def shared_base(name: str) -> keras.Model:
    """For tests that only look at it. Whoever changes it does so within `restored`."""
    import keras

    keras.utils.clear_session()  # layers of some backbones are named by a counter
    return lively(load_base(name, smallest(name), RANDOM))


@contextmanager
def restored(base: keras.Model) -> Iterator[keras.Model]:
    """Afterwards its weights, and what of it is trainable, are as they were."""
    weights, trainable = base.get_weights(), [layer.trainable for layer in base.layers]
    try:
        yield base
    finally:
        base.trainable = True
        for layer, was in zip(base.layers, trainable, strict=True):
            layer.trainable = was
        base.set_weights(weights)
