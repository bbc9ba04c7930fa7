"""The depths of a base: the ends of its blocks, and its last layer, found from its graph; and what is read of them.

What a base gives in the end is what its pretraining asked for. Edges, textures and parts are known further down, and
the same pass computes them. Knows no images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headstart.models.backbones import get_backbone
from headstart.models.graph import nodes_of, several

if TYPE_CHECKING:
    import keras

JOINS = {"Add", "Concatenate"}  # operations that end a block of several branches
ACTIVATIONS = {"Activation", "ReLU"}  # belong to the join before them
PASSING = ACTIVATIONS | {"BatchNormalization", "Dropout", "AveragePooling2D"}  # keep each channel to itself
PADDING = "ZeroPadding2D"
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
    parts = get_backbone(backbone).parts
    if parts:
        return tuple(channels for part in parts for channels in channels_of(part))
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
    """The tensors (n, height, width, channels) at the ends of the blocks of a base, in order, and its last output.

    A tensor ends a block if all that comes later depends on nothing else from before, and it is
    - joined from branches, as in a residual network, with the activation that follows; or
    - narrower than what comes before and what comes later, as the linear bottlenecks of MobileNetV2 are.
    A base without such ends is read where its resolution changes: at the last join of each, or the last layer.
    """
    nodes = _in_order(base)
    maker = {id(tensor): node for node in nodes for tensor in node.outputs}
    waists = _waists(nodes)
    output = base.outputs[-1]
    ends = (_joined(waists, maker) | _bottlenecks(waists, maker)) - {id(output)}
    if not ends:
        joins = [node.outputs[0] for node in nodes if _is_join(node) and len(node.outputs[0].shape) == 4]
        ends = _last_of_each_resolution(joins or waists, maker) - {id(output)}
    made = [tensor for node in nodes for tensor in node.outputs]
    return [tensor for tensor in made if id(tensor) in ends] + [output]


def _in_order(base: keras.Model) -> list:
    """The calls of a base, each after those that it takes from; without its input."""
    number = {id(operation): index for index, operation in enumerate(base.operations)}
    nodes = [node for node in nodes_of(base) if node.input_tensors]
    return sorted(nodes, key=lambda node: number[id(node.operation)])


def _waists(nodes: list) -> list[keras.KerasTensor]:
    """The feature maps that all behind them depends on, and on nothing else from before."""
    last_use = {id(tensor): number for number, node in enumerate(nodes) for tensor in node.input_tensors}
    found, alive = [], set()
    for number, node in enumerate(nodes):
        alive = {tensor for tensor in alive if last_use[tensor] > number}
        alive |= {id(tensor) for tensor in node.outputs if last_use.get(id(tensor), len(nodes)) > number}
        if alive == {id(node.outputs[0])} and len(node.outputs[0].shape) == 4:
            found.append(node.outputs[0])
    return found


def _joined(waists: list[keras.KerasTensor], maker: dict) -> set[int]:
    """Waists that are joined from branches; of those that are parts of a longer concatenation, the longest."""
    found = set()
    for number, tensor in enumerate(waists):
        node = maker[id(tensor)]
        if not _is_join(node):
            continue
        behind = waists[number + 1 : number + 2]
        is_activated = (
            behind and maker[id(behind[0])].input_tensors == [tensor] and _kind(behind[0], maker) in ACTIVATIONS
        )
        found.add(id(behind[0] if is_activated else tensor))
        if _kind(tensor, maker) == "Concatenate":
            found -= {id(part) for part in node.input_tensors}
    return found


def _bottlenecks(waists: list[keras.KerasTensor], maker: dict) -> set[int]:
    """Waists with fewer channels than the last that had another number, and than the next that will have."""
    found, channels = set(), [tensor.shape[-1] for tensor in waists]
    for number, tensor in enumerate(waists):
        before = next((each for each in reversed(channels[:number]) if each != channels[number]), 0)
        behind = next((each for each in channels[number + 1 :] if each != channels[number]), 0)
        is_passed_on = number + 1 < len(waists) and _kind(waists[number + 1], maker) in PASSING
        if before > channels[number] < behind and not is_passed_on:
            found.add(id(tensor))
    return found


def _last_of_each_resolution(tensors: list[keras.KerasTensor], maker: dict) -> set[int]:
    last: dict[tuple, int] = {}
    for tensor in tensors:
        if _kind(tensor, maker) != PADDING:
            last[tensor.shape[1:3]] = id(tensor)
    return set(last.values())


def _is_join(node) -> bool:
    return type(node.operation).__name__ in JOINS and len(node.input_tensors) > 1


def _kind(tensor: keras.KerasTensor, maker: dict) -> str:
    return type(maker[id(tensor)].operation).__name__
