"""Whether `headstart train` would refuse a collection with the labels as they are: its own checks, before it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from headstart.data import trainable
from headstart.data.collection import Read, corrected
from headstart.data.dataset import Unreadable, check_splits
from headstart.data.folder import Item, Listing
from headstart.data.groups import group_names
from headstart.data.splits import SPLITS
from headstart.studio.catalogue import READABLE, UNKNOWN, UNREADABLE
from headstart.studio.columns import NO_LABEL
from headstart.studio.computing import item_of
from headstart.studio.problems import RefusalError

if TYPE_CHECKING:
    from headstart.studio.collection import Collection


def check_trainable(collection: Collection, group_by: object = None) -> None:
    """Nothing is said before all files are read: then the training itself says it.

    Args:
        group_by: a setting of the training, see `group_names`.

    Raises:
        DatasetError: as the training would.
        RefusalError: `group_by` is no text.
    """
    catalogue = collection.catalogue
    states = catalogue.numbers["state"]
    if (states == UNKNOWN).any():
        return
    items = {row: item_of(catalogue.entries[row]) for row in np.flatnonzero(catalogue.is_present).tolist()}
    listing = _listing(collection, items)
    if group_by:
        _check_groups(listing, group_by)
    read = [Read(item, catalogue.digest(row), 0) for row, item in items.items() if states[row] == READABLE]
    unreadable = [
        Unreadable(str(item.path), catalogue.reasons.get(row, ""))
        for row, item in items.items()
        if states[row] == UNREADABLE
    ]
    refused = trainable.refusal(corrected(listing, read, unreadable, collection.journal))
    if refused:
        raise refused
    _check_drawn(collection)


def _listing(collection: Collection, items: Mapping[int, Item]) -> Listing:
    """As the training lists it."""

    def by_name(some: Iterable[Item]) -> tuple[Item, ...]:
        return tuple(sorted(some, key=lambda item: item.name))

    return Listing(
        str(collection.source.path),
        by_name(item for item in items.values() if item.label),
        (),
        collection.catalogue.layout,
        unlabelled=by_name(item for item in items.values() if not item.label),
        corrections=collection.journal.file if collection.labels.step else None,
    )


def _check_groups(listing: Listing, rule: object) -> None:
    if not isinstance(rule, str):
        raise RefusalError("invalid-parameter", f"group_by: {rule!r} is no regular expression.", reason="no-pattern")
    listed = (*listing.items, *listing.unlabelled)
    group_names([item.name for item in listed], [item.label for item in listed], rule, listing.source)


def _check_drawn(collection: Collection) -> None:
    """That no split is empty, once they are drawn."""
    columns = collection.columns
    split, used = collection.analysis.split_for(columns), np.flatnonzero(columns.usable & (columns.label != NO_LABEL))
    if split is not None and (split[used] >= 0).all():
        sizes = np.bincount(split[used], minlength=len(SPLITS)).tolist()
        digests = [collection.catalogue.digest(row) for row in used.tolist()]
        check_splits(dict(zip(SPLITS, sizes, strict=True)), digests)
