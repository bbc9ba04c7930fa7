"""Columns: what is known of all photos of a collection, one array for each fact, made anew when something changes.

Knows no HTTP. Ids are rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headstart.array_types import Bool, Int
from headstart.data.splits import SPLITS
from headstart.studio.catalogue import GONE, UNREADABLE, Catalogue

NO_LABEL = -1
EXCLUDED = None  # in place of a label


@dataclass(frozen=True, eq=False)
class Columns:
    """classes: names, sorted. own, label: into these, as the collection says and as corrected; NO_LABEL. split: into
    SPLITS; -1. excluded: taken out by the user. usable: neither excluded, unreadable nor gone."""

    names: Sequence[str]
    classes: tuple[str, ...]
    own: Int[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    split: Int[np.ndarray, " n"]
    excluded: Bool[np.ndarray, " n"]
    unreadable: Bool[np.ndarray, " n"]
    gone: Bool[np.ndarray, " n"]
    size: Int[np.ndarray, " n"]
    empty_classes: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        corrected: Mapping[int, str | None],
        splits: Sequence[str | None],
        new_classes: Sequence[str] = (),
    ) -> Columns:
        """corrected: row -> label, or EXCLUDED. splits: of each row. new_classes: that have no photo yet."""
        own_names = [entry.label for entry in catalogue.entries]
        used = {*own_names, *corrected.values(), *new_classes} - {None}
        classes = tuple(sorted(name for name in used if name is not None))
        index = {name: number for number, name in enumerate(classes)} | {None: NO_LABEL}
        own = np.array([index[name] for name in own_names], np.int32)
        label, excluded = own.copy(), np.zeros(len(own), bool)
        for row, name in corrected.items():
            label[row], excluded[row] = index[name], name is EXCLUDED
        split_of = {name: number for number, name in enumerate(SPLITS)}
        state = catalogue.numbers["state"]
        return cls(
            [entry.name for entry in catalogue.entries],
            classes,
            own,
            label,
            np.array([split_of.get(name or "", -1) for name in splits], np.int8),
            excluded,
            state == UNREADABLE,
            state == GONE,
            catalogue.numbers["bytes"],
            frozenset(new_classes),
        )

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
    def changed(self) -> Bool[np.ndarray, " n"]:
        return self.present & ((self.label != self.own) | self.excluded)

    @cached_property
    def name_order(self) -> Int[np.ndarray, " n"]:
        """Rank of each photo's name."""
        order = sorted(range(len(self)), key=lambda row: self.names[row])
        ranks = np.empty(len(self), np.int64)
        ranks[order] = np.arange(len(self))
        return ranks

    def class_sizes(self) -> list[dict]:
        """As in the contract: name, photos, and how many of them are in each split."""
        counts = Counter(zip(self.label[self.usable].tolist(), self.split[self.usable].tolist(), strict=True))
        own = {self.classes[number] for number in np.unique(self.own[self.present & (self.own >= 0)])}
        rows = []
        for number, name in enumerate(self.classes):
            of_splits = {split: counts[number, place] for place, split in enumerate(SPLITS)}
            photos = sum(of_splits.values()) + counts[number, -1]
            if photos or name in self.empty_classes or name in own:
                rows.append({"name": name, "photos": photos, **of_splits, "own": name in own})
        return rows

    def split_sizes(self) -> dict[str, int]:
        used = self.split[self.usable & (self.label != NO_LABEL)]
        return {name: int((used == place).sum()) for place, name in enumerate(SPLITS)}
