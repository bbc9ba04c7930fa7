"""A base of sixteen layers, for tests of what is done with a base rather than of a base.

It has what MobileNetV2 has (depthwise convolutions, BatchNormalization, a linear bottleneck, a cut within the network).
A run with it takes a fifth of the time. Its weights are drawn from a seed and lie in a file, so that features, engines
and networks made of it are kept in the cache, as those of a pretrained base are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from headstart.models import depths
from headstart.models.backbones import BACKBONES, Backbone

if TYPE_CHECKING:
    import keras

NAME = "tiny"
SIZE = 32  # pixels
FEATURES = 48
CHANNELS = "12"  # of its depths but the last


def build(input_shape: tuple[int, int, int], include_top: bool, weights: str | None) -> keras.Model:
    """As a function of keras.applications: pixels in -1..1 -> features, an eighth as high and as wide."""
    import keras

    assert not include_top
    assert weights is None
    layers = keras.layers
    x = pixels = layers.Input(input_shape)
    for number, depth in enumerate((8, 16, FEATURES // 2)):
        if number:
            x = layers.Conv2D(2 * depth, 1, use_bias=False, name=f"block_{number}_expand")(x)
            x = layers.BatchNormalization(name=f"block_{number}_expand_BN")(x)
            x = layers.DepthwiseConv2D(3, 2, "same", use_bias=False, name=f"block_{number}_depthwise")(x)
        else:
            x = layers.Conv2D(depth, 3, 2, "same", use_bias=False, name="Conv1")(x)
        x = layers.BatchNormalization(name=f"block_{number}_BN")(x)
        x = layers.ReLU(None if number == 2 else 6.0, name=f"block_{number}_relu")(x)
        if number == 1:
            x = layers.Conv2D(12, 1, use_bias=False, name="block_1_project")(x)
    return keras.Model(pixels, x, name=f"{NAME}_{input_shape[0]}")


def write_weights(file: Path) -> Path:
    """Those of `build`, from a seed: convolutions keep the size of what goes through, normalization does something."""
    base, rng = build((SIZE, SIZE, 3), False, None), np.random.default_rng(0)
    for variable in base.weights:
        if "kernel" in variable.path:
            fan_in = np.prod(variable.shape[:2] if "depthwise" in variable.path else variable.shape[:-1])
            variable.assign(rng.normal(0, np.sqrt(2 / fan_in), variable.shape))
        else:
            draw = rng.uniform(0.5, 1.5, variable.shape)
            variable.assign(draw if variable.path.endswith(("gamma", "moving_variance")) else draw - 1)
    base.save_weights(file)
    return file


def row(weights: Path) -> Backbone:
    return Backbone("Tiny", "tf", SIZE, FEATURES, "block_2_expand", min_image_size=8, packaged=str(weights))


def register(patch: pytest.MonkeyPatch, weights: Path) -> str:
    """Until the patch is undone, the base can be trained with as `backbone=` this name."""
    import keras

    patch.setitem(BACKBONES, NAME, row(weights))
    patch.setitem(depths.CHANNELS, NAME, CHANNELS)
    patch.setattr(keras.applications, "Tiny", build, raising=False)
    return NAME


def main(weights: str) -> None:
    """In a process of its own: the command line, with the base registered, given what `sys.argv` holds."""
    register(pytest.MonkeyPatch(), Path(weights))
    from headstart.cli import main

    main()
