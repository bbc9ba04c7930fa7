"""A directory, zip or CSV -> Dataset: every file read once, the unreadable put aside, the splits given or drawn.

Nothing on disk is changed.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np

from headstart.concurrency import cpu_budget
from headstart.data.assignment import assign, drawn_from, notes_on
from headstart.data.dataset import Dataset, Split, Unreadable
from headstart.data.folder import Item, Listing, list_images
from headstart.data.images import read_image
from headstart.data.readable import known as known_readable
from headstart.data.readable import remember
from headstart.data.splits import SPLITS, TEST, VALIDATION
from headstart.errors import DatasetError, ImageError
from headstart.events import Listener, Message, Task, advancing
from headstart.listeners.console import Console
from headstart.storage.hashing import sha256

MAX_UNREADABLE = 0.10  # of all files: with more than that, something else is wrong
READ_SIZE = 32  # pixels: reading a file to see whether it can be read needs no more
CHUNK = 1024  # files that are handed to the threads at a time

Groups = Callable[[Split, np.ndarray], Sequence[Hashable]]  # (images, indices of those whose split is drawn)


@dataclass(frozen=True, eq=False)
class Collection:
    """A listing whose files were read: the readable ones, and what is wrong with the rest."""

    listing: Listing
    items: list[Item]
    digests: list[str]  # SHA-256 of the items' bytes, hexadecimal
    unreadable: tuple[Unreadable, ...]

    def images(self) -> Split:
        """All of them, in the order of `items`."""
        return _split(self.items, self.digests, tuple(sorted({item.label for item in self.items})))


def load_dataset(
    data: str | Path,
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
            a zip of either; or a CSV with the columns path,label[,split].
        seed: of the splits that headstart draws. Splits that the collection has are kept.
        validation_fraction: of each class, where there is no validation split. Default: 0.15.
        test_fraction: where there is no test split: of each class (default 0.15), or of the validation images where
            the collection has those (default 0.2, in whole batches of 32, as in the tutorial). 0: no test set.
        groups: gives a name to each of the images, and is told the indices of those whose split is drawn; images with
            the same name are kept on one side of such a split. By default, files with the same bytes.
        listener: where to report to; by default to standard error.

    Raises:
        DatasetError: it cannot be trained on; the message says why and what to do.
    """
    listener = listener or Console()
    return divide(
        collect(data, listener),
        seed=seed,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        groups=groups,
        listener=listener,
    )


def collect(data: str | Path, listener: Listener) -> Collection:
    """Read all images of a collection that can be trained on.

    Raises:
        DatasetError: it cannot.
    """
    listing = list_images(Path(data))
    _check_listing(listing)
    found = read_collection(listing, listener)
    _check_readable(found)
    return found


def divide(
    found: Collection,
    *,
    seed: int,
    validation_fraction: float | None = None,
    test_fraction: float | None,
    groups: Groups | None,
    listener: Listener,
) -> Dataset:
    """Give each image its split, see `load_dataset`."""
    together = groups(found.images(), np.array(drawn_from(found.items))) if groups else found.digests
    items = assign(found.items, together, seed, validation_fraction, test_fraction, found.listing.shown)
    copies = [count for count in Counter(together).values() if count > 1] if items != found.items else []
    if not any(item.split == VALIDATION for item in items):  # all are copies of each other: better such than none
        items = assign(found.items, found.digests, seed, validation_fraction, test_fraction, found.listing.shown)
        copies = []
    notes = [*found.listing.notes, *notes_on(items, found.digests, together)]
    dataset = _build(items, found.digests, together, found.unreadable, tuple(notes))
    listener.emit(Message(f"Found {len(items):,} files belonging to {len(dataset.class_names)} classes."))
    if copies:
        shown = f"{len(copies):,} groups of copies, {sum(copies):,} images in all"
        listener.emit(Message(f"{shown}: each group is kept on one side of the splits."))
    for bad in found.unreadable[:10]:
        listener.emit(Message(f"Left out: '{bad.path}' {bad.reason}."))
    for note in notes:
        listener.emit(Message(f"Note: {note}."))
    return dataset


def load_images(data: str | Path, *, listener: Listener | None = None) -> tuple[Split, tuple[str | None, ...]]:
    """Labelled images to measure a classifier on: any number of them, of any number of classes, and no split drawn.

    Args:
        data: as for `load_dataset`.
        listener: where to report to; by default to standard error.

    Returns:
        the images, and of each the split that the collection itself puts it in, or None.

    Raises:
        DatasetError: there are no images, or too many cannot be read.
    """
    listener = listener or Console()
    found = read_collection(list_images(Path(data)), listener)
    _check_unreadable(found)
    for bad in found.unreadable:
        listener.emit(Message(f"Left out: '{bad.path}' {bad.reason}."))
    return found.images(), tuple(item.split for item in found.items)


