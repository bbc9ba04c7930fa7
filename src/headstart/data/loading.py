"""A directory, zip, CSV or URL -> Dataset: each file is read once, unreadable ones set aside, splits given or drawn.

Changes nothing on disk. Knows no model.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from headstart.array_types import Int
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.assignment import (
    check_classes_to_train,
    draw_splits_beside_copies,
    indices_to_draw_from,
    split_notes,
)
from headstart.data.collection import Collection, Read, Reads, class_names_of, corrected, printable, split_of
from headstart.data.dataset import Dataset, Split, Unreadable
from headstart.data.folder import Listing, list_images
from headstart.data.images import highest_value, read_image
from headstart.data.items import Item, column
from headstart.data.label_sets import all_classes, with_targets
from headstart.data.packed import MANY, Digests, Names, chosen, numbered, packed_digests
from headstart.data.readable import known_images, known_objects, object_key, remember, remember_objects
from headstart.data.source import DataSource
from headstart.data.splits import OTHER, SPLITS, TEST
from headstart.data.targets import Kind
from headstart.data.trainable import check_listing, check_readable, check_unreadable
from headstart.data.value_range import KnownValues
from headstart.deprecation import renamed_arguments
from headstart.errors import ImageError
from headstart.events import Listener, Message, Task, advancing
from headstart.listeners.console import Console
from headstart.storage.hashing import sha256
from headstart.storage.locations import Fetched, fetched, read
from headstart.storage.url_path import Url

MAX_SHOWN = 10  # unreadable files that are named one by one
READ_SIZE = 32  # pixels: enough to see whether a file can be decoded
AHEAD = 256  # files that are handed to the threads before their results are needed
AHEAD_OF_URLS = 32  # the same, of files whose bytes are in memory by then
STEP = 32  # files between two reports of progress

Look = Callable[[Sequence[Item], Mapping[bytes, int]], Iterable[Read | str]]  # see `look_at`
Groups = Callable[[Split, Int[np.ndarray, " m"]], Names]  # (images, indices of those to draw from)


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
            a zip of either; or a CSV with the columns path,label[,split]; or tar shards or Parquet files of photos
            with labels. Also the URL of one of these. A DataSource says how it is read: the names of
            columns, or which folders are the classes.
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
    return collection.images(), tuple(column(collection.items, "split"))


def read_labelled(data: DataSource, listener: Listener) -> Collection:
    """The collection of `load_images`. Raises the same."""
    collection = read_collection(list_images(data, listener), listener)
    check_unreadable(collection)
    _report_unreadable(collection.unreadable, listener)
    _report_notes(collection.labels.notes, listener)
    return collection


def collect(listing: Listing, listener: Listener, *, look: Look | None = None) -> Collection:
    """Read all images of a listing that can be trained on. look: see `read_photos`.

    Raises:
        DatasetError: it cannot.
        CancelledError: the listener asks the work to stop.
    """
    check_listing(listing)
    collection = read_collection(listing, listener, look=look)
    check_readable(collection)
    return collection


def read_collection(listing: Listing, listener: Listener, *, look: Look | None = None) -> Collection:
    """Read every file, see `read_photos`. The labels are those of the user, where there are corrections.

    Raises:
        DatasetError: the corrections cannot be read.
        CancelledError: the listener asks the work to stop.
    """
    return corrected(listing, *read_photos(listing, listener, look=look))


def read_photos(
    listing: Listing, listener: Listener, *, look: Look | None = None
) -> tuple[Reads, list[Unreadable]]:  # fmt: skip
    """Read every file, on all cores, and decode those that were never decoded before.

    look: who does that; by default this machine, see `look_at`.

    Returns:
        the readable ones, those without a label last; and the others.

    Raises:
        CancelledError: the listener asks the work to stop.
    """
    items = listing.photos
    known = known_images()
    objects = known_objects() if any(isinstance(item.path, Url) for item in items) else {}
    new = np.flatnonzero([object_key(item.path) not in objects for item in items]) if objects else np.arange(len(items))
    results = (look or look_at)(chosen(items, new) if len(new) < len(items) else items, known)
    rows, digests, highest, unreadable = array("q"), bytearray(), array("H"), []
    with advancing(listener, Task.READ, "Reading images", len(items)) as advance:
        for index, (item, found) in enumerate(zip(items, _with_seen(items, objects, results), strict=False)):
            if isinstance(found, Read):
                rows.append(index)
                digests += bytes.fromhex(found.digest)
                highest.append(found.highest)
            else:
                unreadable.append(Unreadable(printable(item.path), found))
            if (index + 1) % STEP == 0:
                advance(STEP)
        if len(items) % STEP:
            advance(len(items) % STEP)
    readable = items if len(rows) == len(items) else chosen(items, np.array(rows))
    named = packed_digests(Digests(np.frombuffer(digests, np.uint8).reshape(-1, 32)))
    reads = Reads(readable, named, highest)
    _remember(reads, known, objects)
    return reads, unreadable


def _remember(reads: Reads, known: Mapping[bytes, int], objects: Mapping[bytes, tuple[str, int]]) -> None:
    """What is new, some of it at a time: a collection may be large."""
    for start in range(0, len(reads), MANY):
        some = reads[start : start + MANY]
        pairs = ((bytes.fromhex(each.digest), each.highest) for each in some)
        remember((digest, value) for digest, value in pairs if digest not in known)
        keys = ((object_key(each.item.path), each) for each in some)
        remember_objects((key, each.digest, each.highest) for key, each in keys if key and key not in objects)


def _with_seen(
    items: Sequence[Item], seen: Mapping[bytes, tuple[str, int]], results: Iterable[Read | str]
) -> Iterator[Read | str]:
    """What was found of each item, in order. seen: of photos at URLs that have the same size and version as when they
    were read, by `object_key`. results: of the others."""
    rest = iter(results)
    for item in items:
        key = object_key(item.path) if seen else None
        yield Read(item, *seen[key]) if key and key in seen else next(rest)


def look_at(items: Sequence[Item], known: Mapping[bytes, int]) -> Iterator[Read | str]:
    """Of each file, in order, what is kept of it, or the reason why it cannot be used. On all cores.

    known: digests of files that need not be decoded, see `known_images`.
    """
    ahead = AHEAD_OF_URLS if any(isinstance(item.path, Url) for item in items) else AHEAD
    contents = fetched(str(item.path) for item in items)
    with ThreadPoolExecutor(cpu_budget()) as pool:
        yield from prefetch(pool, partial(_look_at, known), zip(items, contents, strict=True), ahead)


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
    split_names, group_of, is_drawn = _with_splits(collection, groups, seed, fractions)
    items, digests, given = collection.items, collection.digests, collection.groups
    several = collection.listing.multi_label
    notes = (
        *collection.notes,
        *_note_on_relabelled(items, split_names),
        *_note_on_groups(given),
        *split_notes(items, split_names, digests, group_of, given, multi_label=several),
        *collection.remarks_on_values,
    )
    labels = list(column(items, "label"))
    class_names = tuple(name for name in class_names_of(items) if name != OTHER)
    images = replace(split_of(items, digests, (*class_names, OTHER)), copies=_kept(group_of))
    is_other = np.array([label == OTHER for label in labels], bool)
    parts = [np.array([each == name for each in split_names], bool) for name in SPLITS]
    known = [images.take(np.flatnonzero(part & ~is_other)).of_classes(class_names) for part in parts]
    others = {name: images.take(np.flatnonzero(part & is_other)) for name, part in zip(SPLITS, parts, strict=True)}
    if several:
        class_names = all_classes(class_names)
        known = [with_targets(each, class_names) for each in known]
    _report_found(class_names, known, int(is_other.sum()), listener)
    sizes = np.bincount(numbered(group_of))
    groups_of_copies, copies = int((sizes > 1).sum()), int(sizes[sizes > 1].sum())
    if copies and is_drawn:
        found = f"{groups_of_copies:,} groups of copies, {copies:,} images in all"
        facts = {"groups": groups_of_copies, "photos": copies}
        listener.emit(Message(f"{found}: each group is kept on one side of the splits.", "copies", facts))
    _report_unreadable(collection.unreadable[:MAX_SHOWN], listener)
    _report_notes(notes, listener)
    return Dataset(
        class_names,
        *known,
        unreadable=collection.unreadable,
        notes=notes,
        value_range=collection.value_range,
        known_values=KnownValues.of(collection.highest),
        labels=collection.labels,
        others=others if is_other.any() else {},
        hierarchy=collection.listing.hierarchy,
    )


def _with_splits(
    collection: Collection, groups: Groups | None, seed: int, fractions: tuple[float | None, float | None]
) -> tuple[list[str | None], Names, bool]:
    """The split of each image, the group of copies that it belongs to, and whether splits were drawn by these. Excluded
    images take part in the draw."""
    count = len(collection.items)
    listing = collection.listing
    check_classes_to_train(collection.items, listing.source, multi_label=listing.multi_label)
    images = collection.images_to_split()
    excluded = [each.item for each in collection.excluded]
    listed = [*collection.items, *excluded] if excluded else collection.items
    given = list(column(listed, "split"))
    to_draw_from = np.array(indices_to_draw_from(given), np.int64)
    group_of = groups(images, to_draw_from) if groups else images.digests
    drawn, is_drawn = draw_splits_beside_copies(
        listed, group_of, images.groups, images.digests, seed, *fractions, multi_label=listing.multi_label
    )
    return drawn[:count], group_of[:count], is_drawn


def _report_found(class_names: Sequence[str], splits: Sequence[Split], others: int, listener: Listener) -> None:
    """others: how many more images belong to none of the classes."""
    count = sum(map(len, splits)) + others
    text = f"Found {count:,} files belonging to {len(class_names)} classes"
    if splits[0].kind is Kind.MULTI_LABEL:
        each = np.concatenate([split.targets.values.sum(axis=1) for split in splits])
        text = f"Found {count:,} files with {len(class_names)} labels, {each.min():.0f} to {each.max():.0f} "
        text += f"({each.mean():.1f} on average) per photo"
    if others:
        text += f", {others:,} of them in '{OTHER}', which belong to none"
    listener.emit(Message(f"{text}.", "found", {"photos": count, "classes": len(class_names)}))


def _kept(names: Names) -> Names:
    """Of many images, a number instead of the name of the group that each belongs to."""
    return tuple(names) if len(names) < MANY else numbered(names)


def _note_on_relabelled(items: Sequence[Item], split_names: Sequence[str | None]) -> list[str]:
    count = sum(name == TEST and bool(own) for own, name in zip(column(items, "own"), split_names, strict=True))
    if not count:
        return []
    images = "1 test image has" if count == 1 else f"{count:,} test images have"
    return [f"{images} another label than the collection gives: the accuracy on them is measured by the user's labels"]


def _note_on_groups(groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    return [
        f"the images come in {len(set(groups)):,} groups that belong together: where splits are drawn, each is kept on "
        f"one side, and 95% intervals count groups, not images"
    ]


def _look_at(known: Mapping[bytes, int], given: tuple[Item, Fetched]) -> Read | str:
    """What is kept of a file, or the reason why it cannot be used. known: what need not be decoded, by digest."""
    item, content = given
    if printable(item.path) != str(item.path) or printable(item.label) != item.label:
        return "has a name that is not Unicode text; rename it"
    try:
        data = content() if content else read(str(item.path))
        digest = sha256(data)
        highest = known.get(bytes.fromhex(digest))
        if highest is None:
            read_image(data, READ_SIZE)
            highest = highest_value(data) or 0
    except OSError as error:
        return f"cannot be opened: {error.strerror or error}"
    except ImageError as error:
        return str(error)
    return Read(item, digest, highest)


def _report_unreadable(files: Sequence[Unreadable], listener: Listener) -> None:
    for file in files:
        facts = {"path": file.path, "reason": file.reason}
        listener.emit(Message(f"Left out: '{file.path}' {file.reason}.", "left-out", facts))


def _report_notes(notes: Sequence[str], listener: Listener) -> None:
    for note in notes:
        listener.emit(Message(f"Note: {note}."))
