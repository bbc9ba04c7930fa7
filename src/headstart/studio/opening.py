"""A folder, zip or CSV -> a catalogue of its photos, of which only the names, sizes and times are known yet.

A folder of photos without class folders is a collection, too: its photos have no labels yet. Opens no image.
"""

import os
from pathlib import Path

import numpy as np

from headstart.data.collection import printable
from headstart.data.folder import list_images
from headstart.data.source import DataSource
from headstart.data.walking import files_below
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.storage import cache
from headstart.studio.catalogue import Catalogue, Entry


def list_photos(source: DataSource, listener: Listener) -> Catalogue:
    """
    Raises:
        DatasetError: it is no collection; the message says what was found.
        CancelledError: the listener asks the work to stop.
    """
    source.check_one_label("the studio")
    try:
        listing = list_images(source, listener, unlabelled=True)
    except DatasetError:
        if _is_empty(source.local_path):
            return Catalogue.of((), "no photos yet", ())
        raise
    items = sorted((*listing.items, *listing.unlabelled), key=lambda item: item.name)
    entries = [
        Entry(printable(item.path), printable(item.name), printable(item.label) or None, item.split, item.group)
        for item in items
    ]
    catalogue = Catalogue.of(entries, listing.layout, listing.notes)
    for row, item in enumerate(items):
        if printable(item.path) != str(item.path):
            catalogue.describe(row, "has a name that is not Unicode text; rename it")
    _stat(catalogue)
    return catalogue


def _is_empty(path: Path) -> bool:
    """Whether it is a folder without any file, but perhaps with folders for classes."""
    if not cache.is_folder(path):
        return False
    files = files_below(path)
    return not (files.images or files.others or files.skipped)


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
