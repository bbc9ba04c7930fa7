"""Directory, zip or CSV -> a listing: which image files there are, of which class, in which split.

Looks at names only, and opens no image (`loading.py` does). Changes nothing of the user's: a zip is unpacked into
headstart's cache.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data import archives, tables
from headstart.data.folder_tree import Tree
from headstart.data.groups import group_names
from headstart.data.layout import FORMS, Layout, understand
from headstart.data.lost_classes import refuse_lost_classes
from headstart.data.own_output import what_headstart_wrote
from headstart.data.source import DataSource
from headstart.data.walking import Files, files_below, is_visible
from headstart.errors import DatasetError
from headstart.events import Listener, Message
from headstart.storage.regular import check_regular

OF_CSV = {"path_column", "label_column", "group_column", "image_root"}  # settings that folders do not have


@dataclass(frozen=True)
class Item:
    """An image file of a collection."""

    path: Path
    name: str  # relative to the collection, with forward slashes: the same on every machine
    label: str
    split: str | None  # None: the collection gives none, so it is drawn
    group: str | None = None  # of images that belong together, if the collection names any


@dataclass(frozen=True)
class Listing:
    """The image files of a collection."""

    source: str  # what was listed, as the user named it
    items: tuple[Item, ...]  # sorted by name
    notes: tuple[str, ...]  # what was left out, in sentences
    layout: str  # what was understood, in a sentence without a full stop


def list_images(data: Path | DataSource, listener: Listener | None = None) -> Listing:
    """The images of a directory, zip or CSV. listener: is told the layout, and may cancel the unpacking of a zip.

    Raises:
        DatasetError: it does not exist, or holds no images in one of the four forms.
        CancelledError: the listener asks the work to stop.
    """
    source = DataSource.of(data)
    listing = _grouped(_listing_of(source, listener), source.group_by)
    if listener:
        listener.emit(Message(f"Layout: {listing.layout}."))
    return listing


def _listing_of(source: DataSource, listener: Listener | None) -> Listing:
    data = source.path
    try:
        exists = data.exists()
    except OSError as error:
        raise DatasetError(f"'{data}' is not a valid path: {error.strerror or error}.") from None
    if not exists:
        raise DatasetError(f"'{data}' does not exist. Check the path (now in '{Path.cwd()}').\n{FORMS}")
    _check_settings(source)
    if data.is_dir():
        return _list_folder(data, source)
    try:
        check_regular(data)  # who reads a pipe may wait for ever
        with data.open("rb"):
            pass
    except OSError as error:
        reason = f"it cannot be opened: {error.strerror or error}"
        raise DatasetError(f"'{data}' is neither a folder nor a zip nor a CSV ({reason}).\n{FORMS}") from None
    if data.suffix.lower() in tables.SUFFIXES:
        table = tables.read_listing(source)
        items = [Item(row.path, row.name, _normal(row.label), row.split, row.group) for row in table.rows]
        return _listing(data, items, (), table.text)
    if archives.is_zip(data):
        return _list_folder(archives.unpacked(data, listener), source)
    raise DatasetError(f"'{data}' is neither a folder nor a zip nor a CSV{archives.remedy(data)}.\n{FORMS}")


def _grouped(listing: Listing, rule: str | None) -> Listing:
    """With the groups that a rule finds, or those of a CSV, in which an image without one is a group of its own."""
    if rule is None:
        if not any(item.group for item in listing.items):
            return listing
        groups, notes = [item.group or item.name for item in listing.items], []
    else:
        names, labels = [item.name for item in listing.items], [item.label for item in listing.items]
        groups, notes = group_names(names, labels, rule, listing.source)
    items = [replace(item, group=group) for item, group in zip(listing.items, groups, strict=True)]
    return replace(listing, items=tuple(items), notes=(*listing.notes, *notes))


def _check_settings(source: DataSource) -> None:
    is_csv = source.path.is_file() and source.path.suffix.lower() in tables.SUFFIXES
    wrong = source.settings().keys() & ({"class_level"} if is_csv else OF_CSV)
    if wrong:
        options = ", ".join("--" + name.replace("_", "-") for name in sorted(wrong))
        raise DatasetError(
            f"'{source}' is {'a' if is_csv else 'no'} CSV, but {options} {'is' if len(wrong) == 1 else 'are'} given, "
            f"which says how {'folders are' if is_csv else 'a CSV is'} read. Leave it out."
        )


def _listing(source: Path, items: Iterable[Item], notes: Iterable[str], layout: str) -> Listing:
    return Listing(str(source), tuple(sorted(items, key=lambda item: item.name)), tuple(notes), layout)


def _list_folder(root: Path, source: DataSource) -> Listing:
    """The listing of a folder. source: what messages name instead of it."""
    if what := what_headstart_wrote(root):
        raise DatasetError(
            f"'{source}' is {what} that headstart wrote, no collection. Give the photos; those of a run are listed in "
            f"its splits.csv."
        )
    files = files_below(root)
    if not files.images:
        found = _kinds(files.others) or "nothing"
        remedy = " Unpack the archives in it." if any(map(archives.is_archive, files.others)) else ""
        raise DatasetError(f"'{source}' holds no images (found: {found}).{remedy}\n{FORMS}")
    below = {path: path.relative_to(root).parts for path in files.images}
    tree = Tree(root, below.values())
    layout = understand(tree, source.path, source.class_level)
    items = [
        Item(path, "/".join(parts[len(layout.root) :]), _normal(place.label), place.split)
        for path, parts in below.items()
        if (place := layout.places.get(parts[:-1]))
    ]
    return _listing(source.path, items, _notes(root, below, layout, files, source), layout.text)


def _notes(
    root: Path, below: Mapping[Path, tuple[str, ...]], layout: Layout, files: Files, source: DataSource
) -> list[str]:
    """What is left out, in sentences.

    Raises:
        DatasetError: a folder at the place of a class holds nothing but pictures that are not read.
    """
    repeated = {path for path, parts in below.items() if any(parts[: len(each)] == each for each in layout.left_out)}
    loose = [path for path, parts in below.items() if parts[:-1] not in layout.places and path not in repeated]
    used = {parts[:level] for parts in layout.places for level in range(len(parts) + 1)}
    empty = {
        parts
        for parent in layout.parents
        for parts in _folders_in(root, parent) - used - layout.left_out.keys()
        if root / Path(*parts) not in files.skipped
    }
    refuse_lost_classes(empty, files.others, root, source.path)
    return [
        *layout.left_out.values(),
        *_note_on_loose(sorted(loose)),
        *note_on_others(files.others),
        *_note_on_empty(empty),
        *notes_on_skipped(files.skipped),
    ]


def _note_on_loose(images: list[Path]) -> list[str]:
    if not images:
        return []
    return [f"{len(images)} images outside any class folder are left out (such as '{images[0].name}')"]


def note_on_others(files: Iterable[Path]) -> list[str]:
    kinds = _kinds(files)
    return [f"files that headstart does not read are left out: {kinds}"] if kinds else []


def notes_on_skipped(skipped: Mapping[Path, str]) -> list[str]:
    return [f"'{path}' {why}, and is left out" for path, why in skipped.items()]


def _note_on_empty(folders: set[tuple[str, ...]]) -> list[str]:
    names = ", ".join(repr("/".join(parts)) for parts in sorted(folders))
    return [f"folders without images are not classes: {names}"] if folders else []


def _kinds(files: Iterable[Path]) -> str:
    counts = Counter(path.suffix.lower() or "no suffix" for path in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(4))


def _folders_in(root: Path, parent: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The visible folders in a folder below `root`, as parts of their paths."""
    return {
        (*parent, path.name) for path in (root / Path(*parent)).iterdir() if path.is_dir() and is_visible(path.name)
    }


def _normal(label: str) -> str:
    """One form of Unicode: macOS writes an accent as two characters, other systems as one."""
    return unicodedata.normalize("NFC", label)
