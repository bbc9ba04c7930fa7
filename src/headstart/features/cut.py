"""A base cut in two at its freezing boundary: the frozen part, and the part that is trained. Knows no images.

While layers are frozen, what they give for an image never changes. So they are run once, by a compiled engine, and only
what comes behind the cut is trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from headstart.models.backbones import get_backbone
from headstart.models.weights import layer_index

if TYPE_CHECKING:
    import keras

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
    """Id of a tensor -> index of the last layer that takes it; of an output, the number of layers."""
    number = {id(layer): index for index, layer in enumerate(base.operations)}
    found: dict[int, int] = {}
    for node in nodes_of(base):
        for tensor in node.input_tensors:
            found[id(tensor)] = max(number[id(node.operation)], found.get(id(tensor), 0))
    return found | {id(tensor): len(number) for tensor in base.outputs}


def nodes_of(model: keras.Model) -> list:
    """The calls that a functional model consists of; those of its layers in other models are not among them."""
    return [node for nodes in model._nodes_by_depth.values() for node in nodes]


def frozen_part(
    base: keras.Model, cut: list[keras.KerasTensor] | None, preprocess: Callable[[keras.KerasTensor], keras.KerasTensor]
) -> keras.Model:
    """Raw pixels -> the tensors at the cut, sharing the variables of the base.

    cut: None stands for the end of the base: its features, averaged over the image (n, depth), and its last feature map
        (n, height, width, depth), which explanations need.
    preprocess: raw pixels -> what the base was trained to see.
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


def _numbers(tensor: keras.KerasTensor) -> int:
    return math.prod(side or 1 for side in tensor.shape[1:])
