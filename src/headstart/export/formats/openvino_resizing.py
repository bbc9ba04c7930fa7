"""An OpenVINO network that takes squares -> one that takes photos of any height and width, and resizes them itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.engines.openvino import import_openvino
from headstart.export.resizing import Rows, squared, windows
from headstart.export.symbols import REAL, Graph, Symbol

WHOLE = np.dtype(np.int32)
OPERATORS = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", ">": "greater", ">=": "greater_equal", "<": "less",
}  # fmt: skip


def resize_inside(network: Any, *, size: int, resizing: str) -> Any:
    """The same network with the resizing in front of its only input, `pixels` (n, size, size, 3).

    resizing: name of a row of RESIZINGS.
    """
    openvino = import_openvino()
    from openvino import opset13 as operations

    (given,) = network.get_parameters()
    kind = given.get_element_type()
    pixels = operations.parameter([-1, -1, -1, 3], kind)
    front = _Front()
    square = squared(Symbol(front, pixels, kind.to_dtype()), front, size=size, resizing=resizing)
    # what cannot be found out: that the sides are always those
    whole = front.add("reshape", square, front.whole(0, size, size, 3), special_zero=True)
    given.output(0).replace(operations.convert(whole.place, kind).output(0))
    resized = openvino.Model(network.get_results(), [pixels], network.get_friendly_name())
    resized.inputs[0].set_names({"pixels"})
    resized.validate_nodes_and_infer_types()
    return resized


class _Front(Graph):
    """The nodes of the resizing."""

    def __init__(self) -> None:
        from openvino import opset13

        super().__init__()
        self.operations: Any = opset13

    def add(self, kind: str, *inputs: Any, dtype: np.dtype = REAL, **attributes: Any) -> Symbol:
        """One more node. inputs: symbols, and what an operation takes as it is. dtype: of what it gives."""
        given = [each.place if isinstance(each, Symbol) else each for each in inputs]
        return Symbol(self, getattr(self.operations, kind)(*given, **attributes), dtype)

    def operator(self, sign: str, one: Symbol, other: Symbol, dtype: np.dtype) -> Symbol:
        return self.add(OPERATORS[sign], one, other, dtype=dtype)

    def place_of(self, values: np.ndarray) -> Any:
        return self.operations.constant(values)

    def sides(self, pixels: Symbol) -> tuple[Symbol, Symbol]:
        shape, axis = self.add("shape_of", pixels, "i32", dtype=WHOLE), self.constant(np.array(0, WHOLE))
        high, wide = (self.add("gather", shape, self.whole(each), axis, dtype=WHOLE) for each in (1, 2))
        return high, wide

    def whole(self, *values: int) -> Symbol:
        return self.constant(np.array(values, WHOLE))

    def count(self, end: Symbol, most: int) -> Symbol:
        zero, one = (self.constant(np.array(value, WHOLE)) for value in (0, 1))
        end = self.add("squeeze", end, self.whole(0), dtype=WHOLE)
        return self.add("range", zero, end, one, "i32", dtype=WHOLE)

    def column(self, vector: Symbol, ones: int = 1) -> Symbol:
        return self.add("unsqueeze", vector, self.whole(*range(1, 1 + ones)), dtype=vector.dtype)

    def real(self, tensor: Symbol) -> Symbol:
        return self.add("convert", tensor, "f32")

    def index(self, tensor: Symbol) -> Symbol:
        return self.add("convert", tensor, "i32", dtype=WHOLE)

    def take(self, images: Symbol, rows: Symbol) -> Symbol:
        return self.add("gather", images, rows, self.constant(np.array(1, WHOLE)), dtype=images.dtype)

    def turned(self, images: Symbol) -> Symbol:
        return self.add("transpose", images, self.whole(0, 2, 3, 1), dtype=images.dtype)

    def upright(self, images: Symbol) -> Symbol:
        return self.add("transpose", images, self.whole(0, 3, 1, 2), dtype=images.dtype)

    def summed(self, images: Symbol, rows: Rows) -> Symbol:
        source, weights = windows(self, rows)
        taps = self.add("reshape", self.real(self.take(images, source)), self.whole(0, 0, 0, -1), special_zero=True)
        found = self.add("matmul", self.add("unsqueeze", weights, self.whole(1)), taps, False, False)
        sides, axis = self.add("shape_of", images, "i32", dtype=WHOLE), self.constant(np.array(0, WHOLE))
        behind = self.add("gather", sides, self.whole(2, 3), axis, dtype=WHOLE)
        shape = self.add("concat", [self.whole(0, 0).place, behind.place], 0, dtype=WHOLE)  # 0: as it was
        return self.add("reshape", found, shape, special_zero=True)

    def least(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("minimum", one, other, dtype=one.dtype)

    def greatest(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("maximum", one, other, dtype=one.dtype)

    def maximum(self, vector: Symbol) -> Symbol:
        return self.add("reduce_max", vector, self.whole(0), True, dtype=vector.dtype)

    def floor(self, tensor: Symbol) -> Symbol:
        return self.add("floor", tensor)

    def round(self, tensor: Symbol) -> Symbol:
        return self.add("round", tensor, "half_to_even")

    def where(self, condition: Symbol, one: Symbol, other: Symbol) -> Symbol:
        return self.add("select", condition, one, other, dtype=one.dtype)
