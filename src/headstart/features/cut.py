"""A base cut in two at its freezing boundary: the frozen part, and the part that is trained. Knows no images.

While layers are frozen, what they give for an image never changes. So they are run once, by a compiled engine, and only
what comes behind the cut is trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from headstart.models.backbones import get_backbone
from headstart.models.depths import find_depths, statistics, with_depths
from headstart.models.graph import below, nodes_of, several
from headstart.models.weights import layer_index

if TYPE_CHECKING:
    import keras

FROZEN = "frozen_part"
RECOMPUTED = 1 / 8  # what it costs to compute a number of an activation again, against keeping one more


def find_cut(base: keras.Model, start: int) -> list[keras.KerasTensor]:
    """The tensors to cut a base at, so that every layer from index `start` on is behind the cut.

    Of all places at or below `start` in the order of the layers, the cheapest: the numbers that must be kept for each
    image, plus an eighth of those between the cut and the boundary, which are computed again in each step. For
    MobileNetV2 and layer 100 that is the output of `block_10_project_BN` alone, a seventh of what flows at layer 100.
    """
    layers = base.operations  # all layers, in their order, and what is no layer, such as a plain sum
    start = layers.index(base.layers[start]) if start < len(base.layers) else len(layers)
    last_use = _last_uses(base)
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


def fine_tuning_cut(base: keras.Model, backbone: str) -> list[keras.KerasTensor]:
    """The cut of a base below the layers that fine-tuning trains: those from the backbone's `fine_tune_from` on."""
    return find_cut(base, layer_index(base, get_backbone(backbone).fine_tune_from))


def _last_uses(base: keras.Model) -> dict[int, int]:
    """Id of a tensor -> index of the last layer that takes it; of the last output, the number of layers."""
    number = {id(layer): index for index, layer in enumerate(base.operations)}
    found: dict[int, int] = {}
    for node in nodes_of(base):
        for tensor in node.input_tensors:
            found[id(tensor)] = max(number[id(node.operation)], found.get(id(tensor), 0))
    return found | {id(base.outputs[-1]): len(number)}  # others are depths, which come from below the cut as statistics


def frozen_part(
    base: keras.Model,
    cut: list[keras.KerasTensor] | None,
    preprocess: Callable[[keras.KerasTensor], keras.KerasTensor],
    *,
    depths: bool = False,
) -> keras.Model:
    """Raw pixels -> what there is to keep of an image, sharing the variables of the base.

    cut: the tensors that it is cut at. None stands for the end of the base: its features, averaged over the image
        (n, depth), and at last, as explanations need them, the feature maps (n, height, width, channels).
    preprocess: raw pixels -> what the base was trained to see.
    depths: also gives the `statistics` (n, numbers) of the depths before the last; of a cut, those of the depths below
        it, if there are any.
    """
    from headstart.keras_backend import keras

    pixels = keras.Input(base.input.shape[1:], name="pixels")
    if cut is None:
        found = several((with_depths(base) if depths else base)(preprocess(pixels), training=False))
        pooled = keras.layers.GlobalAveragePooling2D(name="cut")(found[-1])
        return keras.Model(pixels, [pooled, *([statistics(found[:-1])] if found[1:] else []), *found], name=FROZEN)
    if any(tensor is base.input for tensor in cut):
        return keras.Model(pixels, keras.layers.Identity(name="cut")(preprocess(pixels)), name=FROZEN)
    kept = _depths_below(base, cut) if depths else []
    found = several(keras.Model(base.input, [*cut, *kept])(preprocess(pixels), training=False))
    known = [statistics(found[len(cut) :])] if kept else []
    return keras.Model(pixels, [*found[: len(cut)], *known], name=FROZEN)


def trainable_part(base: keras.Model, cut: list[keras.KerasTensor], *, depths: bool = False) -> keras.Model:
    """What `frozen_part` gives at a cut -> features (n, numbers), sharing the variables of the base.

    They are those of the last layer, averaged over the image, and with depths, `statistics` of all before it.
    """
    from headstart.keras_backend import keras

    lost = _depths_below(base, cut) if depths else []
    behind = find_depths(base)[len(lost) :] if depths else base.outputs[-1:]
    known = [keras.Input((2 * sum(tensor.shape[-1] for tensor in lost),), name="below")] if lost else []
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(behind[-1])
    features = [pooled, *known, *([statistics(behind[:-1])] if behind[1:] else [])]
    features = keras.layers.Concatenate(name="features")(features) if features[1:] else pooled
    return keras.Model([*cut, *known], features, name="trainable_part")


def _depths_below(base: keras.Model, cut: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """The depths that what is behind a cut cannot tell any more: the first ones."""
    hidden = below(base, cut) - {id(tensor) for tensor in cut}
    return [tensor for tensor in find_depths(base) if id(tensor) in hidden]


def _numbers(tensor: keras.KerasTensor) -> int:
    return math.prod(side or 1 for side in tensor.shape[1:])
