"""Nodes: appends nodes to a graph of ONNX, where operations are written like functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.array_types import Int64


class Nodes:
    """`new("Add", one, other)` appends a node and gives the name of the sum. Arrays become constants.

    prefix: what the names that it makes begin with.
    """

    def __init__(self, graph: Any, prefix: str) -> None:
        self._graph, self._prefix, self._count = graph, prefix, 0

    def __call__(self, operation: str, *inputs: str | np.ndarray | np.generic, output: str = "", **attributes) -> str:
        from onnx import helper

        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        output = output or self._name()
        unused = [self._name()] if operation == "TopK" else []  # the indices
        self._graph.node.append(helper.make_node(operation, names, [output, *unused], **attributes))
        return output

    def constant(self, values: np.ndarray | np.generic) -> str:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.asarray(values), name := self._name()))
        return name

    def _name(self) -> str:
        self._count += 1
        return f"{self._prefix}_{self._count}"


def whole(*numbers: int) -> Int64[np.ndarray, " k"]:
    """As operations of ONNX take shapes, axes and places."""
    return np.array(numbers, np.int64)
