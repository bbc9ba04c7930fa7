"""Many rows of features -> for each, rows that are probably its nearest, by an index: in n log n, not n squared.

Rows are directions, of length 1. They are projected onto their principal components, which turns no distance into a
larger one: what is too far away in the projection is too far away. The index is a graph (HNSW: Malkov and Yashunin,
https://arxiv.org/abs/1603.09320) by voyager. It is built by one thread, from a fixed seed, so that equal rows have
equal neighbours: splits depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import voyager
from scipy.linalg import eigh

from headstart.array_types import Float32, Int64
from headstart.concurrency import cpu_budget
from headstart.features.rows import Rows

COMPONENTS = 96
SAMPLE = 2_000  # rows that the components are found on
LINKS = 16  # of a row in the graph, in each direction
BREADTH = 100  # rows that are looked at, to find a row's place in the graph and its neighbours
BLOCK = 512  # rows that are read together
PIECE = 32  # rows: voyager lets no other thread of Python work while it looks at them, some 10 ms


class NeighbourIndex:
    """Rows of length 1, float32 (n, depth), in a graph of neighbours."""

    def __init__(self, rows: Rows) -> None:
        """rows: n at least 1; read in blocks."""
        some = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:SAMPLE])]
        self._mean = some.mean(axis=0)
        first = max(0, some.shape[1] - COMPONENTS)
        centred = (some - self._mean).astype(np.float64)
        self._components = eigh(centred.T @ centred, subset_by_index=[first, some.shape[1] - 1])[1].astype(np.float32)
        self._index = voyager.Index(
            voyager.Space.Euclidean,
            num_dimensions=self._components.shape[1],
            M=LINKS,
            ef_construction=BREADTH,
            random_seed=0,
            max_elements=len(rows),
        )
        self._rows = rows
        for block in self._blocks():
            for piece in block:
                self._index.add_items(piece, num_threads=1)

    def nearest(self, count: int) -> Iterator[tuple[Int64[np.ndarray, "m count"], Float32[np.ndarray, "m count"]]]:
        """For each row, in blocks: `count` rows that are probably the nearest, itself among them; and the squares of
        their distances in the projection, 0 to 4, which are at most those of the rows themselves."""
        count = min(count, len(self._rows))
        settings = {"k": count, "query_ef": max(BREADTH, count), "num_threads": cpu_budget()}
        for block in self._blocks():
            found, squares = zip(*(self._index.query(piece, **settings) for piece in block), strict=True)
            yield np.concatenate(found).astype(np.int64), np.concatenate(squares)

    def _blocks(self) -> Iterator[list[np.ndarray]]:
        """All rows, projected, in pieces."""
        for start in range(0, len(self._rows), BLOCK):
            projected = (self._rows[start : start + BLOCK] - self._mean) @ self._components
            yield [projected[place : place + PIECE] for place in range(0, len(projected), PIECE)]
