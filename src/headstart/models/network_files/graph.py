"""A network that OpenVINO has read, for images of one size -> its steps, and the feature maps among what they give."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from headstart.models.block_ends import (
    ACTIVATION,
    ATTENTION,
    CONCATENATION,
    LAYOUT,
    OTHER,
    PADDING,
    PASSING,
    SUM,
    Step,
    ends_of_blocks,
    find_waists,
)
from headstart.models.network_files.input_format import NCHW

# https://docs.openvino.ai/2025/documentation/openvino-ir-format/operation-sets.html
ACTIVATIONS = ("Clamp", "Elu", "Gelu", "HSigmoid", "HSwish", "Maximum", "Minimum", "Mish", "PRelu", "Relu", "Selu",
               "Sigmoid", "SoftPlus", "Swish", "Tanh")  # fmt: skip
PASSINGS = ("AvgPool", "BatchNormInference", "Convert", "Divide", "FakeQuantize", "Multiply", "Subtract")
LAYOUTS = {"Transpose", "Convert"}  # change nothing of what a tensor says
KINDS = {
    **dict.fromkeys(ACTIVATIONS, ACTIVATION),
    **dict.fromkeys(PASSINGS, PASSING),
    **dict.fromkeys(("Softmax", "ScaledDotProductAttention"), ATTENTION),
    "Add": SUM,
    "Concat": CONCATENATION,
    **dict.fromkeys(LAYOUTS, LAYOUT),
    "Pad": PADDING,
}
NO_CONTENT = {"ShapeOf", "Parameter", "Constant", "Result"}  # what comes of them does not depend on the pixels
CHANNELS_SECOND = {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData",
                   "BatchNormInference", "MaxPool", "AvgPool"}  # fmt: skip
MOST_PREFIXES = 16  # tokens before those of the image, at most; a class token and registers are 5
BATCH = 2  # images that a network is tried with: what is made for one image alone shows


Key = tuple[str, int]  # of a tensor: the operation that gives it, and which of its outputs it is


class Grid(NamedTuple):
    """first: of tokens, the first one of the grid; None where the tensor has rows and columns itself."""

    rows: int
    columns: int
    first: int | None


@dataclass(frozen=True)
class FeatureMap:
    """A tensor that has channels for each place of an image, or for each token.

    node: name of the operation that gives it, output: which of its tensors it is. tensor: its name in the file.
    axis: of the channels, 1 or the last one. shape: for BATCH images.
    of_class_token: of the tokens, the first alone, which stands for no place of the image.
    """

    node: str
    output: int
    tensor: str
    axis: int
    shape: tuple[int, ...]
    of_class_token: bool = False

    @property
    def channels(self) -> int:
        return self.shape[self.axis]

    @property
    def places(self) -> tuple[int, int]:
        """Rows and columns; of tokens, their number and 1."""
        rest = [side for axis, side in enumerate(self.shape) if axis not in (0, self.axis)]
        return rest[0], rest[1] if rest[1:] else 1

    @property
    def is_of_an_image(self) -> bool:
        """Whether it has more places than one: of an image, which is a square, as many rows as columns."""
        rows, columns = self.places
        return rows > 1 and (len(self.shape) == 3 or rows == columns)

    @property
    def grid(self) -> Grid:
        """Of tokens: those of the image are a square, behind a class token and registers."""
        if self.of_class_token:
            return Grid(1, 1, 0)
        if len(self.shape) == 4:
            return Grid(*self.places, None)
        count = self.places[0]
        side = math.isqrt(count)
        before = count - side * side
        return Grid(side, side, before) if before <= MOST_PREFIXES else Grid(count, 1, 0)

    @property
    def has_class_token(self) -> bool:
        return bool(self.grid.first)

    @property
    def class_token(self) -> FeatureMap:
        return replace(self, of_class_token=True)


def feature_maps(network: Any, layout: str) -> list[FeatureMap]:
    """The ends of the blocks of a network, in order, its class token if it has one, and the last feature map; none
    where it has no feature map.

    network: for BATCH images of one size. layout: of its input.
    """
    found = _maps(network, layout)
    steps = list(_steps(network, found))
    last = _last(network, steps)
    steps = _needed_for(last, steps)
    if not steps:
        return []
    if last not in found:
        waists = find_waists(steps) or [step for step in steps if step.is_map]
        if not waists:
            return []
        last = waists[-1].tensor
    last = _before_its_layout(network, last, found)
    steps = _needed_for(last, steps)
    inner, end = [found[tensor] for tensor in ends_of_blocks(steps, last)], found[last]
    return [*inner, *([end.class_token] if end.has_class_token else []), end]


def _key(output: Any) -> Key:
    return output.get_node().get_friendly_name(), output.get_index()


def _sources(node: Any) -> list[Any]:
    return [entry.get_source_output() for entry in node.inputs()]


def _maps(network: Any, layout: str) -> dict[Key, FeatureMap]:
    """Of each tensor that is one, by its key: where its channels are is carried on from the input."""
    (pixels,) = network.inputs
    axes: dict[Key, int] = {_key(pixels): 1 if layout == NCHW else 3}
    found: dict[Key, FeatureMap] = {}
    for node in network.get_ordered_ops():
        known = [source for source in _sources(node) if _key(source) in axes]
        if node.get_type_name() in NO_CONTENT or not known:
            continue
        for output in node.outputs():
            shape = output.get_partial_shape()
            rank = shape.rank.get_length() if shape.rank.is_static else 0
            axes[_key(output)] = axis = _axis(node, known[0], axes[_key(known[0])], rank)
            if rank not in (3, 4) or shape.is_dynamic:
                continue
            sides = tuple(int(side) for side in output.get_shape())
            name = min(output.get_names(), default=node.get_friendly_name())
            each = FeatureMap(node.get_friendly_name(), output.get_index(), name, axis, sides)
            if sides[0] == BATCH and each.channels > 1 and each.is_of_an_image:
                found[_key(output)] = each
    return found


def _axis(node: Any, source: Any, axis: int, rank: int) -> int:
    """Where a node puts the channels of what it takes."""
    kind = node.get_type_name()
    if kind in CHANNELS_SECOND:
        return 1
    before = source.get_partial_shape()
    if kind == "Transpose":
        order = node.input_value(1).get_node()
        if order.get_type_name() == "Constant":
            return [int(each) for each in order.get_data()].index(axis)
    if (
        kind == "Reshape"
        and axis == 1
        and rank > 1
        and before.is_static
        and node.output(0).get_partial_shape().is_static
    ):
        return 1 if node.output(0).get_shape()[1] == source.get_shape()[1] else rank - 1
    same_rank = before.rank.is_static and before.rank.get_length() == rank
    return axis if same_rank and kind != "MatMul" else rank - 1


def _steps(network: Any, maps: dict[Key, FeatureMap]) -> Iterator[Step[Key]]:
    """What depends on the pixels, in order."""
    (pixels,) = network.inputs
    alive = {_key(pixels)}
    for node in network.get_ordered_ops():
        takes = tuple(key for key in map(_key, _sources(node)) if key in alive)
        if node.get_type_name() in NO_CONTENT or not takes:
            continue
        gives = tuple(map(_key, node.outputs()))
        alive.update(gives)
        kind = KINDS.get(node.get_type_name(), OTHER)
        if kind == SUM and len(takes) == 1:
            kind = PASSING  # a bias
        elif kind in (ACTIVATION, PASSING) and len(takes) > 1:
            kind = OTHER
        each = maps.get(gives[0])
        yield Step(kind, takes, gives, each and each.places, each and each.channels)


def _last(network: Any, steps: Sequence[Step[Key]]) -> Key | None:
    """Of all that a network gives, the deepest feature map; or where there is none, what is deepest."""
    given = {_key(source) for result in network.get_results() for source in _sources(result)}
    outputs = [(step, tensor) for step in steps for tensor in step.gives if tensor in given]
    wanted = [tensor for step, tensor in outputs if step.is_map] or [tensor for _, tensor in outputs]
    return max(wanted, key=lambda tensor: len(_needed_for(tensor, steps)), default=None)


def _before_its_layout(network: Any, last: Key, maps: Container[Key]) -> Key:
    """The same feature map, before its dimensions are put into another order for who takes it."""
    makers = {_key(output): node for node in network.get_ordered_ops() for output in node.outputs()}
    while makers[last].get_type_name() in LAYOUTS and (before := _key(_sources(makers[last])[0])) in maps:
        last = before
    return last


def _needed_for(last: Key | None, steps: Sequence[Step[Key]]) -> list[Step[Key]]:
    needed, found = {last}, []
    for step in reversed(steps):
        if needed.intersection(step.gives):
            needed.update(step.takes)
            found.append(step)
    return found[::-1]
