"""The depths of a base: the ends of its blocks, and its last layer, found from its graph; and what is read of them.

What a base gives in the end is what its pretraining asked for. Edges, textures and parts are known further down, and
the same pass computes them. Knows no images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headstart.models.backbones import get_backbone
from headstart.models.block_ends import ACTIVATION, CONCATENATION, OTHER, PADDING, PASSING, SUM, Step, ends_of_blocks
from headstart.models.graph import nodes_of, several

if TYPE_CHECKING:
    import keras

KINDS = {
    "Add": SUM, "Concatenate": CONCATENATION, "Activation": ACTIVATION, "ReLU": ACTIVATION,
    "BatchNormalization": PASSING, "Dropout": PASSING, "AveragePooling2D": PASSING, "ZeroPadding2D": PADDING,
}  # fmt: skip
LEAST_DEVIATION = 1e-6

# Channels of the depths of each row of BACKBONES but its last layer, "24*2" for two depths of 24: what `find_depths`
# finds, so that the shape of features is known without Keras.
CHANNELS = {
    "mobilenet_v2": "16 24*2 32*3 64*4 96*3 160*3 320",
    "mobilenet_v2_050": "8 16*2 16*3 32*4 48*3 80*3 160",
    "mobilenet_v2_035": "8 8*2 16*3 24*4 32*3 56*3 112",
    "efficientnet_lite0": "16 24*2 40*2 80*3 112*3 192*4 320",
    "efficientnet_lite1": "16 24*3 40*3 80*4 112*4 192*5 320",
    "efficientnet_lite2": "16 24*3 48*3 88*4 120*4 208*5 352",
    "mobilenet": "64 128 256 512",
    "mobilenet_v3_small": "24*2 40*3 48*2 96*3",
    "mobilenet_v3_large": "16 24*2 40*3 80*4 112*2 160*3",
    "efficientnet_b0": "16 24*2 40*2 80*3 112*3 192*4 320",
    "efficientnet_v2_b0": "16 32*2 48*2 96*3 112*5 192*8",
    "efficientnet_v2_b1": "16*2 32*3 48*3 96*4 112*6 192*9",
    "efficientnet_v2_b2": "16*2 32*3 56*3 104*4 120*6 208*10",
    "efficientnet_v2_b3": "16*2 40*3 56*3 112*5 136*7 232*12",
    "efficientnet_v2_s": "24*2 48*4 64*4 128*6 160*9 256*15",
    "convnext_tiny": "96*3 192*3 384*9 768*3",
    "convnext_small": "96*3 192*3 384*27 768*3",
    "resnet50": "256*3 512*4 1024*6 2048*2",
    "resnet50_v2": "256*3 512*4 1024*6 2048*3",
    "densenet121": "256 128 512 256 1024 512 1024",
    "xception": "128 256 728*9 1024",
    "inception_v3": "256 288*2 768*5 1280 2048",
    "nasnet_mobile": "22 264 528 1056",
    "vgg16": "64 128 256 512*2",
}


def channels_of(backbone: str) -> tuple[int, ...]:
    """The channels of each depth of a backbone but its last layer."""
    row = get_backbone(backbone)
    if row.parts:
        return tuple(channels for part in row.parts for channels in channels_of(part))
    if row.channels:
        return row.channels
    counts = (part.partition("*") for part in CHANNELS[backbone].split())
    return tuple(int(channels) for channels, _, times in counts for _ in range(int(times or 1)))


def block_sizes(backbone: str, *, depths: bool) -> tuple[int, ...]:
    """How many numbers the blocks of features have: the last layer, then mean and deviation of each depth before it."""
    inner = (count for channels in channels_of(backbone) for count in (channels, channels))
    return (get_backbone(backbone).features, *(inner if depths else ()))


def statistics(depths: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """Depths (n, height, width, channels) -> (n, numbers): of each the mean of its channels over the image, then their
    standard deviation, in the order of the depths.

    The variance is the mean of squared differences from the mean, which is never negative, in the precision of the
    depths; the difference of the mean square and the squared mean would lose all digits where a channel hardly varies.
    A deviation is `LEAST_DEVIATION` or more, as the slope of the root is infinite at 0.
    """
    from headstart.keras_backend import keras

    ops, found = keras.ops, []
    for tensor in depths:
        mean = ops.mean(tensor, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(tensor - mean), axis=(1, 2))
        found += [ops.squeeze(mean, axis=(1, 2)), ops.sqrt(ops.maximum(variance, LEAST_DEVIATION**2))]
    return ops.concatenate(found, axis=-1)


def with_depths(base: keras.Model) -> keras.Model:
    """The same base, which gives all of its depths, the last layer as the last of them; of bases side by side, the
    depths of one after those of the other, and their last layers joined."""
    from headstart.keras_backend import keras
    from headstart.models.side_by_side import joined, parts_of

    depths = [several(with_depths(part)(given, training=False)) for part, given in parts_of(base)]
    inner = [tensor for each in depths for tensor in each[:-1]]
    outputs = [*inner, joined([each[-1] for each in depths])] if depths else find_depths(base)
    found = keras.Model(base.input, outputs, name=base.name)
    found.trainable = base.trainable  # otherwise it and its layers disagree, and setting it to True does nothing
    return found


def find_depths(base: keras.Model) -> list[keras.KerasTensor]:
    """The tensors (n, height, width, channels) at the ends of the blocks of a base, in order, and its last output; see
    `block_ends.py`."""
    nodes, output = _in_order(base), base.outputs[-1]
    made = {id(tensor): tensor for node in nodes for tensor in node.outputs}
    return [*(made[each] for each in ends_of_blocks([_step(node) for node in nodes], id(output))), output]


def _in_order(base: keras.Model) -> list:
    """The calls of a base, each after those that it takes from; without its input."""
    number = {id(operation): index for index, operation in enumerate(base.operations)}
    nodes = [node for node in nodes_of(base) if node.input_tensors]
    return sorted(nodes, key=lambda node: number[id(node.operation)])


def _step(node: Any) -> Step[int]:
    shape = node.outputs[0].shape
    is_map = len(shape) == 4
    return Step(
        KINDS.get(type(node.operation).__name__, OTHER),
        tuple(id(tensor) for tensor in node.input_tensors),
        tuple(id(tensor) for tensor in node.outputs),
        tuple(shape[1:3]) if is_map else None,
        shape[-1] if is_map else None,
    )
