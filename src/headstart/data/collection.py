"""What was read of a listing, and the user's corrections -> Collection: images with the labels that count.

Opens no image; reads the journal of corrections, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np

from headstart.array_types import Int
from headstart.data.corrections import EXCLUDED, NOTHING, Journal, LabelState
from headstart.data.dataset import Split, Unreadable
from headstart.data.folder import Listing
from headstart.data.items import Item, column, paths_of, shared_classes
from headstart.data.label_sets import all_classes, with_targets
from headstart.data.label_state import NO_LABEL, LabelSummary, differing, state_id
from headstart.data.packed import chosen, packed_digests
from headstart.data.shares import as_array
from headstart.data.splits import TRAIN
from headstart.data.targets import Targets
from headstart.data.value_range import ValueRange, range_of, remarks_on_values
from headstart.storage.url_path import Location


@dataclass(frozen=True, slots=True)
class Read:
    """A file that can be used. digest: SHA-256 of its bytes, hexadecimal. highest: its highest value if it has 16 bits
    a value, else 0."""

    item: Item
    digest: str
    highest: int


@dataclass(frozen=True, eq=False)
class Reads(Sequence[Read]):
    """Files that can be used, in their order; of each what `Read` says."""

    items: Sequence[Item]
    digests: Sequence[str]
    highest: Sequence[int]

    def __len__(self) -> int:
        return len(self.digests)

    @overload
    def __getitem__(self, index: int) -> Read: ...
    @overload
    def __getitem__(self, index: slice) -> Reads: ...
    def __getitem__(self, index: int | slice) -> Read | Reads:
        if isinstance(index, slice):
            return Reads(self.items[index], self.digests[index], self.highest[index])
        return Read(self.items[index], self.digests[index], int(self.highest[index]))

    def __iter__(self) -> Iterator[Read]:
        return map(Read, self.items, self.digests, map(int, self.highest))


@dataclass(frozen=True, eq=False)
class Collection:
    """A listing whose files were read: the readable ones that have a label, and what is wrong with the others.

    excluded: readable images that the user has left out; they take part in the draw of splits, so that the others keep
        theirs. labels: with which corrections. confirmed: digests of those whose labels the user has confirmed.
    """

    listing: Listing
    items: Sequence[Item]  # sorted by name
    digests: Sequence[str]  # SHA-256 of the items' bytes, hexadecimal
    unreadable: tuple[Unreadable, ...]
    highest: Sequence[int]  # value of each item with 16 bits a value; 0 for the others
    excluded: list[Read] = field(default_factory=list)
    labels: LabelSummary = field(default_factory=LabelSummary)
    confirmed: frozenset[str] = frozenset()

    @property
    def groups(self) -> tuple[str, ...]:
        """Of the items; empty where the collection names none."""
        return groups_of(self.items)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and by which labels it counts, in sentences."""
        return (*self.listing.notes, *self.labels.notes)

    def images(self) -> Split:
        """All readable images that have a label, in the order of `items`."""
        labels = class_names_of(self.items)
        images = split_of(self.items, self.digests, labels)
        return with_targets(images, all_classes(labels)) if self.listing.multi_label else images

    def images_to_split(self) -> Split:
        """The same, then the excluded ones, whose labels say nothing. There is at least one that is not."""
        if not self.excluded:
            return self.images()
        first = self.items[0].label
        items = [*self.items, *(replace(each.item, label=first, shares=None) for each in self.excluded)]
        digests = [*self.digests, *(each.digest for each in self.excluded)]
        return split_of(items, digests, class_names_of(items))

    def only(self, rows: Int[np.ndarray, " m"]) -> Collection:
        """Some of the items, in their order."""
        if len(rows) == len(self.items):
            return self
        items, digests, highest = (chosen(each, rows) for each in (self.items, self.digests, self.highest))
        return replace(self, items=items, digests=digests, highest=highest)

    @property
    def value_range(self) -> ValueRange:
        """What is black and white in those of its images that have 16 bits a value."""
        return range_of([each for each in self.highest if each])

    @property
    def remarks_on_values(self) -> list[str]:
        """See `value_range.remarks_on_values`."""
        deep = [(each, self.items[index].label) for index, each in enumerate(self.highest) if each]
        return remarks_on_values([each for each, _ in deep], [label for _, label in deep])


