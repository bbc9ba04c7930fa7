"""Symbol: a value of a graph that is being written, for formats whose values have no operators of their own."""

from __future__ import annotations

from abc import abstractmethod
from functools import partialmethod
from typing import Any

import numpy as np

from headstart.export.resizing import Operations

REAL, TRUTH = np.dtype(np.float32), np.dtype(bool)


class Graph(Operations):
    """Operations that add nodes to a graph."""

    def __init__(self) -> None:
        self._constants: dict[tuple, Symbol] = {}

    def constant(self, values: np.ndarray) -> Symbol:
        """Equal ones are one."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._constants:
            self._constants[key] = Symbol(self, self.place_of(values), values.dtype)
        return self._constants[key]

    @abstractmethod
    def place_of(self, values: np.ndarray) -> Any:
        """How the graph names a new constant."""

    @abstractmethod
    def operator(self, sign: str, one: Symbol, other: Symbol, dtype: np.dtype) -> Symbol:
        """One of + - * / > >= <. dtype: of the result. Whole numbers are divided down."""


class Symbol:
    """Its operators add nodes to its graph; a number beside it is a constant of its own type.

    place: how the graph names it.
    """

    def __init__(self, graph: Graph, place: Any, dtype: np.dtype) -> None:
        self.graph, self.place, self.dtype = graph, place, dtype

    def _with(
        self, sign: str, other: Symbol | float, *, swapped: bool = False, dtype: np.dtype | None = None
    ) -> Symbol:
        if not isinstance(other, Symbol):
            other = self.graph.constant(np.array([other], self.dtype))
        one, other = (other, self) if swapped else (self, other)
        return self.graph.operator(sign, one, other, dtype or self.dtype)

    __add__ = partialmethod(_with, "+")
    __sub__ = partialmethod(_with, "-")
    __mul__ = partialmethod(_with, "*")
    __truediv__ = partialmethod(_with, "/")
    __floordiv__ = partialmethod(_with, "/")
    __rsub__ = partialmethod(_with, "-", swapped=True)
    __rtruediv__ = partialmethod(_with, "/", swapped=True)
    __gt__ = partialmethod(_with, ">", dtype=TRUTH)
    __ge__ = partialmethod(_with, ">=", dtype=TRUTH)
    __lt__ = partialmethod(_with, "<", dtype=TRUTH)
