"""Rows: features, one row for each image, which may be on disk; slices and selections of them are arrays."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Float32
from headstart.features.store import Features

PIECE = 4_096  # rows that are looked at together, where all are too many


@runtime_checkable
class Rows(Protocol):
    """Features (n, numbers), of which slices and selections give arrays: one, or what is still on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> np.ndarray: ...


class Chosen:
    """Some of the rows, in an order, without a copy of them."""

    def __init__(self, rows: Rows, indices: np.ndarray) -> None:
        """indices: int (m,)."""
        self._rows, self._indices = rows, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        return self._rows[self._indices[rows]]


class Joined:
    """All tensors of each image side by side, (n, numbers), without a copy of them."""

    def __init__(self, features: Features) -> None:
        """features: their tensors are vectors."""
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        return self.features.side_by_side(np.arange(len(self))[rows])


def stored(rows: Rows) -> Features | None:
    """The features that rows are all of, in the shards that they lie in; None: they are an array, or some of others."""
    return rows if isinstance(rows, Features) else rows.features if isinstance(rows, Joined) else None


def rows_of(features: Features) -> Rows:
    """All that there is of each image, (n, numbers), where all tensors are vectors."""
    return features if len(features.names) == 1 else Joined(features)


class Leading:
    """The first numbers of each row, without a copy of the rows: of features of all depths, those of the last layer."""

    def __init__(self, rows: Rows, count: int) -> None:
        self._rows, self._count = rows, count

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        return self._rows[rows][:, : self._count]


def pieces(views: Sequence[Rows]) -> Iterator[tuple[slice | np.ndarray, np.ndarray]]:
    """All rows of all views, at most PIECE at a time, each with their places in their view.

    Where they lie in files, these are read one after the other, which is fastest, and no piece is of two. So whoever
    has the same files has the same pieces, and what is computed of a piece in 32 bits is rounded alike.
    """
    for view in views:
        for place in _places(view):
            yield place, view[place]


def _places(rows: Rows) -> Iterator[slice | np.ndarray]:
    features = stored(rows)
    if features is None:
        yield from (slice(start, start + PIECE) for start in range(0, len(rows), PIECE))
        return
    for _, indices in features.by_shard():
        yield from (indices[start : start + PIECE] for start in range(0, len(indices), PIECE))


def row_by_row(rows: Rows, function: Callable[[np.ndarray], np.ndarray]) -> Float32[np.ndarray, "n numbers"]:
    """A function of pieces of rows -> its values for all of them.

    function: float32 (m, numbers) for m rows; called at least once.
    """
    found = function(rows[:0])
    found = np.empty((len(rows), *found.shape[1:]), np.float32)
    for place, piece in pieces([rows]):
        found[place] = function(piece)
    return found
