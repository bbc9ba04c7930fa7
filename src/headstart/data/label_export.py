"""A collection with the labels that count -> a CSV, or a folder of class folders, of links or of copies.

Each is a collection again, with the same labels and the splits that the collection itself has. Excluded photos and
those without a label are left out. Changes none of the user's files.
"""

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TypeGuard

from headstart.data.class_names import folder_name
from headstart.data.collection import Collection
from headstart.data.folder import list_images
from headstart.data.items import Item
from headstart.data.own_output import check_outside
from headstart.data.source import DataSource
from headstart.data.tables import write_splits
from headstart.errors import DatasetError, HeadstartError
from headstart.events import Listener, Message, Task, advancing
from headstart.listeners.quiet import Quiet
from headstart.storage.atomic import atomic_file, atomic_folder
from headstart.storage.locations import read
from headstart.storage.url_path import Location, name_of, place_of, real_name
from headstart.storage.urls import split_member

CSV, LINKS, COPIES = "csv", "links", "copies"
FORMS = (CSV, LINKS, COPIES)
STEP = 100  # photos between two reports of progress


def export_labels(collection: Collection, out: Path, form: str, listener: Listener) -> None:
    """Write the labels to a new file or folder.

    Args:
        out: appears whole or not at all.
        form: one of FORMS. LINKS: symbolic ones, to the photos where they are.

    Raises:
        DatasetError: no photo has a label; or a folder would not hold the same labels, as its class would be taken for
            a split, for example.
        RunError: `out` exists, is inside of the collection, or cannot be written.
        CancelledError: the listener asks the work to stop.
    """
    source = place_of(collection.listing.source)
    if form not in FORMS:
        raise DatasetError(f"There is no form '{form}' of labels. Choose one of: {', '.join(FORMS)}.")
    if not collection.items:
        raise DatasetError(f"No photo of '{source}' has a label, so there is nothing to export.")
    if form == CSV:
        if out.suffix.lower() != ".csv":
            raise DatasetError(f"'{out}' does not end in .csv. Give such a name, or say --form links or --form copies.")
        with atomic_file(out) as folder:
            write_splits(folder / out.name, _rows(collection, out.absolute().parent))
        return
    check_outside(out, source)
    if form == LINKS and source.is_file() and source.suffix.lower() == ".zip":
        raise DatasetError(f"'{source}' is a zip, which links cannot lead to. Say --form copies.")
    if form == LINKS and not all(_is_of_disk(item.path) for item in collection.items):
        raise DatasetError(
            f"Photos of '{source}' are in shards or at URLs, which links cannot lead to. Say --form copies."
        )
    places = _places(collection.items)
    with atomic_folder(out) as folder:
        _fill(folder, places, form, listener)
        _check(folder, collection, out)
    renamed = sorted({item.label for item in collection.items if folder_name(item.label) != item.label})
    for label in renamed:
        listener.emit(Message(f"Note: the folder of '{label}' is called '{folder_name(label)}'."))


def _rows(collection: Collection, folder: Path) -> list[tuple[str, ...]]:
    """path, label, split, hash, and if photos have groups, that. Paths below the folder of the CSV are relative to it,
    so that both can be moved together. The splits are empty where the collection gives none."""
    rows = []
    for item, digest in zip(collection.items, collection.digests, strict=True):
        path = item.path.absolute()
        is_below = isinstance(path, Path) and path.is_relative_to(folder)
        name = path.relative_to(folder).as_posix() if is_below else str(path)
        rows.append((name, item.label, item.split or "", digest, *([item.group] if item.group else ())))
    return rows


def _places(items: Sequence[Item]) -> list[tuple[Item, Path]]:
    """Where each photo goes: its split, its class, and its own name, made unique."""
    taken: set[str] = set()
    places = []
    for item in items:
        folder = Path(item.split or "", folder_name(item.label))
        own = PurePosixPath(name_of(str(item.path)))
        name, number = own.name, 1
        while str(folder / name).casefold() in taken:  # from different folders, or alike but for their case
            number += 1
            name = f"{own.stem}-{number}{own.suffix}"
        taken.add(str(folder / name).casefold())
        places.append((item, folder / name))
    return places


def _fill(folder: Path, places: Sequence[tuple[Item, Path]], form: str, listener: Listener) -> None:
    with advancing(listener, Task.WRITE, "Writing photos", len(places)) as advance:
        for start in range(0, len(places), STEP):
            step = places[start : start + STEP]
            for item, place in step:
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                if form == LINKS:
                    target.symlink_to(real_name(item.path))
                elif _is_of_disk(item.path):
                    shutil.copy2(item.path, target)
                else:
                    target.write_bytes(read(str(item.path)))
            advance(len(step))


def _is_of_disk(path: Location) -> TypeGuard[Path]:
    """Whether it is a file of its own, on this machine."""
    return isinstance(path, Path) and not split_member(str(path))[1]


def _check(folder: Path, collection: Collection, out: Path) -> None:
    """
    Raises:
        DatasetError: the folder would be read with other labels or splits.
    """
    wanted = Counter((folder_name(item.label), item.split) for item in collection.items)
    classes = {item.label for item in collection.items}
    try:
        listing = list_images(DataSource(folder, corrections=False), Quiet())
    except HeadstartError as error:
        reason = str(error).partition("\n")[0].replace(str(folder), str(out))
    else:
        if Counter((item.label, item.split) for item in listing.items) == wanted and len(
            {folder_name(label) for label in classes}
        ) == len(classes):
            return
        reason = f"It would be understood as: {listing.layout}."
    raise DatasetError(f"A folder would not hold these labels: export them as a CSV (--form csv). {reason}")
