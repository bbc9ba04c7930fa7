"""An ONNX network that takes squares -> one that takes photos of any height and width, and resizes them itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.export.resizing import Rows, squared, windows
from headstart.export.symbols import REAL, Graph, Symbol

PIXELS, SQUARE = "pixels", "resizing/square"
WHOLE = np.dtype(np.int64)
OPERATORS = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", ">": "Greater", ">=": "GreaterOrEqual", "<": "Less"}


def resize_inside(graph: Any, *, size: int, resizing: str) -> None:
    """Put the resizing in front of a network whose only input is `pixels` (n, size, size, 3), in place.

    resizing: name of a row of RESIZINGS.
    """
    from onnx import helper

    (pixels,) = graph.graph.input
    kind = pixels.type.tensor_type.elem_type
    front = _Front()
    photos = Symbol(front, PIXELS, helper.tensor_dtype_to_np_dtype(kind))
    square = squared(photos, front, size=size, resizing=resizing)
    square = front.add("Reshape", square, front.whole(0, size, size, 3), dtype=REAL)  # what no runtime can find out
    front.nodes.append(helper.make_node("Cast", [square.place], [SQUARE], to=kind))
    for node in graph.graph.node:
        node.input[:] = [SQUARE if name == PIXELS else name for name in node.input]
    behind = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*front.nodes, *behind])
    graph.graph.initializer.extend(front.constants)
    pixels.CopyFrom(helper.make_tensor_value_info(PIXELS, kind, ["n", "height", "width", 3]))


class _Front(Graph):
    """The nodes and constants of the resizing, all of which opset 15 has."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: Symbol, dtype: np.dtype, **attributes: Any) -> Symbol:
        """One more node. dtype: of what it gives."""
        from onnx import helper

        name = f"resizing/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [each.place for each in inputs], [name], **attributes))
        return Symbol(self, name, dtype)

    def operator(self, sign: str, one: Symbol, other: Symbol, dtype: np.dtype) -> Symbol:
        return self.add(OPERATORS[sign], one, other, dtype=dtype)

    def place_of(self, values: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"resizing/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def sides(self, pixels: Symbol) -> tuple[Symbol, Symbol]:
        high, wide = (self.add("Shape", pixels, dtype=WHOLE, start=axis, end=axis + 1) for axis in (1, 2))
        return high, wide

    def whole(self, *values: int) -> Symbol:
        return self.constant(np.array(values, WHOLE))

    def count(self, end: Symbol, most: int) -> Symbol:
        zero, one = (self.constant(np.array(value, WHOLE)) for value in (0, 1))
        return self.add("Range", zero, self.add("Squeeze", end, dtype=WHOLE), one, dtype=WHOLE)

    def column(self, vector: Symbol, ones: int = 1) -> Symbol:
        return self.add("Unsqueeze", vector, self.whole(*range(1, 1 + ones)), dtype=vector.dtype)

    def real(self, tensor: Symbol) -> Symbol:
        from onnx import TensorProto

        return self.add("Cast", tensor, dtype=REAL, to=TensorProto.FLOAT)

    def index(self, tensor: Symbol) -> Symbol:
        from onnx import TensorProto

        return self.add("Cast", tensor, dtype=WHOLE, to=TensorProto.INT64)

    def take(self, images: Symbol, rows: Symbol) -> Symbol:
        return self.add("Gather", images, rows, dtype=images.dtype, axis=1)

    def turned(self, images: Symbol) -> Symbol:
        return self.add("Transpose", images, dtype=images.dtype, perm=[0, 2, 3, 1])

    def upright(self, images: Symbol) -> Symbol:
        return self.add("Transpose", images, dtype=images.dtype, perm=[0, 3, 1, 2])

    def summed(self, images: Symbol, rows: Rows) -> Symbol:
        source, weights = windows(self, rows)
        taps = self.add("Reshape", self.real(self.take(images, source)), self.whole(0, 0, 0, -1), dtype=REAL)
        found = self.add("MatMul", self.add("Unsqueeze", weights, self.whole(1), dtype=REAL), taps, dtype=REAL)
        behind = self.add("Shape", images, dtype=WHOLE, start=2, end=4)
        shape = self.add("Concat", self.whole(0, 0), behind, dtype=WHOLE, axis=0)  # 0: as it was
        return self.add("Reshape", found, shape, dtype=REAL)

    def least(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("Min", one, other, dtype=one.dtype)

    def greatest(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("Max", one, other, dtype=one.dtype)

    def maximum(self, vector: Symbol) -> Symbol:
        return self.add("ReduceMax", vector, dtype=vector.dtype, keepdims=1)

    def floor(self, tensor: Symbol) -> Symbol:
        return self.add("Floor", tensor, dtype=REAL)

    def round(self, tensor: Symbol) -> Symbol:
        return self.add("Round", tensor, dtype=REAL)

    def where(self, condition: Symbol, one: Symbol, other: Symbol) -> Symbol:
        return self.add("Where", condition, one, other, dtype=one.dtype)
