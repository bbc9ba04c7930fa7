"""Texts and digests of millions of photos in few bytes: sequences that look like tuples of `str`. Reads no file.

What is looked at is made anew, which takes a microsecond. So fewer than MANY photos are kept in tuples.
"""

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Self, overload

import numpy as np

from headstart.array_types import Int64, UInt8

MANY = 1_000_000  # photos, from which on they are kept so: a tuple of digests alone would take 120 bytes for each
BLOCK = 4_096  # rows that are made at a time

Indices = Sequence[int] | np.ndarray
Names = Sequence[Hashable] | np.ndarray  # of what images belong to: equal for those that belong together


class Packed(Sequence[str]):
    """What texts and digests have in common."""

    @abstractmethod
    def take(self, indices: Any) -> Self:
        """Those at `indices`, or in a slice, in that order."""

    @abstractmethod
    def _at(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> str | Self:
        return self.take(index) if isinstance(index, slice) else self._at(index)

    def __iter__(self) -> Iterator[str]:
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as that of a list


class Digests(Packed):
    """SHA-256 digests, hexadecimal where they are looked at. rows: their bytes."""

    def __init__(self, rows: UInt8[np.ndarray, "n 32"]) -> None:
        self.rows = rows

    @classmethod
    def of(cls, digests: Iterable[str]) -> Self:
        if isinstance(digests, cls):
            return digests
        content = bytearray()
        for digest in digests:
            content += bytes.fromhex(digest)
        return cls(np.frombuffer(content, np.uint8).reshape(-1, 32))

    @property
    def keys(self) -> np.ndarray:
        """ "S32" (n,), in the order of the digests."""
        return np.ascontiguousarray(self.rows).view("S32")[:, 0]

    def take(self, indices: Any) -> Self:
        return type(self)(self.rows[indices])

    def _at(self, index: int) -> str:
        return self.rows[index].tobytes().hex()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        for block in blocks(len(self)):
            text = self.rows[block].tobytes().hex()
            yield from (text[at : at + 64] for at in range(0, len(text), 64))


class Texts(Packed):
    """Texts of any length. content: their UTF-8; starts, sizes: in bytes, (n,)."""

    def __init__(self, content: bytes | bytearray, starts: np.ndarray, sizes: np.ndarray) -> None:
        self._content, self._starts, self._sizes = content, starts, sizes

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        content = bytearray()
        sizes = np.fromiter((_added(content, text) for text in texts), np.int32)
        return cls(content, np.cumsum(sizes, dtype=np.int64) - sizes, sizes)

    def take(self, indices: Any) -> Self:
        return type(self)(self._content, self._starts[indices], self._sizes[indices])

    def __iter__(self) -> Iterator[str]:
        content = self._content
        for block in blocks(len(self)):
            for start, size in zip(self._starts[block].tolist(), self._sizes[block].tolist(), strict=True):
                yield content[start : start + size].decode("utf-8", "surrogatepass")

    def _at(self, index: int) -> str:
        start = int(self._starts[index])
        return self._content[start : start + int(self._sizes[index])].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._sizes)


def _added(content: bytearray, text: str) -> int:
    written = text.encode("utf-8", "surrogatepass")  # names of files need not be Unicode
    content += written
    return len(written)


def blocks(count: int) -> Iterator[slice]:
    """All of so many rows, some thousands at a time."""
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))


def packed_digests(digests: Sequence[str]) -> Sequence[str]:
    """The same digests; many of them in few bytes."""
    return tuple(digests) if len(digests) < MANY else Digests.of(digests)


def chosen(values: Any, indices: Indices) -> Any:
    """The values at `indices`: of a packed sequence or an array one of the same kind, else a tuple."""
    if isinstance(values, np.ndarray):
        return values[np.asarray(indices, np.int64)]
    if hasattr(values, "take"):
        return values.take(np.asarray(indices, np.int64))
    return tuple(values[index] for index in indices)


def numbered(values: Names) -> Int64[np.ndarray, " n"]:
    """A number for each value, equal for equal values, from 0 on. Of digests, in their order."""
    if isinstance(values, Digests | np.ndarray):
        keys = values.keys if isinstance(values, Digests) else values
        order = np.argsort(keys, kind="stable")
        in_order = keys[order]
        is_another = np.append(np.zeros(1, bool), in_order[1:] != in_order[:-1])[: len(keys)]
        found = np.empty(len(keys), np.int64)
        found[order] = np.cumsum(is_another)  # as np.unique does, which takes twice the memory
        return found
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
