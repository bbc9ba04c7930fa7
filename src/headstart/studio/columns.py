"""Columns: what is known of all photos of a collection, one array for each fact, made anew when something changes.

Knows no HTTP. Ids are rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from headstart.array_types import Bool, Int
from headstart.data.splits import OTHER, SPLITS
from headstart.studio.catalogue import GONE, UNREADABLE, Catalogue

NO_LABEL = -1
EXCLUDED = None  # in place of a label


@dataclass(frozen=True, eq=False)
class Listed:
    """What the listing of a collection says of its photos. classes: names, sorted; own: into these, or NO_LABEL.
    split: into SPLITS; -1 where the collection gives none. order: the rank of each photo's name."""

    names: Sequence[str]
    classes: tuple[str, ...]
    own: Int[np.ndarray, " n"]
    split: Int[np.ndarray, " n"]

    @classmethod
    def of(cls, catalogue: Catalogue) -> Listed:
        labels = [entry.label for entry in catalogue.entries]
        classes = tuple(sorted({name for name in labels if name}))
        index = {name: number for number, name in enumerate(classes)}
        splits = {name: number for number, name in enumerate(SPLITS)}
        return cls(
            [entry.name for entry in catalogue.entries],
            classes,
            np.array([index.get(name or "", NO_LABEL) for name in labels], np.int32),
            np.array([splits.get(entry.split or "", -1) for entry in catalogue.entries], np.int8),
        )

    @cached_property
    def order(self) -> Int[np.ndarray, " n"]:
        order = sorted(range(len(self.names)), key=lambda row: self.names[row])
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks


@dataclass(frozen=True, eq=False)
class Columns:
    """classes: names, sorted. own, label: into these, as the collection says and as corrected; NO_LABEL. split: into
    SPLITS; -1. excluded: taken out by the user. made: classes that may have no photo yet."""

    listed: Listed
    classes: tuple[str, ...]
    own: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    split: Int[np.ndarray, " n"]
    excluded: Bool[np.ndarray, " n"]
    unreadable: Bool[np.ndarray, " n"]
    gone: Bool[np.ndarray, " n"]
    size: Int[np.ndarray, " n"]
    made: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        listed: Listed,
        split: Int[np.ndarray, " n"],
        corrected: Mapping[int, str | None] = MappingProxyType({}),
        made: frozenset[str] = frozenset(),
    ) -> Columns:
        """corrected: row -> label, or EXCLUDED. made: classes that were made, and may have no photo."""
        used = {name for name in corrected.values() if name is not None}  # None: EXCLUDED
        classes = tuple(sorted({*listed.classes, *made, *used}))
        index = {name: number for number, name in enumerate(classes)}
        of_listed = np.array([*(index[name] for name in listed.classes), NO_LABEL], np.int32)
        own = of_listed[listed.own]
        label, excluded = own.copy(), np.zeros(len(own), bool)
        for row, name in corrected.items():
            if name is None:  # EXCLUDED
                excluded[row] = True
            else:
                label[row] = index[name]
        state = catalogue.numbers["state"]
        return cls(
            listed,
            classes,
            own,
            label,
            split,
            excluded,
            state == UNREADABLE,
            state == GONE,
            catalogue.numbers["bytes"],
            made,
        )

    @property
    def names(self) -> Sequence[str]:
        return self.listed.names

    @property
    def name_order(self) -> Int[np.ndarray, " n"]:
        return self.listed.order

    def __len__(self) -> int:
        return len(self.own)

    @cached_property
    def present(self) -> Bool[np.ndarray, " n"]:
        return ~self.gone

    @cached_property
    def usable(self) -> Bool[np.ndarray, " n"]:
        return ~(self.gone | self.unreadable | self.excluded)

    @cached_property
    def unlabelled(self) -> Bool[np.ndarray, " n"]:
        return self.usable & (self.label == NO_LABEL)

    @cached_property
    def other(self) -> Bool[np.ndarray, " n"]:
        """Those of none of the classes."""
        return self.label == self.classes.index(OTHER) if OTHER in self.classes else np.zeros(len(self), bool)

    @cached_property
    def changed(self) -> Bool[np.ndarray, " n"]:
        return self.present & ((self.label != self.own) | self.excluded)

    def class_sizes(self) -> list[dict]:
        """As in the contract: name, photos, and how many of them are in each split."""
        used = np.flatnonzero(self.usable & (self.label != NO_LABEL))
        counts = np.zeros((len(self.classes), len(SPLITS) + 1), np.int64)  # the last one: without a split
        np.add.at(counts, (self.label[used], self.split[used]), 1)
        own = {self.listed.classes[number] for number in np.unique(self.listed.own[self.present & (self.own >= 0)])}
        return [
            {
                "name": name,
                "photos": int(row.sum()),
                **dict(zip(SPLITS, row.tolist(), strict=False)),
                "own": name in own,
            }
            for name, row in zip(self.classes, counts, strict=True)
            if row.any() or name in self.made
        ]

    def split_sizes(self) -> dict[str, int]:
        used = self.split[self.usable & (self.label != NO_LABEL)]
        return {name: int((used == place).sum()) for place, name in enumerate(SPLITS)}


def labels_of(columns: Columns) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    """Labels of the photos that can be learned from, and the names of the classes that they are of: OTHER is none."""
    labels = np.where(columns.usable & ~columns.other, columns.label, NO_LABEL)
    used = np.unique(labels[labels != NO_LABEL])
    number = np.full(len(columns.classes) + 1, NO_LABEL)  # the last one for NO_LABEL
    number[used] = np.arange(len(used))
    return number[labels], tuple(columns.classes[each] for each in used)
