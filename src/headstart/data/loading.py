"""A directory, zip or CSV -> Dataset: each file is read once, unreadable ones are set aside, splits are given or drawn.

Changes nothing on disk. Knows no model.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headstart.array_types import Int
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.assignment import assign_splits, indices_to_draw_from, split_notes
from headstart.data.dataset import Dataset, Split, Unreadable
from headstart.data.folder import Item, Listing, list_images
from headstart.data.groups import joined
from headstart.data.images import highest_value, read_image
from headstart.data.readable import known_images, remember
from headstart.data.source import DataSource
from headstart.data.splits import SPLITS, TEST, VALIDATION
from headstart.data.value_range import KnownValues, ValueRange, range_of, remarks_on_values
from headstart.deprecation import renamed_arguments
from headstart.errors import DatasetError, ImageError
from headstart.events import Listener, Message, Task, advancing
from headstart.listeners.console import Console
from headstart.storage.hashing import sha256
from headstart.storage.regular import read_regular

MAX_UNREADABLE = 0.10  # of all files: with more than that, something else is wrong
MAX_SHOWN = 10  # unreadable files that are named one by one
READ_SIZE = 32  # pixels: enough to see whether a file can be decoded
AHEAD = 256  # files that are handed to the threads before their results are needed
STEP = 32  # files between two reports of progress

Groups = Callable[[Split, Int[np.ndarray, " m"]], Sequence[Hashable]]  # (images, indices of those to draw from)


@dataclass(frozen=True, eq=False)
class Collection:
    """A listing whose files were read: the readable ones, and what is wrong with the others."""

    listing: Listing
    items: list[Item]
    digests: list[str]  # SHA-256 of the items' bytes, hexadecimal
    unreadable: tuple[Unreadable, ...]
    highest: list[int]  # value of each item with 16 bits a value; 0 for the others

    @property
    def groups(self) -> tuple[str, ...]:
        """Of the items; empty where the collection names none."""
        return groups_of(self.items)

    def images(self) -> Split:
        """All readable images, in the order of `items`."""
        return _split(self.items, self.digests, tuple(sorted({item.label for item in self.items})))

    @property
    def value_range(self) -> ValueRange:
        """What is black and white in those of its images that have 16 bits a value."""
        return range_of([each for each in self.highest if each])

    @property
    def remarks_on_values(self) -> list[str]:
        """See `value_range.remarks_on_values`."""
        deep = [(each, item.label) for each, item in zip(self.highest, self.items, strict=True) if each]
        return remarks_on_values([each for each, _ in deep], [label for _, label in deep])


@renamed_arguments(progress="listener")
def load_dataset(
    data: str | Path | DataSource,
    *,
    seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    groups: Groups | None = None,
    listener: Listener | None = None,
) -> Dataset:
    """Read a collection of labelled images.

    Args:
        data: a folder of class folders; a folder with train/, validation/ and perhaps test/, each of class folders;
            a zip of either; or a CSV with the columns path,label[,split]. A DataSource says how it is read: the
            names of columns, or which folders are the classes.
        seed: of the splits that headstart draws. Splits that the collection gives are kept.
        validation_fraction: of each class, where there is no validation split. Default: 0.15.
        test_fraction: where there is no test split: of each class (default 0.15), or of the validation images if the
            collection has these (default 0.2, in whole batches of 32, as in the tutorial). 0: no test set.
        groups: tells which images are copies of one photo: gives each image a name, and is told the indices of the
            images whose split is drawn. Images of one name stay together in such a split. Default: files with the same
            bytes. (Which images belong together otherwise, a DataSource says, or a column of a CSV.)
        listener: receives events; by default a console on standard error.

    Raises:
        DatasetError: it cannot be trained on; the message says why and what to do.
        CancelledError: the listener asks the work to stop.
    """
    listener = listener or Console()
    return build_dataset(
        collect(list_images(DataSource.of(data), listener), listener),
        seed=seed,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        groups=groups,
        listener=listener,
    )


@renamed_arguments(progress="listener")
def load_images(
    data: str | Path | DataSource, *, listener: Listener | None = None
) -> tuple[Split, tuple[str | None, ...]]:
    """Labelled images to measure a classifier on: any number of images of any number of classes. No split is drawn.

    Args:
        data: as for `load_dataset`.
        listener: receives events; by default a console on standard error.

    Returns:
        the images, and for each the split that the collection gives it, or None.

    Raises:
        DatasetError: there are no images, or too many cannot be read.
        CancelledError: the listener asks the work to stop.
    """
    collection = read_labelled(DataSource.of(data), listener or Console())
    return collection.images(), tuple(item.split for item in collection.items)


def read_labelled(data: DataSource, listener: Listener) -> Collection:
    """The collection of `load_images`. Raises the same."""
    collection = read_collection(list_images(data, listener), listener)
    _check_unreadable(collection)
    _report_unreadable(collection.unreadable, listener)
    return collection


def collect(listing: Listing, listener: Listener) -> Collection:
    """Read all images of a listing that can be trained on.

    Raises:
        DatasetError: it cannot.
        CancelledError: the listener asks the work to stop.
    """
    _check_listing(listing)
    collection = read_collection(listing, listener)
    _check_readable(collection)
    return collection


def read_collection(listing: Listing, listener: Listener) -> Collection:
    """Read every file, on all cores, and decode those that were never decoded before.

    Raises:
        CancelledError: the listener asks the work to stop.
    """
    items = listing.items
    readable, digests, highest, unreadable = [], [], [], []
    known = known_images()
    with (
        ThreadPoolExecutor(cpu_budget()) as pool,
        advancing(listener, Task.READ, "Reading images", len(items)) as advance,
    ):
        results = prefetch(pool, partial(_look_at, known), items, AHEAD)
        for start in range(0, len(items), STEP):
            step = items[start : start + STEP]
            for item, found in zip(step, results, strict=False):  # the results go on after this step
                if isinstance(found, _Seen):
                    readable.append(item)
                    digests.append(found.digest)
                    highest.append(found.highest)
                else:
                    unreadable.append(Unreadable(printable(item.path), found))
            advance(len(step))
    seen = zip(map(bytes.fromhex, digests), highest, strict=True)
    remember({digest: value for digest, value in seen if digest not in known})
    return Collection(listing, readable, digests, tuple(unreadable), highest)


def build_dataset(
    collection: Collection,
    *,
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None,
    groups: Groups | None,
    listener: Listener,
) -> Dataset:
    """Give each image its split, see `load_dataset`."""
    fractions = validation_fraction, test_fraction
    source, digests = collection.listing.source, collection.digests
    to_draw_from = np.array(indices_to_draw_from(collection.items), np.int64)
    group_of = groups(collection.images(), to_draw_from) if groups else digests
    given = collection.groups
    sides = joined(group_of, given) if given else group_of
    items = assign_splits(collection.items, sides, seed, *fractions, source)
    is_drawn = items != collection.items
    if not any(item.split == VALIDATION for item in items):  # all are copies of one photo: better a leak than no split
        items = assign_splits(collection.items, given or digests, seed, *fractions, source)
        is_drawn = False
    notes = (
        *collection.listing.notes,
        *_note_on_groups(given),
        *split_notes(items, digests, group_of, given),
        *collection.remarks_on_values,
    )
    class_names = tuple(sorted({item.label for item in items}))
    images = replace(_split(items, digests, class_names), copies=tuple(group_of))
    parts = [images.take([index for index, item in enumerate(items) if item.split == name]) for name in SPLITS]

    listener.emit(Message(f"Found {len(items):,} files belonging to {len(class_names)} classes."))
    sizes = [count for count in Counter(group_of).values() if count > 1]
    if sizes and is_drawn:
        found = f"{len(sizes):,} groups of copies, {sum(sizes):,} images in all"
        listener.emit(Message(f"{found}: each group is kept on one side of the splits."))
    _report_unreadable(collection.unreadable[:MAX_SHOWN], listener)
    for note in notes:
        listener.emit(Message(f"Note: {note}."))
    return Dataset(
        class_names,
        *parts,
        unreadable=collection.unreadable,
        notes=notes,
        value_range=collection.value_range,
        known_values=KnownValues.of(collection.highest),
    )


def _note_on_groups(groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    return [
        f"the images come in {len(set(groups)):,} groups that belong together: where splits are drawn, each is kept on "
        f"one side, and 95% intervals count groups, not images"
    ]


def refusal(collection: Collection) -> str | None:
    """Why `load_dataset` would refuse a collection, in sentences; None if it would not."""
    try:
        _check_listing(collection.listing)
        _check_readable(collection)
        assign_splits(collection.items, collection.digests, 0, None, None, collection.listing.source)
    except DatasetError as error:
        return str(error)
    return None


def printable(name: str | Path) -> str:
    """A name in which bytes that are not UTF-8, as on old disks, are written out."""
    return str(name).encode("utf-8", "backslashreplace").decode()


class _Seen(NamedTuple):
    """A file that can be used. digest: hexadecimal. highest: its highest value if it has 16 bits a value, else 0."""

    digest: str
    highest: int


def _look_at(known: Mapping[bytes, int], item: Item) -> _Seen | str:
    """What is kept of a file, or the reason why it cannot be used. known: what need not be decoded, by digest."""
    if printable(item.path) != str(item.path) or printable(item.label) != item.label:
        return "has a name that is not Unicode text; rename it"
    try:
        data = read_regular(item.path)
        digest = sha256(data)
        highest = known.get(bytes.fromhex(digest))
        if highest is None:
            read_image(data, READ_SIZE)
            highest = highest_value(data) or 0
    except OSError as error:
        return f"cannot be opened: {error.strerror or error}"
    except ImageError as error:
        return str(error)
    return _Seen(digest, highest)


def _check_listing(listing: Listing) -> None:
    if all(item.split in (VALIDATION, TEST) for item in listing.items):
        raise DatasetError(f"'{listing.source}' has split folders, but no images in 'train'. Add them, to train on.")
    _check_classes({item.label for item in listing.items}, listing.source)


def _check_classes(names: set[str], source: str) -> None:
    if len(names) < 2:
        found = f"one class, '{next(iter(names))}'" if names else "no class"
        raise DatasetError(
            f"'{source}' holds {found}; a classifier needs at least two. "
            f"Add a folder of images of something else (such as 'other')."
        )
    for _, same in groupby(sorted(names, key=lambda name: (_folded(name), name)), key=_folded):
        twins = list(same)
        if len(twins) > 1:
            raise DatasetError(
                f"'{source}' holds the classes {' and '.join(map(repr, twins))}, which differ only in upper and lower "
                f"case, or in spaces. Give them one name if they are one class, or clearly different names."
            )


def _folded(name: str) -> str:
    """Without what a reader does not see: case, spaces around, invisible characters."""
    return " ".join("".join(sign for sign in name if sign.isprintable() or sign.isspace()).lower().split())


def _check_readable(collection: Collection) -> None:
    if collection.items:
        _check_no_class_lost(collection)  # first: it names the class
    _check_unreadable(collection)


def _check_unreadable(collection: Collection) -> None:
    count, total = len(collection.unreadable), len(collection.unreadable) + len(collection.items)
    if count > MAX_UNREADABLE * total:
        first = "\n  ".join(f"'{file.path}' {file.reason}" for file in collection.unreadable[:5])
        raise DatasetError(
            f"{count} of {total} files in '{collection.listing.source}' cannot be read, more than "
            f"{MAX_UNREADABLE:.0%}. Repair or remove them:\n  {first}" + ("\n  ..." if count > 5 else "")
        )


def _check_no_class_lost(collection: Collection) -> None:
    """No class may vanish because none of its files can be read."""
    counts = Counter(item.label for item in collection.listing.items)
    reasons = {file.path: file.reason for file in collection.unreadable}
    for label in sorted(counts.keys() - {item.label for item in collection.items}):
        first = next(printable(item.path) for item in collection.listing.items if item.label == label)
        raise DatasetError(
            f"None of the {counts[label]} files of the class '{label}' in '{collection.listing.source}' can be read. "
            f"Repair or convert them, or remove the class:\n  '{first}' {reasons[first]}"
        )


def _report_unreadable(files: Sequence[Unreadable], listener: Listener) -> None:
    for file in files:
        listener.emit(Message(f"Left out: '{file.path}' {file.reason}."))


def groups_of(items: Sequence[Item]) -> tuple[str, ...]:
    """The group of each item; none where the collection names none."""
    return tuple(item.group for item in items if item.group is not None)


def _split(items: Sequence[Item], digests: Sequence[str], class_names: tuple[str, ...]) -> Split:
    number = {name: index for index, name in enumerate(class_names)}
    return Split(
        groups=groups_of(items),
        paths=tuple(str(item.path.absolute()) for item in items),
        labels=np.array([number[item.label] for item in items], dtype=np.int32),
        digests=tuple(digests),
        class_names=class_names,
    )
