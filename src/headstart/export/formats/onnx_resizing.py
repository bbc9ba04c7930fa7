"""An ONNX network that takes squares -> one that takes photos of any height and width, and resizes them itself."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

import numpy as np

from headstart.export.resizing import squared

PIXELS, SQUARE = "pixels", "resizing/square"
OPSET = 15  # the least that has all of this
REAL, WHOLE, TRUTH = np.dtype(np.float32), np.dtype(np.int64), np.dtype(bool)


def resize_inside(graph: Any, *, size: int, resizing: str) -> None:
    """Put the resizing in front of a network whose only input is `pixels` (n, size, size, 3), in place.

    resizing: name of a row of RESIZINGS.
    """
    from onnx import helper

    (pixels,) = graph.graph.input
    kind = pixels.type.tensor_type.elem_type
    front = _Front()
    photos = _Tensor(front, PIXELS, helper.tensor_dtype_to_np_dtype(kind))
    square = squared(photos, front, size=size, resizing=resizing)
    front.nodes.append(helper.make_node("Cast", [square.name], [SQUARE], to=kind))
    for node in graph.graph.node:
        node.input[:] = [SQUARE if name == PIXELS else name for name in node.input]
    behind = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend([*front.nodes, *behind])
    graph.graph.initializer.extend(front.constants.values())
    pixels.CopyFrom(helper.make_tensor_value_info(PIXELS, kind, ["n", "height", "width", 3]))


def resizing_as_onnx(pixels: str, *, size: int, resizing: str) -> bytes:
    """The resizing alone, as an ONNX file: `pixels` (n, height, width, 3) of this type -> (n, size, size, 3)."""
    import onnx
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(pixels))
    nodes = [helper.make_node("Identity", [PIXELS], ["square"])]
    ends = [helper.make_tensor_value_info(name, kind, ["n", size, size, 3]) for name in (PIXELS, "square")]
    graph = helper.make_model(
        helper.make_graph(nodes, "resizing", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", OPSET)]
    )
    resize_inside(graph, size=size, resizing=resizing)
    onnx.checker.check_model(graph, full_check=True)
    return graph.SerializeToString()


class _Tensor:
    """A value in a graph. Its operators add nodes; a number beside it is a constant of its own type."""

    def __init__(self, front: _Front, name: str, dtype: np.dtype) -> None:
        self.front, self.name, self.dtype = front, name, dtype

    def _node(self, kind: str, other: _Tensor | float, *, swapped: bool = False, dtype: np.dtype | None = None):
        if not isinstance(other, _Tensor):
            other = self.front.constant(np.array([other], self.dtype))
        inputs = (other, self) if swapped else (self, other)
        return self.front.add(kind, *inputs, dtype=dtype or self.dtype)

    __add__ = partialmethod(_node, "Add")
    __sub__ = partialmethod(_node, "Sub")
    __mul__ = partialmethod(_node, "Mul")
    __truediv__ = __floordiv__ = partialmethod(_node, "Div")  # of whole numbers, which are not negative where divided
    __rsub__ = partialmethod(_node, "Sub", swapped=True)
    __rtruediv__ = partialmethod(_node, "Div", swapped=True)
    __gt__ = partialmethod(_node, "Greater", dtype=TRUTH)
    __ge__ = partialmethod(_node, "GreaterOrEqual", dtype=TRUTH)
    __lt__ = partialmethod(_node, "Less", dtype=TRUTH)


class _Front:
    """`Operations` of ONNX, which collect their nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[bytes, Any] = {}

    def add(self, kind: str, *inputs: _Tensor, dtype: np.dtype, **attributes: Any) -> _Tensor:
        """One more node. dtype: of what it gives."""
        from onnx import helper

        name = f"resizing/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, [each.name for each in inputs], [name], **attributes))
        return _Tensor(self, name, dtype)

    def constant(self, values: np.ndarray) -> _Tensor:
        from onnx import numpy_helper

        key = values.dtype.str.encode() + str(values.shape).encode() + values.tobytes()
        name = f"resizing/constant_{len(self.constants)}"
        stored = self.constants.setdefault(key, numpy_helper.from_array(values, name))
        return _Tensor(self, stored.name, values.dtype)

    def sides(self, pixels: _Tensor) -> tuple[_Tensor, _Tensor]:
        high, wide = (self.add("Shape", pixels, dtype=WHOLE, start=axis, end=axis + 1) for axis in (1, 2))
        return high, wide

    def whole(self, *values: int) -> _Tensor:
        return self.constant(np.array(values, WHOLE))

    def count(self, end: _Tensor) -> _Tensor:
        zero, one = (self.constant(np.array(value, WHOLE)) for value in (0, 1))
        return self.add("Range", zero, self.add("Squeeze", end, dtype=WHOLE), one, dtype=WHOLE)

    def column(self, vector: _Tensor, ones: int = 1) -> _Tensor:
        return self.add("Unsqueeze", vector, self.whole(*range(1, 1 + ones)), dtype=vector.dtype)

    def real(self, tensor: _Tensor) -> _Tensor:
        from onnx import TensorProto

        return self.add("Cast", tensor, dtype=REAL, to=TensorProto.FLOAT)

    def index(self, tensor: _Tensor) -> _Tensor:
        from onnx import TensorProto

        return self.add("Cast", tensor, dtype=WHOLE, to=TensorProto.INT64)

    def take(self, images: _Tensor, rows: _Tensor) -> _Tensor:
        return self.add("Gather", images, rows, dtype=images.dtype, axis=1)

    def weighted(self, taps: _Tensor, weights: _Tensor) -> _Tensor:
        flat = self.add("Reshape", taps, self.whole(0, 0, 0, -1), dtype=REAL)  # 0: as it was
        weights = self.add("Unsqueeze", weights, self.whole(1), dtype=REAL)
        return self.add("Reshape", self.add("MatMul", weights, flat, dtype=REAL), self.whole(0, 0, -1, 3), dtype=REAL)

    def turned(self, images: _Tensor) -> _Tensor:
        return self.add("Transpose", images, dtype=images.dtype, perm=[0, 2, 1, 3])

    def least(self, one: _Tensor, other: _Tensor) -> _Tensor:
        return self.add("Min", one, other, dtype=one.dtype)

    def greatest(self, one: _Tensor, other: _Tensor) -> _Tensor:
        return self.add("Max", one, other, dtype=one.dtype)

    def floor(self, tensor: _Tensor) -> _Tensor:
        return self.add("Floor", tensor, dtype=REAL)

    def round(self, tensor: _Tensor) -> _Tensor:
        return self.add("Round", tensor, dtype=REAL)

    def where(self, condition: _Tensor, one: _Tensor, other: _Tensor) -> _Tensor:
        return self.add("Where", condition, one, other, dtype=one.dtype)

    def maximum(self, vector: _Tensor) -> _Tensor:
        return self.add("ReduceMax", vector, dtype=vector.dtype, keepdims=1)