def corrected(
    listing: Listing, found: Sequence[Read], unreadable: Sequence[Unreadable], journal: Journal | None = None
) -> Collection:
    """The collection, with the labels that the user has corrected.

    found: of `listing.items` and `listing.unlabelled`. journal: by default that of the listing, if there is one.

    Raises:
        DatasetError: the corrections cannot be read.
    """
    if journal is None and listing.corrections:
        journal = Journal(listing.corrections)
    if journal is None and isinstance(found, Reads) and not listing.unlabelled:
        return Collection(listing, found.items, found.digests, tuple(unreadable), found.highest)
    state = journal.state() if journal else NOTHING
    all_read = [_with_label(each, state.labels, listing) for each in found]
    used = sorted((each for each in all_read if each.item.label), key=lambda each: each.item.name)
    excluded = [each for each in all_read if not each.item.label and state.labels.get(each.digest, "") is EXCLUDED]
    return Collection(
        listing,
        [each.item for each in used],
        [each.digest for each in used],
        tuple(unreadable),
        [each.highest for each in used],
        excluded,
        _summary(state, found, all_read, journal),
        state.confirmed,
    )


def _with_label(read: Read, labels: Mapping[str, str | None], listing: Listing) -> Read:
    """With its label as corrected; NO_LABEL if it is excluded."""
    item = read.item
    label = labels.get(read.digest, item.label) or NO_LABEL
    if label == item.label:
        return read
    split = item.split or (TRAIN if any(each.split for each in listing.items[:1]) else None)
    return replace(read, item=replace(item, label=label, own=item.label, split=split, shares=None))


def _summary(state: LabelState, own: Sequence[Read], now: Sequence[Read], journal: Journal | None) -> LabelSummary:
    pairs = differing(state.labels, [each.digest for each in own], [each.item.label for each in own])
    changes = [(before.item.label, after.item.label) for before, after in zip(own, now, strict=True)]
    excluded = sum(state.labels.get(each.digest, "") is EXCLUDED for each in own)
    return LabelSummary(
        state_id(pairs),
        journal.file.name if journal and state.step else "",
        state.step,
        changed=sum(before != after and before != NO_LABEL != after for before, after in changes),
        labelled=sum(before == NO_LABEL != after for before, after in changes),
        excluded=excluded,
        unlabelled=sum(after == NO_LABEL for _, after in changes) - excluded,
    )


def printable(name: str | Location) -> str:
    """A name in which bytes that are not UTF-8, as on old disks, are written out."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def groups_of(items: Sequence[Item]) -> tuple[str, ...]:
    """The group of each item; none where the collection names none."""
    return tuple(group for group in column(items, "group") if group is not None)


def class_names_of(items: Sequence[Item]) -> tuple[str, ...]:
    """All classes that have a photo, or a share of one, in the order of their names."""
    return tuple(sorted(shared_classes(items).union(column(items, "label"))))


def split_of(items: Sequence[Item], digests: Sequence[str], class_names: tuple[str, ...]) -> Split:
    number = {name: index for index, name in enumerate(class_names)}
    labels = np.fromiter((number[label] for label in column(items, "label")), np.int32, len(items))
    is_soft = any(column(items, "shares"))
    return Split(
        groups=groups_of(items),
        paths=paths_of(items),
        labels=labels,
        digests=packed_digests(digests),
        class_names=class_names,
        given_targets=Targets(as_array(column(items, "shares"), labels, number)) if is_soft else None,
    )
