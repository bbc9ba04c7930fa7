"""Rows: features, one row for each image, which may be on disk; slices and selections of them are arrays."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from headstart.array_types import Int
from headstart.features.store import Features


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
        self._features = features

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, rows: Any, /) -> np.ndarray:
        return self._features.side_by_side(np.arange(len(self))[rows])

    @property
    def stored_order(self) -> np.ndarray:
        return self._features.stored_order


def stored_order(rows: Rows) -> Int[np.ndarray, " n"]:
    """The rows in the order in which they are read fastest: that of the files that they are in, if they are in some."""
    return rows.stored_order if isinstance(rows, (Features, Joined)) else np.arange(len(rows))


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
