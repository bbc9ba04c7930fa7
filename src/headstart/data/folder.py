"""Directory, zip or CSV -> a listing: which image files there are, of which class, in which split.

Looks at names only, and opens no image (`loading.py` does). Changes nothing of the user's: a zip is unpacked into
headstart's cache.
"""

import glob
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from headstart.data import archives, tables
from headstart.data.images import FORMAT_OF_SUFFIX
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.errors import DatasetError
from headstart.events import Listener

SPLIT_FOLDERS = {
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "val": VALIDATION, "valid": VALIDATION, "eval": VALIDATION, "evaluation": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip

IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})  # written by Windows, macOS, Synology

FORMS = """Expected one of:
  a folder of class folders       photos/cats/*.jpg  photos/dogs/*.jpg
  the same with splits            photos/train/cats/*.jpg ...  photos/validation/cats/*.jpg ...  (and perhaps test/)
  a zip of either
  a CSV with the columns path,label or path,label,split"""


@dataclass(frozen=True)
class Item:
    """An image file of a collection."""

    path: Path
    name: str  # relative to the collection, with forward slashes: the same on every machine
    label: str
    split: str | None  # None: the collection gives none, so it is drawn


@dataclass(frozen=True)
class Listing:
    """The image files of a collection."""

    source: str  # what was listed, as the user named it
    items: tuple[Item, ...]  # sorted by name
    notes: tuple[str, ...]  # what was left out, in sentences


def list_images(data: Path, listener: Listener | None = None) -> Listing:
    """The images of a directory, zip or CSV. listener: may cancel the unpacking of a zip.

    Raises:
        DatasetError: it does not exist, or holds no images in one of the four forms.
        CancelledError: the listener asks the work to stop.
    """
    try:
        exists = data.exists()
    except OSError as error:
        raise DatasetError(f"'{data}' is not a valid path: {error.strerror or error}.") from None
    if not exists:
        raise DatasetError(f"'{data}' does not exist. Check the path (now in '{Path.cwd()}').\n{FORMS}")
    if data.is_dir():
        return _list_folder(data, data)
    if data.suffix.lower() == ".csv" and data.is_file():  # who reads a pipe may wait for ever
        rows = tables.read_listing(data)
        return _listing(data, (Item(path, name, _normal(label), split) for path, name, label, split in rows))
    if archives.is_zip(data):
        return _list_folder(archives.unpacked(data, listener), data)
    raise DatasetError(f"'{data}' is neither a folder nor a zip nor a CSV.\n{FORMS}")


def images_below(folder: Path) -> list[Path]:
    """All image files below a folder, sorted by their relative names."""
    return _sorted_below(folder, _by_suffix(_walk(folder))[0])


def _sorted_below(folder: Path, files: Iterable[Path]) -> list[Path]:
    return sorted(files, key=lambda path: path.relative_to(folder).as_posix())


