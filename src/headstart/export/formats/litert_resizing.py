"""A LiteRT network that takes squares -> one that takes photos of any height and width, and resizes them itself.

The shape of no tensor depends on the values of another: LiteRT would then run the whole network without XNNPACK, three
to five times slower. So averages are not sums over windows, whose length depends on the photo, but differences of
running totals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.export.resizing import Rows, squared
from headstart.export.symbols import REAL, TRUTH, Graph, Symbol

PIXELS = "pixels"
WHOLE = np.dtype(np.int32)
PARTS = 2**15  # of a fraction: the totals of 65,000 of them still have 31 bits
OPERATORS = {"+": "ADD", "-": "SUB", "*": "MUL", ">": "GREATER", ">=": "GREATER_EQUAL", "<": "LESS"}


def resize_inside(network: Any, *, size: int, resizing: str) -> None:
    """Put the resizing in front of a network whose only input is `pixels` (n, size, size, 3), in place.

    Args:
        network: the content of a file, a `ModelT` of the schema.
        resizing: name of a row of RESIZINGS.
    """
    graph = network.subgraphs[0]
    (square,) = graph.inputs
    front = _Front(network)
    kind = graph.tensors[square].type
    pixels = front.tensor(kind, [1, size, size, 3])
    graph.tensors[pixels].shapeSignature = [-1, -1, -1, 3]
    graph.tensors[pixels].name = PIXELS
    graph.inputs = [pixels]
    for signature in network.signatureDefs:
        for entry in signature.inputs:
            entry.tensorIndex = pixels
    dtype = next(each for each, number in front.kinds.items() if number == kind)
    found = squared(Symbol(front, pixels, dtype), front, size=size, resizing=resizing)
    front.node("CAST", [found.place], square)
    graph.operators = [*front.nodes, *graph.operators]


class _Front(Graph):
    """The nodes of the resizing; tensors and constants are added to a network at once."""

    def __init__(self, network: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema

        super().__init__()
        self.schema, self.network = schema, network
        self.graph = network.subgraphs[0]
        self.nodes: list[Any] = []
        types = schema.TensorType
        self.kinds = {np.dtype(np.uint8): types.UINT8, REAL: types.FLOAT32, WHOLE: types.INT32, TRUTH: types.BOOL}

    def tensor(self, kind: int, shape: list[int], buffer: int = 0) -> int:
        """The place of a new one. buffer: of its values; 0: it has none."""
        made = self.schema.TensorT()
        made.type, made.shape, made.buffer = kind, shape, buffer
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def node(self, kind: str, inputs: list[int], output: int, **options: Any) -> None:
        made = self.schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = self._code(kind), inputs, [output]
        if options:
            name = "".join(part.capitalize() for part in kind.split("_")) + "Options"
            if kind == "REDUCE_MAX":
                name = "ReducerOptions"
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, name)
            made.builtinOptions = getattr(self.schema, f"{name}T")()
            for key, value in options.items():
                setattr(made.builtinOptions, key, value)
        self.nodes.append(made)

    def _code(self, kind: str) -> int:
        """The place of an operator in the table of those that the network uses."""
        number, known = getattr(self.schema.BuiltinOperator, kind), self.network.operatorCodes
        for place, code in enumerate(known):
            if code.builtinCode == number:
                return place
        made = self.schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = number, min(number, 127), 1
        known.append(made)
        return len(known) - 1

    def add(self, kind: str, *inputs: Symbol, dtype: np.dtype, **options: Any) -> Symbol:
        """One more node. dtype: of what it gives."""
        output = self.tensor(self.kinds[dtype], [])
        self.node(kind, [each.place for each in inputs], output, **options)
        return Symbol(self, output, dtype)

    def operator(self, sign: str, one: Symbol, other: Symbol, dtype: np.dtype) -> Symbol:
        division = "DIV" if dtype == REAL else "FLOOR_DIV"
        return self.add(OPERATORS.get(sign, division), one, other, dtype=dtype)

    def place_of(self, values: np.ndarray) -> int:
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.network.buffers.append(buffer)
        return self.tensor(self.kinds[values.dtype], list(values.shape), len(self.network.buffers) - 1)

    def sides(self, pixels: Symbol) -> tuple[Symbol, Symbol]:
        shape = self.add("SHAPE", pixels, dtype=WHOLE, outType=self.kinds[WHOLE])
        one = self.whole(1)
        high, wide = (
            self.add("STRIDED_SLICE", shape, self.whole(axis), self.whole(axis + 1), one, dtype=WHOLE, beginMask=0)
            for axis in (1, 2)
        )
        return high, wide

    def whole(self, *values: int) -> Symbol:
        return self.constant(np.array(values, WHOLE))

    def count(self, end: Symbol, most: int) -> Symbol:
        return self.whole(*range(most))

    def column(self, vector: Symbol, ones: int = 1) -> Symbol:
        return self.add("RESHAPE", vector, self.whole(-1, *[1] * ones), dtype=vector.dtype)

    def real(self, tensor: Symbol) -> Symbol:
        return self.add("CAST", tensor, dtype=REAL)

    def index(self, tensor: Symbol) -> Symbol:
        return self.add("CAST", tensor, dtype=WHOLE)

    def take(self, images: Symbol, rows: Symbol) -> Symbol:
        return self.add("GATHER", images, rows, dtype=images.dtype, axis=1)

    def turned(self, images: Symbol) -> Symbol:
        return self.add("TRANSPOSE", images, self.whole(0, 2, 3, 1), dtype=images.dtype)

    def upright(self, images: Symbol) -> Symbol:
        return self.add("TRANSPOSE", images, self.whole(0, 3, 1, 2), dtype=images.dtype)

    def summed(self, images: Symbol, rows: Rows) -> Symbol:
        within = rows.extent - 1
        first, last = rows.start + self.least(rows.first, within), self.least(rows.last, within)
        end = rows.end + self.real(self.least(rows.last - last, self.whole(1)))  # behind the last row there is none
        last = rows.start + last
        if images.dtype == REAL:  # totals of whole numbers alone are exact
            whole = self.floor(images)
            rest = self._between(self.round((images - whole) * float(PARTS)), first, last) * (1 / PARTS)
            between = self._between(whole, first, last) + rest
        else:
            between = self._between(images, first, last)
        more = self.real(self.take(images, last)) * self.column(end, 2)
        return between + more - self.real(self.take(images, first)) * self.column(rows.begin, 2)

    def _between(self, images: Symbol, first: Symbol, last: Symbol) -> Symbol:
        """The sums of whole numbers from `first` to before `last`."""
        axis = self.constant(np.array(1, WHOLE))
        totals = self.add("CUMSUM", self.index(images), axis, dtype=WHOLE, exclusive=True)
        return self.real(self.take(totals, last) - self.take(totals, first))

    def least(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("MINIMUM", one, other, dtype=one.dtype)

    def greatest(self, one: Symbol, other: Symbol) -> Symbol:
        return self.add("MAXIMUM", one, other, dtype=one.dtype)

    def maximum(self, vector: Symbol) -> Symbol:
        return self.add("REDUCE_MAX", vector, self.whole(0), dtype=vector.dtype, keepDims=True)

    def floor(self, tensor: Symbol) -> Symbol:
        return self.add("FLOOR", tensor, dtype=REAL)

    def round(self, tensor: Symbol) -> Symbol:
        return self.add("ROUND", tensor, dtype=REAL)

    def where(self, condition: Symbol, one: Symbol, other: Symbol) -> Symbol:
        return self.add("SELECT_V2", condition, one, other, dtype=one.dtype)
