"""CSV <-> the listing of a collection: `path,label[,split[,hash]]`. Knows text and paths, opens no image.

Relative paths are relative to the CSV. `read_listing` reads what `write_splits` writes: a run's splits.csv is itself a
collection that can be trained on or evaluated.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from headstart.data.splits import SPLITS
from headstart.errors import DatasetError

TABLE = "splits.csv"  # of a run
MAX_SHOWN = 5  # faulty lines that a message shows

Row = tuple[Path, str, str, str | None]  # path, name, label, split

_SPLIT_NAMES = {**{name: name for name in SPLITS}, "training": "train", "val": "validation", "valid": "validation"}


def read_listing(table: Path) -> list[Row]:
    """The rows of a CSV, with commas, semicolons or tabs between the columns.

    Raises:
        DatasetError: a column, a file or a label is missing, a split is unknown, or a path is listed twice.
    """
    rows = _read_rows(table, _open(table))
    if not rows:
        raise DatasetError(f"'{table}' lists no images: there is nothing below its first line.")
    without_split = sum(split is None for *_, split in rows)
    if 0 < without_split < len(rows):
        raise DatasetError(
            f"'{table}' names a split for some images, but not for {without_split} of {len(rows)}. "
            f"Fill in the column 'split' for all of them, or leave it out."
        )
    return rows


def _open(table: Path) -> csv.DictReader:
    """Find the separator, and check the names of the columns."""
    text = _text(table)
    first = text.partition("\n")[0]
    if not first.strip():
        raise DatasetError(f"'{table}' is empty. Its first line names the columns: path,label or path,label,split.")
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [str(name).strip().lower() for name in reader.fieldnames or []]
    missing = [name for name in ("path", "label") if name not in columns]
    if missing:
        raise DatasetError(
            f"'{table}' has no column {' and no column '.join(map(repr, missing))} (found: {', '.join(columns)}). "
            f"Its first line must name the columns: path,label or path,label,split."
        )
    reader.fieldnames = columns
    return reader


def _read_rows(table: Path, reader: csv.DictReader) -> list[Row]:
    rows: dict[Path, Row] = {}
    faults = []
    try:
        for cells in reader:
            row, fault = _row(table.parent, cells)
            if row and row[0] in rows:
                fault = f"'{row[1]}' is listed twice"
            if fault:
                faults.append(f"line {reader.line_num}: {fault}")
            elif row:
                rows[row[0]] = row
    except csv.Error as error:
        raise DatasetError(f"'{table}' is not a valid CSV, at line {reader.line_num}: {error}.") from None
    if faults:
        more = [f"... and {len(faults) - MAX_SHOWN} more"] if len(faults) > MAX_SHOWN else []
        lines = "\n  ".join(faults[:MAX_SHOWN] + more)
        raise DatasetError(f"'{table}' has {len(faults)} faulty lines. Correct or remove them:\n  {lines}")
    return list(rows.values())


def _text(table: Path) -> str:
    try:
        return table.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"'{table}' cannot be opened: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"'{table}' cannot be read as UTF-8 text ({error}). In a spreadsheet, save it as 'CSV UTF-8'."
        ) from None


def _row(folder: Path, cells: dict[str, str | None]) -> tuple[Row | None, str | None]:
    """A line of the table, or what is wrong with it."""
    name, label, split = ((cells.get(key) or "").strip() for key in ("path", "label", "split"))
    path = folder / name
    if not name or not label:
        return None, f"no {'label' if name else 'path'}"
    if split and split.lower() not in _SPLIT_NAMES:
        return None, f"unknown split '{split}' (expected {', '.join(SPLITS)})"
    if not path.is_file():
        return None, f"no such file '{name}'"
    return (path, name.replace("\\", "/"), label, _SPLIT_NAMES[split.lower()] if split else None), None


def write_splits(table: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Write `path,label,split,hash`, one line per image."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "hash"))
        writer.writerows(rows)


def read_splits(table: Path) -> list[tuple[str, ...]]:
    """The rows that `write_splits` wrote, whether or not the images are still there."""
    with table.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
