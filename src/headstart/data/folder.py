"""Directory, zip, CSV or the URL of one -> a listing: which image files there are, of which class, in which split.

Looks at names only, and opens no image (`loading.py` does). Changes nothing of the user's: a zip is unpacked into
headstart's cache.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data import archives, tables
from headstart.data.class_tree import note_on_divided, notes_on_class_tree
from headstart.data.corrections_file import corrections_file
from headstart.data.folder_tree import PartsBelow, Tree
from headstart.data.groups import group_names
from headstart.data.items import Item, column, packed_items
from headstart.data.layout import FORMS, Layout, understand
from headstart.data.lost_classes import refuse_lost_classes
from headstart.data.metadata_files import read_metadata
from headstart.data.own_output import what_headstart_wrote
from headstart.data.shard_tables import ShardTable
from headstart.data.source import DataSource
from headstart.data.splits import OTHER
from headstart.data.walking import Files, files_below
from headstart.errors import DatasetError
from headstart.events import Listener, Message
from headstart.storage.regular import check_regular
from headstart.storage.url_path import Location, Url, parts_below
from headstart.storage.urls import SHARD_SUFFIXES

TABLES = (*tables.SUFFIXES, *SHARD_SUFFIXES)
# settings that folders do not have
OF_CSV = {"path_column", "label_column", "group_column", "weight_column", "image_root"}


@dataclass(frozen=True)
class Listing:
    """The image files of a collection, with the labels that it gives them."""

    source: str  # what was listed, as the user named it
    items: Sequence[Item]  # sorted by name
    notes: tuple[str, ...]  # what was left out, in sentences
    layout: str  # what was understood, in a sentence without a full stop
    unlabelled: Sequence[Item] = ()  # photos without a class, with "" as label, if they were asked for
    corrections: Path | None = None  # the file of the user's corrections, if there is one
    hierarchy: bool = False  # whether labels are paths in a hierarchy of classes
    multi_label: bool = False  # whether the label of an item is all labels of the photo, see `label_sets.py`

    @property
    def photos(self) -> Sequence[Item]:
        """All, those without a class last."""
        return (*self.items, *self.unlabelled) if self.unlabelled else self.items


def list_images(
    data: Location | DataSource, listener: Listener | None = None, *, unlabelled: bool = False
) -> Listing:  # fmt: skip
    """The images of a directory, zip or CSV.

    Args:
        listener: is told the layout, and may cancel the unpacking of a zip.
        unlabelled: whether photos outside of any class folder are listed too, as those that have no label yet, and
            a folder of nothing but such photos is a collection. Where there are corrections, it is so in any case.

    Raises:
        DatasetError: it does not exist, or holds no images in one of the four forms.
        CancelledError: the listener asks the work to stop.
    """
    source = DataSource.of(data)
    _check_exists(source.path)
    corrections = corrections_file(source)
    if corrections and not os.path.exists(corrections):  # noqa: PTH110  Path.exists raises where a name is too long
        corrections = None
    listing = _listing_of(source, listener, unlabelled=unlabelled or corrections is not None)
    listing = replace(_grouped(listing, source.group_by), corrections=corrections, hierarchy=source.hierarchy)
    listing = replace(listing, multi_label=source.multi_label)
    if source.hierarchy:
        notes = notes_on_class_tree({*column(listing.items, "label")} - {OTHER})
        listing = replace(listing, notes=(*listing.notes, *notes))
    if listener:
        listener.emit(Message(f"Layout: {listing.layout}."))
    return listing


def _listing_of(source: DataSource, listener: Listener | None, *, unlabelled: bool) -> Listing:
    data = source.path
    if data.is_dir():
        return _list_folder(data, source, unlabelled=unlabelled)
    if isinstance(data, Path):
        _check_opens(data)
    if data.suffix.lower() in TABLES:
        return _list_table(source)
    if archives.is_zip(data):
        return _list_folder(archives.unpacked(data, listener), source, unlabelled=unlabelled)
    if isinstance(data, Url):
        found = f"'{data}' is neither a folder nor a zip nor a table nor a shard. Unpack other archives.\n{FORMS}"
    else:
        found = f"'{data}' is neither a folder nor a zip nor a CSV{archives.remedy(data)}.\n{FORMS}"
    raise DatasetError(found, reason="no-collection-there", path=str(data))


def _list_table(
    source: DataSource,
    shards: Sequence[Location] = (),
    notes: Iterable[str] = (),
    metadata: ShardTable | None = None,
) -> Listing:
    """shards, metadata: in the folder `source`; none: `source` is a file."""
    _check_settings(source, is_csv=True)
    if source.multi_label and source.hierarchy:
        raise DatasetError(
            f"For '{source}', --multi-label (any number of labels per photo) and --hierarchy (one class per photo) "
            f"were both given. Leave one of them out."
        )
    table = tables.read_listing(source, shards, metadata)
    items = [
        Item(
            row.path,
            row.name,
            _normal(row.label),
            row.split,
            row.group,
            shares=row.shares and tuple((_normal(name), share) for name, share in row.shares),
        )
        for row in table.rows
    ]
    return _listing(source.path, items, (*notes, *_note_on_shares(items)), table.text)


def _note_on_shares(items: Sequence[Item]) -> list[str]:
    shared = sum(item.shares is not None for item in items)
    if not shared:
        return []
    return [
        f"the labels of {shared:,} of {len(items):,} photos are probabilities: training fits these; elsewhere, such as "
        f"for accuracy and in the studio, the label is the class with the largest share"
    ]


def _check_opens(data: Path) -> None:
    try:
        check_regular(data)  # who reads a pipe may wait for ever
        with data.open("rb"):
            pass
    except OSError as error:
        reason = f"it cannot be opened: {error.strerror or error}"
        text = f"'{data}' is neither a folder nor a zip nor a CSV ({reason}).\n{FORMS}"
        raise DatasetError(text, reason="no-collection-there", path=str(data)) from None


def _check_exists(data: Location) -> None:
    try:
        exists = data.exists()
    except OSError as error:
        kind = "cannot be opened" if isinstance(data, Url) else "is not a valid path"
        raise DatasetError(f"'{data}' {kind}: {error.strerror or error}.") from None
    if not exists and isinstance(data, Url):
        raise DatasetError(f"'{data}' does not exist: there is no object of this name, and none below it.\n{FORMS}")
    if not exists:
        raise DatasetError(
            f"'{data}' does not exist. Check the path (now in '{Path.cwd()}').\n{FORMS}",
            reason="no-such-path",
            path=str(data),
        )


def _grouped(listing: Listing, rule: str | None) -> Listing:
    """With the groups that a rule finds, or those of a CSV, in which an image without one is a group of its own."""
    listed = listing.photos
    if rule is None:
        if not any(item.group for item in listed):
            return listing
        groups, notes = [item.group or item.name for item in listed], []
    else:
        names, labels = [item.name for item in listed], [item.label for item in listed]
        groups, notes = group_names(names, labels, rule, listing.source)
    items = packed_items([replace(item, group=group) for item, group in zip(listed, groups, strict=True)])
    count = len(listing.items)
    return replace(listing, items=items[:count], unlabelled=items[count:], notes=(*listing.notes, *notes))


def _check_settings(source: DataSource, *, is_csv: bool) -> None:
    wrong = source.settings().keys() & ({"class_level"} if is_csv else OF_CSV)
    if wrong:
        options = ", ".join("--" + name.replace("_", "-") for name in sorted(wrong))
        raise DatasetError(
            f"'{source}' is {'a' if is_csv else 'no'} CSV, but {options} {'is' if len(wrong) == 1 else 'are'} given, "
            f"which says how {'folders are' if is_csv else 'a CSV is'} read. Leave it out."
        )


def _check_one_reading(source: DataSource) -> None:
    if source.multi_label:
        raise DatasetError(
            f"'{source}' is a folder, and folders give each photo one label. Several (--multi-label) need a table: a "
            f"CSV with the columns path,labels and a|b in the second, or with a column of 0 and 1 for each label."
        )
    if source.hierarchy and source.class_level is not None:
        raise DatasetError(
            f"For '{source}', --hierarchy (folders at all levels are classes) and --class-level {source.class_level} "
            f"(those of one level are) were both given. Leave one of them out."
        )


def _listing(source: Location, items: Iterable[Item], notes: Iterable[str], layout: str) -> Listing:
    return Listing(str(source), packed_items(sorted(items, key=lambda item: item.name)), tuple(notes), layout)


def _list_folder(root: Location, source: DataSource, *, unlabelled: bool) -> Listing:
    """The listing of a folder. source: what messages name instead of it. unlabelled: see `list_images`."""
    if what := what_headstart_wrote(root):
        raise DatasetError(
            f"'{source}' is {what} that headstart wrote, no collection. Give the photos; those of a run are listed in "
            f"its splits.csv.",
            reason="own-output",
            path=str(source),
        )
    files = files_below(root)
    shards = [file for file in files.others if file.suffix.lower() in SHARD_SUFFIXES]
    if shards and not files.images:
        return _list_table(source, shards, notes_on_skipped(files.skipped))
    if files.images and (metadata := read_metadata(files.others, root, source)):
        listing = _list_table(source, notes=notes_on_skipped(files.skipped), metadata=metadata)
        return replace(listing, notes=(*listing.notes, *_note_on_unlisted(files.images, listing.items)))
    _check_settings(source, is_csv=False)
    _check_one_reading(source)
    if not files.images:
        found = _kinds(files.others) or "nothing"
        remedy = " Unpack the archives in it." if any(archives.is_archive(file) for file in files.others) else ""
        raise DatasetError(
            f"'{source}' holds no images (found: {found}).{remedy}\n{FORMS}", reason="no-photos", path=str(source)
        )
    tree = Tree(root, PartsBelow(files.images, root))
    layout = _layout(tree, source, unlabelled=unlabelled)
    items = []
    for path in files.images:
        parts = parts_below(path, root)
        if place := layout.places.get(parts[:-1]):
            items.append(Item(path, _name(path, parts[len(layout.root) :]), _normal(place.label), place.split))
    loose = sorted(_loose(files.images, root, layout))
    notes = _notes(root, () if unlabelled else loose, layout, files, source)
    listing = _listing(source.path, items, notes, layout.text)
    if not unlabelled:
        return listing
    return replace(
        listing, unlabelled=tuple(Item(path, _name(path, parts_below(path, root)), "", None) for path in loose)
    )


def _layout(tree: Tree, source: DataSource, *, unlabelled: bool) -> Layout:
    try:
        return understand(tree, source.path, source.class_level, hierarchy=source.hierarchy)
    except DatasetError:
        if not (unlabelled and tree.counts[()]):
            raise
        return Layout({}, (), (), f"{len(tree.images):,} photos without classes", {})


def _loose(images: Iterable[Location], root: Location, layout: Layout) -> Iterable[Location]:
    """Images outside of any class folder."""
    for path in images:
        parts = parts_below(path, root)
        is_repeated = any(parts[: len(each)] == each for each in layout.left_out)
        if parts[:-1] not in layout.places and not is_repeated:
            yield path


def _name(path: Location, parts: tuple[str, ...]) -> str:
    """The parts in one text: that of a URL itself where it is the same, or all names would be in memory twice."""
    name = "/".join(parts)
    return path.below if isinstance(path, Url) and path.below == name else name


def _notes(root: Location, loose: Sequence[Location], layout: Layout, files: Files, source: DataSource) -> list[str]:
    """What is left out, in sentences. loose: images that are left out because they are outside of any class folder.

    Raises:
        DatasetError: a folder at the place of a class holds nothing but pictures that are not read.
    """
    used = {parts[:level] for parts in layout.places for level in range(len(parts) + 1)}
    empty = {
        parts
        for parent in layout.parents
        for parts in _folders_in(root, parent, files.folders) - used - layout.left_out.keys()
    }
    refuse_lost_classes(empty, files.others, root, source.path)
    return [
        *layout.left_out.values(),
        *(() if source.hierarchy or source.class_level else note_on_divided(layout)),
        *_note_on_loose(loose),
        *note_on_others(files.others),
        *_note_on_empty(empty),
        *notes_on_skipped(files.skipped),
    ]


def _note_on_loose(images: Sequence[Location]) -> list[str]:
    if not images:
        return []
    return [f"{len(images)} images outside any class folder are left out (such as '{images[0].name}')"]


def _note_on_unlisted(images: Sequence[Location], items: Iterable[Item]) -> list[str]:
    listed = {item.path for item in items}
    others = [image for image in images if image not in listed]
    if not others:
        return []
    return [f"{len(others):,} images that the metadata do not list are left out (such as '{others[0].name}')"]


def note_on_others(files: Iterable[Location]) -> list[str]:
    kinds = _kinds(files)
    return [f"files that headstart does not read are left out: {kinds}"] if kinds else []


def notes_on_skipped(skipped: Mapping[Location, str]) -> list[str]:
    return [f"'{path}' {why}, and is left out" for path, why in skipped.items()]


def _note_on_empty(folders: set[tuple[str, ...]]) -> list[str]:
    names = ", ".join(repr("/".join(parts)) for parts in sorted(folders))
    return [f"folders without images are not classes: {names}"] if folders else []


def _kinds(files: Iterable[Location]) -> str:
    counts = Counter(path.suffix.lower() or "no suffix" for path in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(4))


def _folders_in(root: Location, parent: tuple[str, ...], folders: Iterable[Location]) -> set[tuple[str, ...]]:
    """Of all folders, those in a folder below `root`, as parts of their paths."""
    above = root.joinpath(*parent).parts
    return {(*parent, folder.name) for folder in folders if folder.parts[:-1] == above}


def _normal(label: str) -> str:
    """One form of Unicode: macOS writes an accent as two characters, other systems as one."""
    return unicodedata.normalize("NFC", label)
