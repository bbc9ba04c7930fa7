"""Features of images -> how far they are from each other, and the pairs that are closest together. Knows no images,
nor what the features mean. How alike two rows are is the cosine between them.

Nothing as large as all pairs is ever in memory: a block of rows meets a block of rows, and each image keeps its closest
few. Past `EXACT` rows, where that takes minutes, an index names the rows that are probably closest
(`neighbour_index.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.features.rows import Rows

EXACT = 20_000  # rows: all with all takes up to 10 s; from here on, it grows with the square

LEAST = 0.85  # cosine: resized, mirrored and slightly cropped copies were above it, but for 1 in 90
NEIGHBOURS = 10  # of an image at most: copies of copies are found through each other
# Multiplications of a product up to which OpenBLAS works in one thread. Those of a larger one wait for the next one,
# busily, for some 25 ms, on cores that a network wants: 82 images/s were answered in place of 120 (benchmarks/LOG.md).
ALONE = 2**18
LEAST_PIECE = 10  # rows: with smaller ones, the product takes longer than the threads would
PIECE = 4_096  # other rows that `nearest` looks at together
BLOCK = 4_096  # rows: 21 MB of 1,280 features, and 67 MB of products
PAIRS = 8_192  # whose cosines are computed together: 84 MB of 1,280 features
MORE = 6  # rows that the index is asked for besides, as its order is that of fewer numbers


@dataclass(frozen=True, eq=False)
class Close:
    """The closest pairs, the closest first.

    pairs: int64 (m, 2), indices of rows, the smaller first; similarities: float32 (m,), cosines. is_exact: whether none
    is missing.
    """

    pairs: np.ndarray
    similarities: np.ndarray
    is_exact: bool = True


def closest_pairs(features: Rows) -> Close:
    """The pairs with a cosine of at least LEAST, of each image those with its closest NEIGHBOURS; of more than EXACT
    images, nearly all of them."""
    if len(features) > EXACT:
        return probably_closest_pairs(features)
    count = len(features)
    near = np.full((count, NEIGHBOURS), -1, dtype=np.int64)
    cosines = np.full((count, NEIGHBOURS), LEAST, dtype=np.float32)
    for start, block in _blocks(features, 0):
        for below, other in _blocks(features, start):
            product = block @ other.T
            if below == start:
                np.fill_diagonal(product, -1)
            else:
                _keep_closest(near, cosines, below, start, product.T)
            _keep_closest(near, cosines, start, below, product)
    first, place = np.nonzero(near >= 0)
    return _close(np.stack([first, near[first, place]], axis=1), cosines[first, place], count, is_exact=True)


def probably_closest_pairs(features: Rows) -> Close:
    """The same by an index: no pair that is not one, but one in a hundred may be missing."""
    from headstart.features.neighbour_index import NeighbourIndex

    found, start = [], 0
    for rows, squares in NeighbourIndex(Directed(features)).nearest(NEIGHBOURS + 1 + MORE):
        first = np.repeat(np.arange(start, start + len(rows)), rows.shape[1])
        start += len(rows)
        promising = (squares.ravel() <= 2 * (1 - LEAST)) & (rows.ravel() != first)
        found.append(_closest_of(features, np.stack([first[promising], rows.ravel()[promising]], axis=1)))
    pairs, cosines = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _close(pairs, cosines, len(features), is_exact=False)


def _closest_of(features: Rows, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs (row, other), int64 (m, 2), those with a cosine of at least LEAST, of each row its closest NEIGHBOURS;
    and the cosines."""
    cosines = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), PAIRS):
        some, place = np.unique(pairs[start : start + PAIRS], return_inverse=True)
        ways = directions(features[some])
        first, second = place.reshape(-1, 2).T
        cosines[start : start + PAIRS] = np.einsum("ij,ij->i", ways[first], ways[second])
    order = np.lexsort((-cosines, pairs[:, 0]))
    pairs, cosines = pairs[order], cosines[order]
    rank = np.arange(len(pairs)) - np.searchsorted(pairs[:, 0], pairs[:, 0])
    kept = (rank < NEIGHBOURS) & (cosines >= LEAST)
    return pairs[kept], cosines[kept]


def _close(pairs: np.ndarray, cosines: np.ndarray, count: int, *, is_exact: bool) -> Close:
    """pairs: (row, other), most of them from both sides."""
    pairs = np.sort(pairs, axis=1)
    _, chosen = np.unique(pairs @ np.array([count, 1]), return_index=True)
    order = np.argsort(-cosines[chosen], kind="stable")
    return Close(pairs[chosen][order], cosines[chosen][order], is_exact)


class Directed:
    """Rows of length 1, without a copy of them all."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        return directions(self._rows[rows])


def directions(features: np.ndarray) -> np.ndarray:
    """float (n, depth) -> float32 (n, depth), each of length 1; 0 where all of its features are."""
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def distances(some: np.ndarray, others: np.ndarray, place: int) -> np.ndarray:
    """Directions (n, depth) and (m, depth) -> float32 (n,), 0 (alike) to 2: 1 minus the cosine to one of the others.

    place: which of them; 0 is the nearest of the others; with too few of them, the furthest.
    """
    cosines = _product(some, others)
    place = min(place, cosines.shape[1] - 1)
    return 1 + np.partition(-cosines, place, axis=1)[:, place]


def nearest(features: np.ndarray, others: Rows, count: int) -> np.ndarray:
    """Which of the others are most similar to each.

    features: float (n, depth); others: (m, depth), read in pieces.

    Returns:
        int64 (n, up to count): rows of others, the one with the most similar direction first.
    """
    wanted = directions(features)
    cosines = np.empty((len(wanted), 0), np.float32)
    rows = np.empty((len(wanted), 0), np.int64)
    for start in range(0, len(others), PIECE):
        piece = wanted @ directions(others[start : start + PIECE]).T
        places = np.broadcast_to(np.arange(start, start + piece.shape[1]), piece.shape)
        cosines, rows = np.concatenate([cosines, piece], axis=1), np.concatenate([rows, places], axis=1)
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        cosines, rows = np.take_along_axis(cosines, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return rows


def _product(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """some @ others.T; of a few rows in pieces that BLAS does not share among threads."""
    piece = ALONE // max(some.size, 1)
    if piece < LEAST_PIECE:
        return some @ others.T
    return np.concatenate([some @ others[start : start + piece].T for start in range(0, len(others), piece)], axis=1)


def _blocks(features: Rows, first: int) -> Iterator[tuple[int, np.ndarray]]:
    """From row `first` on: where a block starts, and its rows, float32 of length 1 (or 0, where all features are)."""
    for start in range(first, len(features), BLOCK):
        yield start, directions(features[start : start + BLOCK])


def _keep_closest(near: np.ndarray, cosines: np.ndarray, start: int, others: int, product: np.ndarray) -> None:
    """Let the rows from `start` on keep their closest, of those so far and those from `others` on.

    near, cosines: (n, NEIGHBOURS), changed; product: float32 (rows, columns), the cosines of these rows and columns.
    """
    rows = np.flatnonzero(product.max(axis=1) > cosines[start : start + len(product)].min(axis=1))
    for some in _pieces(rows):
        found = np.concatenate([cosines[start + some], product[some]], axis=1)
        best = np.argpartition(-found, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        names = np.concatenate(
            [near[start + some], np.broadcast_to(others + np.arange(product.shape[1]), product[some].shape)], axis=1
        )
        cosines[start + some] = np.take_along_axis(found, best, axis=1)
        near[start + some] = np.take_along_axis(names, best, axis=1)


def _pieces(rows: np.ndarray, size: int = 256) -> Sequence[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
