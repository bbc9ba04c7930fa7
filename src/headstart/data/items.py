"""Item: an image file of a collection, by its name; and Items, millions of them in columns. Opens no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from headstart.data import packed
from headstart.data.packed import Texts, blocks
from headstart.data.shares import Shares
from headstart.storage.url_path import Location, Url

COLUMNS = ("root", "label", "split", "group", "own", "shares")  # with few different values


@dataclass(frozen=True, slots=True)
class Item:
    """An image file of a collection."""

    path: Location
    name: str  # relative to the collection, with forward slashes: the same on every machine
    label: str
    split: str | None  # None: the collection gives none, so it is drawn
    group: str | None = None  # of images that belong together, if the collection names any
    own: str | None = None  # the label that the collection gives, "" for none, where the user has given another one
    shares: Shares | None = None  # where the label is a probability, and other classes have some of it, too

    @property
    def drawn_as(self) -> str:
        """The label by which splits are drawn: the collection's own, so that a photo keeps its split."""
        return self.label if self.own is None else self.own


class Items(Sequence[Item]):
    """Items in columns: some 70 bytes for each, where an object for each takes four times as much.

    paths: as texts. root: of a URL, "" where that is all of it, None of a local path. begins: where in its path the
    name of an item begins, -1: it stands in `names`. stamps: see `Url`.
    """

    def __init__(
        self, paths: Texts, begins: np.ndarray, names: dict[int, str], stamps: np.ndarray, **of: _Codes
    ) -> None:
        self.paths, self._begins, self._names, self._stamps, self._of = paths, begins, names, stamps, of

    @classmethod
    def of(cls, items: Sequence[Item]) -> Items:
        if isinstance(items, cls):
            return items
        begins = np.fromiter((_begin(item) for item in items), np.int32, len(items))
        return cls(
            Texts.of(str(item.path) for item in items),
            begins,
            {index: items[index].name for index in np.flatnonzero(begins < 0).tolist()},
            np.fromiter((item.path.stamp if isinstance(item.path, Url) else 0 for item in items), np.int64, len(items)),
            root=_Codes.of(map(_root, items)),
            **{name: _Codes.of(column(items, name)) for name in COLUMNS[1:]},
        )

    @property
    def are_remote(self) -> bool:
        """Whether all of them are at URLs."""
        return None not in self._of["root"].values

    def take(self, indices: Any) -> Items:
        """Those at `indices`, or in a slice, in that order."""
        rows = np.arange(len(self))[indices]
        names = {}
        if self._names:
            names = {at: self._names[row] for at, row in enumerate(rows.tolist()) if row in self._names}
        of = {name: codes.take(rows) for name, codes in self._of.items()}
        return Items(self.paths.take(rows), self._begins[rows], names, self._stamps[rows], **of)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Items: ...
    def __getitem__(self, index: int | slice) -> Item | Items:
        if isinstance(index, slice):
            return self.take(index)
        begin, stamp = int(self._begins[index]), int(self._stamps[index])
        of = {name: codes[index] for name, codes in self._of.items()}
        return self._item(index % len(self), self.paths[index], begin, stamp, **of)

    def __iter__(self) -> Iterator[Item]:
        for block in blocks(len(self)):
            numbers = range(block.start, len(self))
            columns = [self._begins[block].tolist(), self._stamps[block].tolist()]
            columns += [list(self._of[name][block]) for name in COLUMNS]
            yield from map(self._item, numbers, self.paths[block], *columns)

    def column(self, name: str) -> Iterable[Any]:
        """See `column`."""
        return self._of[name]

    def _item(
        self,
        index: int,
        path: str,
        begin: int,
        stamp: int,
        root: str | None,
        label: str,
        split: str | None,
        group: str | None,
        own: str | None,
        shares: Shares | None,
    ) -> Item:
        name = self._names[index] if begin < 0 else path[begin:]
        if root is None:
            return Item(Path(path), name, label, split, group, own, shares)
        url = Url(root or path, path[len(root) + 1 :] if root else "", stamp=stamp)
        return Item(url, name, label, split, group, own, shares)


class _Codes:
    """A column with few different values. numbers: index of the value of each row."""

    def __init__(self, values: Sequence[Any], numbers: np.ndarray) -> None:
        self.values, self._numbers = values, numbers

    @classmethod
    def of(cls, values: Iterable[Any]) -> _Codes:
        known: dict[Any, int] = {}
        numbers = np.fromiter((known.setdefault(value, len(known)) for value in values), np.int32)
        return cls(tuple(known), numbers.astype(np.min_scalar_type(max(len(known) - 1, 0))))

    def take(self, rows: np.ndarray | slice) -> _Codes:
        return _Codes(self.values, self._numbers[rows])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self.take(index)
        return self.values[self._numbers[index]]

    def __iter__(self) -> Iterator[Any]:
        return (self.values[number] for block in blocks(len(self._numbers)) for number in self._numbers[block].tolist())


def packed_items(items: Sequence[Item]) -> Sequence[Item]:
    """The same items; many of them in columns."""
    return tuple(items) if len(items) < packed.MANY else Items.of(items)


def column(items: Sequence[Item], name: str) -> Iterable[Any]:
    """One attribute of each item, without making all others: label, split, group, own or shares."""
    return items.column(name) if isinstance(items, Items) else (getattr(item, name) for item in items)


def shared_classes(items: Sequence[Item]) -> set[str]:
    """Those that have shares of photos which are not theirs alone."""
    return {name for shares in set(column(items, "shares")) if shares for name, _ in shares}


def drawn_as(items: Sequence[Item]) -> Iterable[str]:
    """See `Item.drawn_as`."""
    pairs = zip(column(items, "label"), column(items, "own"), strict=True)
    return (label if own is None else own for label, own in pairs)


def paths_of(items: Sequence[Item]) -> Sequence[str]:
    """Their whole paths and URLs."""
    if isinstance(items, Items) and items.are_remote:
        return items.paths
    paths = (str(item.path.absolute()) for item in items)
    return Texts.of(paths) if isinstance(items, Items) else tuple(paths)


def _root(item: Item) -> str | None:
    if not isinstance(item.path, Url):
        return None
    return item.path.root if item.path.below else ""


def _begin(item: Item) -> int:
    text = str(item.path)
    return len(text) - len(item.name) if item.name and text.endswith(item.name) else -1
