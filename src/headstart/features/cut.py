"""A base cut in two at its freezing boundary: the frozen part, compiled once, and the part that is trained.

While layers are frozen, what they give for an image never changes. So they are run by a compiled engine, and only what
comes behind the cut is trained. The engine of a frozen part is kept in the user's cache folder: opening it again needs
no Keras. Knows no images.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.engines.base import Engine
from headstart.engines.keras import KerasEngine
from headstart.engines.openvino import NETWORK, CompileError, OpenVINOEngine, write_network
from headstart.events import Listener, Message
from headstart.storage import cache
from headstart.storage.hashing import sha256_of_file

if TYPE_CHECKING:
    import keras

# of what an engine computes: changed whenever the cut, the decoder, the preprocessing or the form of the file changes
SCHEMA = 4
DIGEST = "digest.txt"  # beside a network, of both of its files
RECOMPUTED = 1 / 8  # what it costs to compute a number of an activation again, against keeping one more


@dataclass(frozen=True)
class FrozenPart:
    """An engine with its address: equal keys and pixels mean equal features. Without a key nothing is kept on disk.

    features: how many of its tensors, the first ones, are features; what comes behind can be looked at. None: all.
    file: its network, where it is kept.
    """

    engine: Engine
    key: str | None
    features: int | None = None
    file: Path | None = None

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Of each tensor of features, for one image."""
        return self.engine.shapes[: self.features]


def find_cut(base: keras.Model, start: int) -> list[keras.KerasTensor]:
    """The tensors to cut a base at, so that every layer from index `start` on is behind the cut.

    Of all places at or below `start` in the order of the layers, the cheapest: the numbers that must be kept for each
    image, plus an eighth of those between the cut and the boundary, which are computed again in each step. For
    MobileNetV2 and layer 100 that is the output of `block_10_project_BN` alone, a seventh of what flows at layer 100.
    """
    layers = base.operations  # all layers, in their order, and what is no layer, such as a plain sum
    start = layers.index(base.layers[start]) if start < len(base.layers) else len(layers)
    number = {id(layer): index for index, layer in enumerate(layers)}
    last_use: dict[int, int] = {}  # id of a tensor -> index of the last layer that takes it
    for node in nodes_of(base):
        for tensor in node.input_tensors:
            last_use[id(tensor)] = max(number[id(node.operation)], last_use.get(id(tensor), 0))
    for tensor in base.outputs:
        last_use[id(tensor)] = len(layers)
    made = [
        [tensor for node in nodes_of(base) if node.operation is layer for tensor in node.outputs] for layer in layers
    ]
    best, cheapest, again = [], math.inf, 0.0
    for place in range(start, 0, -1):  # the cut lies before layer `place`
        crossing = [tensor for each in made[:place] for tensor in each if last_use.get(id(tensor), -1) >= place]
        cost = sum(map(_numbers, crossing)) + RECOMPUTED * again
        if cost < cheapest:
            best, cheapest = crossing, cost
        again += sum(map(_numbers, made[place - 1]))
    return best or list(base.inputs)


def nodes_of(model: keras.Model) -> list:
    """The calls that a functional model consists of; those of its layers in other models are not among them."""
    return [node for nodes in model._nodes_by_depth.values() for node in nodes]


def frozen_part(
    base: keras.Model, cut: list[keras.KerasTensor] | None, preprocess: Callable[[keras.KerasTensor], keras.KerasTensor]
) -> keras.Model:
    """Raw pixels -> the tensors at the cut, sharing the variables of the base.

    cut: None is behind all of the base: its features, averaged over the image (n, depth); and its last feature map
        (n, height, width, depth), to be looked at.
    """
    from headstart.keras_backend import keras

    pixels = keras.Input(base.input.shape[1:], name="pixels")
    prepared = preprocess(pixels)
    if cut is None:
        feature_map = base(prepared, training=False)
        pooled = keras.layers.GlobalAveragePooling2D(name="cut")(feature_map)
        return keras.Model(pixels, [pooled, feature_map], name="frozen_part")
    if any(tensor is base.input for tensor in cut):
        return keras.Model(pixels, keras.layers.Identity(name="cut")(prepared), name="frozen_part")
    return keras.Model(pixels, keras.Model(base.input, cut)(prepared, training=False), name="frozen_part")


def trainable_part(base: keras.Model, cut: list[keras.KerasTensor]) -> keras.Model:
    """The tensors at the cut -> the base's features, averaged over the image (n, depth), sharing its variables."""
    from headstart.keras_backend import keras

    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(base.output)
    return keras.Model(cut, pooled, name="trainable_part")


def engine_key(**facts: str | int | None) -> str | None:
    """The address of an engine: a digest of all that its features depend on. None where a fact is unknown (None)."""
    return cache.key("keras", "openvino", "opencv-python-headless", "pillow", schema=SCHEMA, **facts)


def compiled(
    key: str | None,
    build: Callable[[], keras.Model],
    *,
    features: int | None = None,
    precision: str = "float32",
    listener: Listener,
) -> FrozenPart:
    """The engine of that key from the cache; where it is not there, of the model that `build` makes.

    features: see `FrozenPart`.

    Where OpenVINO fails, Keras runs the model, and one line says so.
    """
    folder = cache.cache_folder() / cache.ENGINES / key if key else None
    file = folder / NETWORK if folder else None
    if folder and file and folder.is_dir():
        try:
            if (folder / DIGEST).read_text("utf-8") != _digest(file):
                raise CompileError("it is not what was written")
            engine = OpenVINOEngine(file, precision=precision)
            cache.used(folder)
            return FrozenPart(engine, key, features, file)
        except (CompileError, OSError):
            shutil.rmtree(folder, ignore_errors=True)  # damaged: made again below
    model = build()
    try:
        with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
            written = Path(temporary, "network")
            written.mkdir()
            write_network(model, written / NETWORK)
            engine = OpenVINOEngine(written / NETWORK, precision=precision)
            (written / DIGEST).write_text(_digest(written / NETWORK), "utf-8")
            if folder and (wrong := cache.keep(written, folder)):
                listener.emit(Message(f"The engine cannot be kept in '{folder.parent}' ({wrong})."))
        return FrozenPart(engine, key, features, file)
    except CompileError as error:
        listener.emit(Message(f"{error}. Keras computes the features instead, more slowly."))
        return FrozenPart(KerasEngine(model), f"{key}-keras" if key else None, features)


def _digest(file: Path) -> str:
    """Of a network, and of the weights beside it."""
    return f"{sha256_of_file(file)} {sha256_of_file(file.with_suffix('.bin'))}"


def _numbers(tensor: keras.KerasTensor) -> int:
    return math.prod(side or 1 for side in tensor.shape[1:])
