"""Two runs for the tests of exports, of a base that is written in a fiftieth of the time of MobileNetV2.

The base has the same operations as MobileNetV2, each in its own way of being quantised and folded, but three blocks
instead of seventeen. Its weights are drawn from a seed; there is nothing else to learn in a head of this size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import headstart as hs
from headstart.data.tables import write_splits
from headstart.models.backbones import BACKBONES, Backbone
from headstart.models.depths import CHANNELS

if TYPE_CHECKING:
    import keras

SMALL_BASE = "small_base"


def build_small_base(input_shape: tuple[int, int, int], include_top: bool, weights: str | None) -> keras.Model:
    """As a function of keras.applications: pixels in -1..1 -> features, an eighth as high and as wide."""
    import keras

    layers = keras.layers

    def convolution(x, depth: int, kernel: int, *, stride: int = 1, name: str, relu: bool = True):
        x = layers.Conv2D(depth, kernel, stride, "same", use_bias=False, name=name)(x)
        x = layers.BatchNormalization(name=f"{name}_BN")(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x

    pixels = layers.Input(input_shape)
    x = convolution(pixels, 32, 3, stride=2, name="Conv1")
    for number, (depth, stride) in enumerate(((64, 2), (64, 1), (64, 2))):
        inside = convolution(x, 256, 1, name=f"block_{number}_expand")
        inside = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=f"block_{number}_depthwise")(inside)
        inside = layers.BatchNormalization(name=f"block_{number}_depthwise_BN")(inside)
        inside = layers.ReLU(6.0, name=f"block_{number}_depthwise_relu")(inside)
        inside = convolution(inside, depth, 1, name=f"block_{number}_project", relu=False)
        x = layers.Add(name=f"block_{number}_add")([x, inside]) if stride == 1 else inside
    x = convolution(x, 1024, 1, name="Conv_1")
    return _with_weights_of_a_seed(keras.Model(pixels, x, name=SMALL_BASE))


def _with_weights_of_a_seed(base: keras.Model) -> keras.Model:
    """Convolutions keep the scale of what passes through them; BatchNormalization does something."""
    rng = np.random.default_rng(0)
    for variable in base.weights:
        if "kernel" in variable.path:
            fan_in = np.prod(variable.shape[:2] if "depthwise" in variable.path else variable.shape[:-1])
            variable.assign(rng.normal(0, np.sqrt(2 / fan_in), variable.shape))
        else:
            draw = rng.uniform(0.5, 1.5, variable.shape)
            variable.assign(draw if variable.path.endswith(("gamma", "moving_variance")) else draw - 1)
    return base


@dataclass(frozen=True)
class SmallRun:
    """What an export reads of a run: its classifier, and the table of its photos."""

    folder: Path
    photos: Path


@pytest.fixture(scope="session")
def small_base() -> Iterator[str]:
    """A row of BACKBONES."""
    import keras

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, SMALL_BASE, Backbone("SmallBase", "tf", 64, 1024, "block_2_expand"))
        patch.setitem(CHANNELS, SMALL_BASE, "64*3")
        patch.setattr(keras.applications, "SmallBase", build_small_base, raising=False)
        yield SMALL_BASE


def make(photos: Path, folder: Path, **settings) -> SmallRun:
    data = hs.load_dataset(photos, listener=hs.Quiet())
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    hs.train(data, recipe=recipe, weights="random", listener=hs.Quiet(), **settings).save(folder)
    rows = []
    for name in ("train", "validation", "test"):
        split = getattr(data, name)
        labels = (data.class_names[label] for label in split.labels)
        rows += zip(split.paths, labels, [name] * len(split.labels), split.digests, strict=True)
    write_splits(folder / "splits.csv", rows)
    return SmallRun(folder, photos)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, photos: Path, small_base: str) -> SmallRun:
    """Two classes, one logit, photos that are stretched."""
    return make(photos, tmp_path_factory.mktemp("small") / "run", backbone=small_base, image_size=64)


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory, make_folder, small_base: str) -> SmallRun:
    """Three classes, three logits, photos that are padded."""
    root = tmp_path_factory.mktemp("three")
    photos = make_folder(root / "photos", {"broken": 20, "good": 20, "ugly": 20})
    return make(photos, root / "run", backbone=small_base, image_size=32, resizing="pad")


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> SmallRun:
    """A head on the default base, whose network is in the package."""
    folder = tmp_path_factory.mktemp("packaged") / "run"
    hs.make_run(photos, folder, image_size=64, seed=3, views="original", listener=hs.Quiet())
    return SmallRun(folder, photos)


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory, packaged: SmallRun) -> Path:
    """That run as a web page."""
    out = tmp_path_factory.mktemp("web") / "page"
    hs.export(packaged.folder, out, format="web", listener=hs.Quiet())
    return out
