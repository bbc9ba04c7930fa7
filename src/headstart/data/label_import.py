"""A CSV of labels and a collection -> the corrections that give its photos these labels. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data.collection import Read
from headstart.data.corrections import Correction
from headstart.data.source import DataSource
from headstart.data.tables import Row, read_listing
from headstart.errors import DatasetError
from headstart.storage.url_path import real_name


@dataclass(frozen=True)
class Imported:
    """corrections: of the photos whose labels differ. same: photos that had these labels. unknown: rows of photos that
    are not in the collection."""

    corrections: list[Correction]
    same: int
    unknown: int


def read_labels(
    table: Path, photos: Sequence[Read], labels: Mapping[str, str | None], source: DataSource
) -> Imported:  # fmt: skip
    """The corrections that a CSV with the columns path,label asks for. Photos that it does not list stay as they are.

    Args:
        table: its paths are relative to it, or to the collection's folder.
        photos: of the collection, with its own labels.
        labels: of the journal.
        source: the collection; its `path_column` and the like say how the CSV is read.

    Raises:
        DatasetError: the CSV cannot be read, or lists no photo of the collection.
    """
    rows = _rows(table, source)
    known = {real_name(photo.item.path): photo for photo in photos}
    found = [(photo, row.label) for row in rows if (photo := known.get(real_name(row.path)))]
    if not found:
        raise DatasetError(
            f"None of the {len(rows):,} photos in '{table}' (such as '{rows[0].name}') is one of '{source}'. Give the "
            f"collection that they belong to."
        )
    corrections = [
        Correction(photo.digest, photo.item.name, was, label)
        for photo, label in found
        if (was := labels.get(photo.digest, photo.item.label)) != label
    ]
    return Imported(corrections, len(found) - len(corrections), len(rows) - len(found))


def _rows(table: Path, source: DataSource) -> list[Row]:
    """Of the CSV, whose paths start from its own folder, or else from the collection's."""
    own = DataSource(table, path_column=source.path_column, label_column=source.label_column)
    folder = source.image_root or (source.path if source.path.is_dir() else source.path.parent)
    try:
        return read_listing(own).rows
    except DatasetError as error:
        try:
            return read_listing(replace(own, image_root=folder)).rows
        except DatasetError:
            raise error from None
