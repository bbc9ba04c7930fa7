"""Rows: features, one row for each image, which may be on disk; slices and selections of them are arrays."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Float32, Int
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

    @property
    def stored_order(self) -> np.ndarray:
        return self.features.stored_order


def stored_order(rows: Rows) -> Int[np.ndarray, " n"]:
    """The rows in the order in which they are read fastest: that of the files that they are in, if they are in some."""
    return rows.stored_order if isinstance(rows, (Features, Joined)) else np.arange(len(rows))


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


def pieces(views: Sequence[Rows]) -> Iterator[tuple[slice, np.ndarray]]:
    """All rows of all views, PIECE at a time, each with their place in their view."""
    for view in views:
        for start in range(0, len(view), PIECE):
            place = slice(start, start + PIECE)
            yield place, view[place]


def row_by_row(rows: Rows, function: Callable[[np.ndarray], np.ndarray]) -> Float32[np.ndarray, "n numbers"]:
    """A function of pieces of rows -> its values for all of them; they are read in the order in which that is fastest.

    function: float32 (m, numbers) for m rows; called at least once.
    """
    order = stored_order(rows)
    found = function(rows[:0])
    found = np.empty((len(rows), *found.shape[1:]), np.float32)
    for place, piece in pieces([Chosen(rows, order)]):
        found[order[place]] = function(piece)
    return found
