"""Directory, zip or CSV -> a listing: which image files there are, of which class, in which split.

Looks at names only; no image is opened here (`dataset.py` does that). Nothing of the user's is changed: a zip is
unpacked into headstart's cache.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from headstart.data import archives, tables
from headstart.data.images import SUFFIXES
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.errors import DatasetError

SPLIT_FOLDERS = {
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "val": VALIDATION, "valid": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip

IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})  # left by Windows, macOS, Synology

FORMS = """What headstart takes:
  a folder of class folders       photos/cats/*.jpg  photos/dogs/*.jpg
  the same with splits            photos/train/cats/*.jpg ...  photos/validation/cats/*.jpg ...  (and perhaps test/)
  a zip of either
  a CSV with the columns path,label or path,label,split"""


@dataclass(frozen=True)
class Item:
    """One image file, as it was found."""

    path: Path
    name: str  # relative to the collection, with forward slashes: the same on every machine
    label: str
    split: str | None  # None: to be drawn


@dataclass(frozen=True)
class Listing:
    items: tuple[Item, ...]  # sorted by name
    notes: tuple[str, ...]  # what was left out, in sentences


def list_images(data: Path) -> Listing:
    """The images of a directory, zip or CSV.

    Raises:
        DatasetError: there is no such thing, or it holds no images in one of the four forms.
    """
    if not data.exists():
        raise DatasetError(f"'{data}' does not exist. Check the path (now in '{Path.cwd()}').\n{FORMS}")
    if data.is_dir():
        return _list_folder(data, data)
    if data.suffix.lower() == ".csv":
        rows = tables.read_listing(data)
        items = (Item(path, name, _normal(label), split) for path, name, label, split in rows)
        return Listing(tuple(sorted(items, key=lambda item: item.name)), ())
    if archives.is_zip(data):
        return _list_folder(archives.unpacked(data), data)
    raise DatasetError(f"'{data}' is neither a folder nor a zip nor a CSV.\n{FORMS}")


def images_below(folder: Path) -> list[Path]:
    """All image files below a folder, sorted by their relative names."""
    files = [path for path in _walk(folder) if path.suffix.lower() in SUFFIXES]
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix())


def _list_folder(root: Path, shown: Path) -> Listing:
    files = sorted(_walk(root))
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    others = Counter(path.suffix.lower() or "no ending" for path in files if path.suffix.lower() not in SUFFIXES)
    if not images:
        found = f"{len(files)} files, none with an image's ending" if files else "nothing"
        raise DatasetError(f"'{shown}' holds no images (found: {found}).\n{FORMS}")

    relative = {path: path.relative_to(root).parts for path in images}
    while _is_wrapper(list(relative.values())):  # a zip often holds one folder that holds everything
        relative = {path: parts[1:] for path, parts in relative.items()}

    loose = [path for path, parts in relative.items() if len(parts) == 1]
    if len(loose) == len(images):
        raise DatasetError(
            f"'{shown}' holds {len(images)} images, but no class folders. "
            f"Put the images of each class into a folder with the name of the class.\n{FORMS}"
        )
    notes = []
    if loose:
        notes.append(f"{len(loose)} images outside any class folder are left out (such as '{loose[0].name}')")
    if others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in others.most_common(4))
        notes.append(f"files that headstart does not read are left out: {kinds}")
    inside = {path: parts for path, parts in relative.items() if len(parts) > 1}
    with_splits = _has_split_folders(inside.values(), shown)
    items = []
    for path, parts in inside.items():
        split = SPLIT_FOLDERS[parts[0].lower()] if with_splits else None
        items.append(Item(path, "/".join(parts), _normal(parts[1] if with_splits else parts[0]), split))
    return Listing(tuple(sorted(items, key=lambda item: item.name)), tuple(notes))


def _walk(folder: Path) -> Iterator[Path]:
    """All files below `folder` that are not hidden; symbolic links are followed, each real folder is entered once."""
    entered = set()
    for current, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(current)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if _is_visible(name))
        yield from (Path(current, name) for name in sorted(names) if _is_visible(name))


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in IGNORED_NAMES


def _is_wrapper(all_parts: list[tuple[str, ...]]) -> bool:
    """One folder holds all images, it is no split, and below it there is more than one folder: it is no class."""
    top = {parts[0].lower() for parts in all_parts}
    if len(top) != 1 or top & SPLIT_FOLDERS.keys() or min(map(len, all_parts)) < 2:
        return False
    return len({parts[1] for parts in all_parts if len(parts) > 2}) > 1 or all(
        len(parts) > 2 and parts[1].lower() in SPLIT_FOLDERS for parts in all_parts
    )


def _has_split_folders(all_parts: Iterable[tuple[str, ...]], shown: Path) -> bool:
    """Whether the top folders are train/, validation/, test/. A class may be called 'train', so all are looked at."""
    depth: dict[str, int] = {}
    for parts in all_parts:
        depth[parts[0]] = min(depth.get(parts[0], len(parts)), len(parts))
    splits = {name for name in depth if name.lower() in SPLIT_FOLDERS and depth[name] > 2}
    if not splits:
        return False
    others = sorted(set(depth) - splits)
    if not others:
        return True
    if {SPLIT_FOLDERS[name.lower()] for name in splits} >= {TRAIN, VALIDATION}:
        raise DatasetError(
            f"'{shown}' holds split folders ({', '.join(sorted(splits))}) and, beside them, {', '.join(others)}. "
            f"Move either of them elsewhere.\n{FORMS}"
        )
    return False


def _normal(label: str) -> str:
    """macOS writes accents as two characters, others as one: the same class all the same."""
    return unicodedata.normalize("NFC", label)