def _by_suffix(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Those with an image's suffix, and the others."""
    images: list[Path] = []
    others: list[Path] = []
    for file in files:
        (images if file.suffix.lower() in FORMAT_OF_SUFFIX else others).append(file)
    return images, others


def images_among(paths: Iterable[Path]) -> tuple[list[str], list[str]]:
    """The paths of images, and notes on what was left out, in sentences.

    Args:
        paths: files, which are taken as they are; folders, for all image files below them; and patterns such as
            photos/**/*.jpg, for the image files that match.

    Raises:
        DatasetError: a folder holds no images, or nothing matches a pattern.
    """
    files: list[str] = []
    others: list[Path] = []
    for path in paths:
        text = str(path)
        if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where a name is too long
            images, other_files = _by_suffix(_walk(path))
            found = [str(image) for image in _sorted_below(path, images)]
            others += other_files
            if not found:
                raise DatasetError(f"'{path}' holds no images. Give image files, or a folder that has some.")
        elif any(sign in text for sign in "*?[") and not os.path.exists(path):  # noqa: PTH110  as above
            matching = map(Path, glob.iglob(text, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
            images, other_files = _by_suffix(file for file in matching if file.is_file())
            found = sorted(map(str, images))
            others += other_files
            if not found:
                raise DatasetError(f"No image matches '{path}' (now in '{Path.cwd()}'). Give image files, or a folder.")
        else:
            found = [text]
        files += found
    return files, _note_on_others(others)


def _listing(source: Path, items: Iterable[Item], notes: Iterable[str] = ()) -> Listing:
    return Listing(str(source), tuple(sorted(items, key=lambda item: item.name)), tuple(notes))


def _list_folder(root: Path, source: Path) -> Listing:
    """The listing of a folder. source: what messages name instead of it."""
    files = sorted(_walk(root))
    images, others = _by_suffix(files)
    if not images:
        found = f"{len(files)} files, none with the suffix of an image" if files else "nothing"
        raise DatasetError(f"'{source}' holds no images (found: {found}).\n{FORMS}")

    below = {path: path.relative_to(root).parts for path in images}
    root = _without_wrappers(root, below)
    below = {path: path.relative_to(root).parts for path in below if path.is_relative_to(root)}
    with_splits = _has_split_folders(below.values(), source)
    level = 2 if with_splits else 1  # of the class folders
    items = [
        Item(path, "/".join(parts), _normal(parts[level - 1]), _split_of(parts[0]) if with_splits else None)
        for path, parts in below.items()
        if len(parts) > level
    ]
    if not items:
        raise DatasetError(
            f"'{source}' holds {len(images)} images, but no class folders. "
            f"Put the images of each class into a folder with the name of the class.\n{FORMS}"
        )
    empty = _folders_at(root, level) - {parts[:level] for parts in below.values() if len(parts) > level}
    loose = sorted(set(images) - {item.path for item in items})
    return _listing(source, items, [*_note_on_loose(loose), *_note_on_others(others), *_note_on_empty(empty)])


def _note_on_loose(images: list[Path]) -> list[str]:
    if not images:
        return []
    return [f"{len(images)} images outside any class folder are left out (such as '{images[0].name}')"]


def _note_on_others(files: Iterable[Path]) -> list[str]:
    counts = Counter(path.suffix.lower() or "no suffix" for path in files)
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(4))
    return [f"files that headstart does not read are left out: {kinds}"] if counts else []


def _note_on_empty(folders: set[tuple[str, ...]]) -> list[str]:
    names = ", ".join(repr("/".join(parts)) for parts in sorted(folders))
    return [f"folders without images are not classes: {names}"] if folders else []


def _walk(folder: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """All files below a folder that are not hidden. Follows symbolic links, except back to a folder above."""
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(f"The folder '{folder}' cannot be read: {error.strerror or error}.") from None
    for entry in entries:
        if _is_visible(entry.name):
            if entry.is_dir():
                yield from _walk(Path(entry.path), above | {real})
            else:
                yield Path(entry.path)


def _folders_at(root: Path, level: int) -> set[tuple[str, ...]]:
    """The visible folders at a level below `root`, as parts of their paths."""
    found = {path.relative_to(root).parts for path in root.glob("/".join("*" * level)) if path.is_dir()}
    return {parts for parts in found if all(map(_is_visible, parts))}


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in IGNORED_NAMES


def _split_of(folder: str) -> str | None:
    """The split that a folder is named after: train, Validation, test_set, ..."""
    name = folder.lower()
    for suffix in ("_set", "-set", " set"):
        name = name.removesuffix(suffix)
    return SPLIT_FOLDERS.get(name)


def _without_wrappers(root: Path, below: dict[Path, tuple[str, ...]]) -> Path:
    """Go down while a single folder holds all folders with images, and is neither a class nor a split.

    A zip often has one folder that holds everything. Such a wrapper has at least two folders of images in it.
    """
    inside = [parts for parts in below.values() if len(parts) > 1]
    lower = root
    while len({parts[0] for parts in inside}) == 1 and _split_of(inside[0][0]) is None:
        lower = lower / inside[0][0]
        inside = [parts[1:] for parts in inside if len(parts) > 2]
        if len({parts[0] for parts in inside}) > 1 or any(_split_of(parts[0]) for parts in inside):
            return lower
    return root


def _has_split_folders(all_parts: Iterable[tuple[str, ...]], source: Path) -> bool:
    """Whether the top folders are train/, validation/, test/ with class folders in them.

    A class may be called 'train', beside 'bus'. An ambiguous collection is refused: the wrong guess would train a
    classifier of "train or test?".

    Raises:
        DatasetError: it is ambiguous, or the split folders hold no class folders.
    """
    tops = {parts[0] for parts in all_parts if len(parts) > 1}
    splits = {top for top in tops if _split_of(top)}
    nested = {parts[0] for parts in all_parts if len(parts) > 2} & splits
    direct = {parts[0] for parts in all_parts if len(parts) == 2} & splits
    others = sorted(tops - splits)
    if splits and not others and not nested:
        raise DatasetError(
            f"'{source}' holds the split folders {', '.join(sorted(splits))}, but no class folders in them.\n{FORMS}"
        )
    if others and (nested - direct or (nested and len(splits) > 1)):
        raise DatasetError(
            f"'{source}' holds split folders ({', '.join(sorted(splits))}) and, beside them, {', '.join(others)}. "
            f"If all of these are classes, put their images directly into them; if not, move the others elsewhere.\n"
            f"{FORMS}"
        )
    return bool(splits) and not others


def _normal(label: str) -> str:
    """One form of Unicode: macOS writes an accent as two characters, other systems as one."""
    return unicodedata.normalize("NFC", label)