def refusal(found: Collection) -> str | None:
    """Why `load_dataset` would refuse a collection, in sentences; None where it would not."""
    try:
        _check_listing(found.listing)
        _check_readable(found)
        assign(found.items, found.digests, 0, None, None, found.listing.shown)
    except DatasetError as error:
        return str(error)
    return None


def _check_listing(listing: Listing) -> None:
    if all(item.split in (VALIDATION, TEST) for item in listing.items):
        raise DatasetError(f"'{listing.shown}' has split folders, but no images in 'train'. Add them, to train on.")
    _check_classes({item.label for item in listing.items}, listing.shown)


def _check_readable(found: Collection) -> None:
    _check_unreadable(found)
    _check_nothing_lost(found)


def _check_classes(names: set[str], shown: str) -> None:
    if len(names) < 2:
        found = f"one class, '{next(iter(names))}'" if names else "no class"
        raise DatasetError(
            f"'{shown}' holds {found}; a classifier needs at least two. "
            f"Add a folder of images of something else (such as 'other')."
        )
    for _, same in groupby(sorted(names, key=lambda name: (name.lower(), name)), key=str.lower):
        twins = list(same)
        if len(twins) > 1:
            raise DatasetError(
                f"'{shown}' holds the classes {' and '.join(map(repr, twins))}, which differ in upper and lower case "
                f"only. Give them one name if they are one class, or clearly different ones."
            )


def read_collection(listing: Listing, listener: Listener) -> Collection:
    """Read every file, on all cores, and decode those that never were."""
    items = listing.items
    readable, digests, unreadable = [], [], []
    known = known_readable()
    with (
        ThreadPoolExecutor(cpu_budget()) as pool,
        advancing(listener, Task.READ, "Reading images", len(items)) as advance,
    ):
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            for item, (digest, reason) in zip(chunk, pool.map(partial(_digest_or_reason, known), chunk), strict=True):
                if reason is None:
                    readable.append(item)
                    digests.append(digest)
                else:
                    unreadable.append(Unreadable(printable(item.path), reason))
            advance(len(chunk))
    remember(digest for digest in map(bytes.fromhex, digests) if digest not in known)
    return Collection(listing, readable, digests, tuple(unreadable))


def _check_nothing_lost(found: Collection) -> None:
    """No class may vanish because none of its files can be read."""
    counts = Counter(item.label for item in found.listing.items)
    for label in sorted(counts.keys() - {item.label for item in found.items}):
        raise DatasetError(
            f"None of the {counts[label]} files of the class '{label}' in '{found.listing.shown}' can be read. "
            f"Mend them, or remove the class."
        )


def _check_unreadable(found: Collection) -> None:
    count, total = len(found.unreadable), len(found.unreadable) + len(found.items)
    if count > MAX_UNREADABLE * total:
        first = "\n  ".join(f"'{bad.path}' {bad.reason}" for bad in found.unreadable[:5])
        raise DatasetError(
            f"{count} of {total} files in '{found.listing.shown}' cannot be read, more than {MAX_UNREADABLE:.0%}. "
            f"Mend or remove them:\n  {first}" + ("\n  ..." if count > 5 else "")
        )


def _digest_or_reason(known: Set[bytes], item: Item) -> tuple[str, str | None]:
    if printable(item.path) != str(item.path) or printable(item.label) != item.label:
        return "", "has a name that is no Unicode text; rename it"
    try:
        data = item.path.read_bytes()
        digest = sha256(data)
        if bytes.fromhex(digest) not in known:
            read_image(data, READ_SIZE)
    except OSError as error:
        return "", f"cannot be opened: {error.strerror or error}"
    except ImageError as error:
        return "", str(error)
    return digest, None


def printable(name: str | Path) -> str:
    """A name with the bytes that are no UTF-8, as old disks have them, written out."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _build(
    items: list[Item],
    digests: list[str],
    together: Sequence[Hashable],
    unreadable: tuple[Unreadable, ...],
    notes: tuple[str, ...],
) -> Dataset:
    class_names = tuple(sorted({item.label for item in items}))
    whole = replace(_split(items, digests, class_names), copies=tuple(together))
    parts = [whole.take([index for index, item in enumerate(items) if item.split == name]) for name in SPLITS]
    return Dataset(class_names, *parts, unreadable=unreadable, notes=notes)


def _split(items: Sequence[Item], digests: Sequence[str], class_names: tuple[str, ...]) -> Split:
    number = {name: index for index, name in enumerate(class_names)}
    return Split(
        paths=tuple(str(item.path.absolute()) for item in items),
        labels=np.array([number[item.label] for item in items], dtype=np.int32),
        digests=tuple(digests),
        class_names=class_names,
    )
