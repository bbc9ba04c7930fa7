"""A directory, zip, CSV or URL -> Dataset: each file is read once, unreadable ones set aside, splits given or drawn.

Changes nothing on disk. Knows no model.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from headstart.array_types import Int
from headstart.concurrency import cpu_budget, prefetch
from headstart.data import digest_splits
from headstart.data.assignment import check_classes_to_train, draw_splits, indices_to_draw_from, split_notes
from headstart.data.collection import Collection, Read, corrected, printable, split_of
from headstart.data.dataset import Dataset, Split, Unreadable
from headstart.data.folder import Item, Listing, list_images
from headstart.data.groups import joined
from headstart.data.images import highest_value, read_image
from headstart.data.readable import known_images, known_objects, object_key, remember, remember_objects
from headstart.data.source import DataSource
from headstart.data.splits import OTHER, SPLITS, TEST, VALIDATION
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
Groups = Callable[[Split, Int[np.ndarray, " m"]], Sequence[Hashable]]  # (images, indices of those to draw from)


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
            with labels. Also the URL of one of these, but for a zip. A DataSource says how it is read: the names of
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
    return collection.images(), tuple(item.split for item in collection.items)


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
) -> tuple[list[Read], list[Unreadable]]:
    """Read every file, on all cores, and decode those that were never decoded before.

    look: who does that; by default this machine, see `look_at`.

    Returns:
        the readable ones, those without a label last; and the others.

    Raises:
        CancelledError: the listener asks the work to stop.
    """
    items = (*listing.items, *listing.unlabelled)
    seen = _seen_before(items)
    readable: list[Read] = []
    unreadable: list[Unreadable] = []
    known = known_images()
    with advancing(listener, Task.READ, "Reading images", len(items)) as advance:
        new = [item for index, item in enumerate(items) if index not in seen] if seen else items
        results = _with_seen(len(items), seen, (look or look_at)(new, known))
        for start in range(0, len(items), STEP):
            step = items[start : start + STEP]
            for item, found in zip(step, results, strict=False):  # the results go on after this step
                if isinstance(found, Read):
                    readable.append(found)
                else:
                    unreadable.append(Unreadable(printable(item.path), found))
            advance(len(step))
    found = ((bytes.fromhex(each.digest), each.highest) for each in readable)
    remember({digest: value for digest, value in found if digest not in known})
    objects = ((object_key(each.item.path), each) for each in readable if len(seen) < len(items))
    remember_objects({key: (each.digest, each.highest) for key, each in objects if key})
    return readable, unreadable


def _seen_before(items: Sequence[Item]) -> dict[int, Read]:
    """Index -> what is known of a photo at a URL that was read before, and has the same size and version now."""
    keys = {index: key for index, item in enumerate(items) if (key := object_key(item.path))}
    known = known_objects() if keys else {}
    return {index: Read(items[index], *known[key]) for index, key in keys.items() if key in known}


def _with_seen(count: int, seen: Mapping[int, Read], results: Iterable[Read | str]) -> Iterator[Read | str]:
    """What was found of each of `count` items, in order. results: of those that were not seen before."""
    rest = iter(results)
    for index in range(count):
        yield seen[index] if index in seen else next(rest)


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
    items, group_of, is_drawn = _with_splits(collection, groups, seed, fractions)
    digests, given = collection.digests, collection.groups
    notes = (
        *collection.notes,
        *_note_on_relabelled(items),
        *_note_on_groups(given),
        *split_notes(items, digests, group_of, given),
        *collection.remarks_on_values,
    )
    labels = {item.label for item in items}
    class_names = tuple(sorted(labels - {OTHER}))
    images = replace(split_of(items, digests, (*class_names, OTHER)), copies=tuple(group_of))
    parts = {name: [index for index, item in enumerate(items) if item.split == name] for name in SPLITS}
    known = [images.take([i for i in part if items[i].label != OTHER]) for part in parts.values()]
    others = {name: images.take([i for i in part if items[i].label == OTHER]) for name, part in parts.items()}

    facts = {"photos": len(items), "classes": len(class_names)}
    text = f"Found {len(items):,} files belonging to {len(class_names)} classes"
    if OTHER in labels:
        text += f", {sum(map(len, others.values())):,} of them in '{OTHER}', which belong to none"
    listener.emit(Message(f"{text}.", "found", facts))
    sizes = [count for count in Counter(group_of).values() if count > 1]
    if sizes and is_drawn:
        found = f"{len(sizes):,} groups of copies, {sum(sizes):,} images in all"
        facts = {"groups": len(sizes), "photos": sum(sizes)}
        listener.emit(Message(f"{found}: each group is kept on one side of the splits.", "copies", facts))
    _report_unreadable(collection.unreadable[:MAX_SHOWN], listener)
    _report_notes(notes, listener)
    return Dataset(
        class_names,
        *(replace(split, class_names=class_names) for split in known),
        unreadable=collection.unreadable,
        notes=notes,
        value_range=collection.value_range,
        known_values=KnownValues.of(collection.highest),
        labels=collection.labels,
        others=others if OTHER in labels else {},
    )


def _with_splits(
    collection: Collection, groups: Groups | None, seed: int, fractions: tuple[float | None, float | None]
) -> tuple[list[Item], Sequence[Hashable], bool]:
    """The images with their splits, the group of copies that each belongs to, and whether splits were drawn by these.
    Excluded images take part in the draw."""
    count = len(collection.items)
    check_classes_to_train(collection.items, collection.listing.source)
    images = collection.images_to_split()
    listed = [*collection.items, *(each.item for each in collection.excluded)]
    to_draw_from = np.array(indices_to_draw_from(listed), np.int64)
    group_of = groups(images, to_draw_from) if groups else images.digests
    sides = joined(group_of, images.groups) if images.groups else group_of
    if len(listed) >= digest_splits.LARGE:
        sides = digest_splits.names_by_digest(sides, images.digests)
    items = draw_splits(listed, sides, seed, *fractions)
    is_drawn = items != listed
    if not any(item.split == VALIDATION for item in items):  # all are copies of one photo: better a leak than no split
        items, is_drawn = draw_splits(listed, images.groups or images.digests, seed, *fractions), False
    return items[:count], group_of[:count], is_drawn


def _note_on_relabelled(items: Sequence[Item]) -> list[str]:
    count = sum(item.split == TEST and bool(item.own) for item in items)
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
