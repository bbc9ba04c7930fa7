"""EfficientNet-Lite (Google, 2020): EfficientNet without squeeze-and-excite and with ReLU6, made for small devices.

The architecture is that of github.com/tensorflow/tpu, models/official/efficientnet/lite: seven stages, of which Lite 1
and 2 have more channels and blocks. The names of the layers are those in the files of weights.
"""

from __future__ import annotations

import math
from functools import partial

from headstart.keras_backend import keras

# repeats, kernel, stride of the first block, expansion, channels
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, HEAD = 32, 1_280  # channels, in all variants
EPSILON = 1e-3  # of BatchNormalization


def build(
    input_shape: tuple[int, int, int], include_top: bool, weights: str | None, *, width: float, depth: float, name: str
) -> keras.Model:
    """Pixels as (raw - 127) / 128 -> features (n, height / 32, width / 32, 1280), with random weights.

    width, depth: what channels and blocks are multiplied with; those of the first and the last stage, the stem and the
        head are not.
    """
    if include_top or weights is not None:
        raise ValueError("EfficientNet-Lite is built without its top, and its weights come from a file.")
    pixels = keras.Input(input_shape)
    x = _convolution(pixels, STEM, "stem", kernel=3, strides=2)
    number = 0
    for stage, (repeats, kernel, strides, expansion, channels) in enumerate(STAGES):
        inner = 0 < stage < len(STAGES) - 1
        channels = _rounded(channels * width)
        for repeat in range(math.ceil(repeats * depth) if inner else repeats):
            x = _block(x, f"block{number}", kernel, strides if repeat == 0 else 1, expansion, channels)
            number += 1
    x = _convolution(x, HEAD, "head", kernel=1)
    return keras.Model(pixels, x, name=f"{name}_{input_shape[0]}")


EfficientNetLite0 = partial(build, width=1.0, depth=1.0, name="efficientnet_lite0")
EfficientNetLite1 = partial(build, width=1.0, depth=1.1, name="efficientnet_lite1")
EfficientNetLite2 = partial(build, width=1.1, depth=1.2, name="efficientnet_lite2")


def _block(
    x: keras.KerasTensor, name: str, kernel: int, strides: int, expansion: int, channels: int
) -> keras.KerasTensor:
    """Inverted residual: expand, filter each channel, project to few channels; added to what came in if it fits."""
    layers, came_in = keras.layers, x
    if expansion > 1:
        x = _convolution(x, expansion * x.shape[-1], f"{name}_expand", kernel=1, normalization=f"{name}_expand_bn")
    x = layers.DepthwiseConv2D(kernel, strides, "same", use_bias=False, name=f"{name}_dw")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_dw_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_dw_relu")(x)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_project_bn")(x)
    return layers.Add(name=f"{name}_add")([came_in, x]) if came_in.shape == x.shape else x


def _convolution(
    x: keras.KerasTensor, channels: int, name: str, *, kernel: int, strides: int = 1, normalization: str | None = None
) -> keras.KerasTensor:
    layers = keras.layers
    convolution = name if normalization else f"{name}_conv"
    x = layers.Conv2D(channels, kernel, strides, "same", use_bias=False, name=convolution)(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=normalization or f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _rounded(channels: float) -> int:
    """To a multiple of 8, but not by more than a tenth down: as EfficientNet does."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
