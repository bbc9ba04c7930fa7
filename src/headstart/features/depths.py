"""The depths of a base: the ends of its blocks, and its last layer, found from its graph. Knows no images.

What a base gives in the end is what its pretraining asked for. Edges, textures and parts are known further down, and
the same pass computes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.features.cut import nodes_of

if TYPE_CHECKING:
    import keras

JOINS = {"Add", "Concatenate"}  # operations that end a block of several branches
ACTIVATIONS = {"Activation", "ReLU"}  # belong to the join before them
PASSING = ACTIVATIONS | {"BatchNormalization", "Dropout", "AveragePooling2D"}  # keep each channel to itself
PADDING = "ZeroPadding2D"


def find_depths(base: keras.Model) -> list[keras.KerasTensor]:
    """The tensors (n, height, width, channels) at the ends of the blocks of a base, in their order, and its output.

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
