"""A folder, zip or CSV -> a catalogue of its photos, of which only the names, sizes and times are known yet.

A folder of photos without class folders is a collection, too: its photos have no labels yet. Opens no image.
"""

import os
from pathlib import Path

import numpy as np

from headstart.data.folder import list_images, notes_on_skipped
from headstart.data.loading import printable
from headstart.data.own_output import what_headstart_wrote
from headstart.data.source import DataSource
from headstart.data.walking import files_below
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.storage import cache
from headstart.storage.hashing import sha256
from headstart.studio.catalogue import Catalogue, Entry

STUDIO = "studio"  # of the cache


def folder_of(source: DataSource) -> Path:
    """Where the cache keeps what was found in a collection."""
    text = repr([os.path.realpath(source.path), sorted(source.settings().items())])
    return cache.cache_folder() / STUDIO / sha256(text.encode("utf-8", "surrogateescape"))[:16]


def list_photos(source: DataSource, listener: Listener) -> Catalogue:
    """
    Raises:
        DatasetError: it is no collection; the message says what was found.
        CancelledError: the listener asks the work to stop.
    """
    try:
        listing = list_images(source, listener)
    except DatasetError:
        if not is_unlabelled(source.path):
            raise
        entries, layout, notes = _unlabelled(source.path)
    else:
        entries = [
            Entry(printable(item.path), printable(item.name), printable(item.label), item.split, item.group)
            for item in listing.items
        ]
        layout, notes = listing.layout, listing.notes
    catalogue = Catalogue.of(entries, layout, notes)
    _stat(catalogue)
    return catalogue


def is_unlabelled(path: Path) -> bool:
    """Whether it is a folder with photos directly in it: no class folders, or besides these."""
    try:
        return cache.is_folder(path) and not what_headstart_wrote(path) and _has_direct_photos(path)
    except DatasetError:
        return False


def _has_direct_photos(path: Path) -> bool:
    return any(photo.parent == path for photo in files_below(path).images)


def _unlabelled(root: Path) -> tuple[list[Entry], str, list[str]]:
    files = files_below(root)
    entries = [
        Entry(printable(path), printable(path.relative_to(root).as_posix()), None, None) for path in files.images
    ]
    entries.sort(key=lambda entry: entry.name)
    return entries, f"{len(entries):,} photos without classes", notes_on_skipped(files.skipped)


def _stat(catalogue: Catalogue) -> None:
    """Sizes and times. A file that vanished since keeps zeros: reading it will tell."""
    sizes, times = np.zeros(len(catalogue), np.int64), np.zeros(len(catalogue), np.int64)
    for row, entry in enumerate(catalogue.entries):
        try:
            status = os.stat(entry.path)  # noqa: PTH116 - a Path for each of 100,000 takes twice as long
        except (OSError, ValueError):
            continue
        sizes[row], times[row] = status.st_size, status.st_mtime_ns
    catalogue.numbers["bytes"], catalogue.numbers["modified"] = sizes, times
