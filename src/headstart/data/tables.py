"""CSV <-> the listing of a collection: `path,label[,split[,hash]]`. Knows text and paths, opens no image.

Relative paths are relative to the CSV. What `write_splits` writes, `read_listing` reads: a run's splits.csv is itself
a collection that can be trained on or evaluated.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from headstart.data.splits import SPLITS
from headstart.errors import DatasetError

TABLE = "splits.csv"  # of a run

Row = tuple[Path, str, str, str | None]  # path, name, label, split

_SPLIT_NAMES = {**{name: name for name in SPLITS}, "training": "train", "val": "validation", "valid": "validation"}


def read_listing(table: Path) -> list[Row]:
    """The rows of a CSV, with commas, semicolons or tabs between the columns.

    Raises:
        DatasetError: a column, a file or a label is missing, a split has an unknown name, a path stands there twice.
    """
    text = _text(table)
    first = text.partition("\n")[0]
    if not first.strip():
        raise DatasetError(f"'{table}' is empty. Its first line names the columns: path,label or path,label,split.")
    delimiter = max(",;\t", key=first.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [str(name).strip().lower() for name in rows.fieldnames or []]
    missing = [name for name in ("path", "label") if name not in columns]
    if missing:
        raise DatasetError(
            f"'{table}' has no column {' and no column '.join(map(repr, missing))} (found: {', '.join(columns)}). "
            f"Its first line must name the columns: path,label or path,label,split."
        )
    rows.fieldnames = columns

    found: dict[Path, Row] = {}
    faults = []
    try:
        for cells in rows:
            row, fault = _row(table.parent, cells)
            if row and row[0] in found:
                fault = f"'{row[1]}' stands there twice"
            if fault:
                faults.append(f"line {rows.line_num}: {fault}")
            elif row:
                found[row[0]] = row
    except csv.Error as error:
        raise DatasetError(f"'{table}' is no CSV that can be read, at line {rows.line_num}: {error}.") from None
    if faults:
        shown = "\n  ".join(faults[:5] + ([f"... and {len(faults) - 5} more"] if len(faults) > 5 else []))
        raise DatasetError(f"'{table}' has {len(faults)} faulty lines; mend or remove them:\n  {shown}")
    if not found:
        raise DatasetError(f"'{table}' lists no image: there is nothing below its first line.")
    without = sum(row[3] is None for row in found.values())
    if 0 < without < len(found):
        raise DatasetError(
            f"'{table}' names a split for some images, but not for {without} of {len(found)}. "
            f"Fill in the column 'split' for all of them, or leave it out."
        )
    return list(found.values())


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
    """One line of the table, or what is wrong with it."""
    name, label, split = ((cells.get(key) or "").strip() for key in ("path", "label", "split"))
    path = folder / name
    if not name or not label:
        return None, f"no {'label' if name else 'path'}"
    if split and split.lower() not in _SPLIT_NAMES:
        return None, f"split '{split}' is none of {', '.join(SPLITS)}"
    if not path.is_file():
        return None, f"no such file '{name}'"
    return (path, name.replace("\\", "/"), label, _SPLIT_NAMES[split.lower()] if split else None), None


def write_splits(table: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Write `path,label,split,hash`, a line an image."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "hash"))
        writer.writerows(rows)


def read_splits(table: Path) -> list[tuple[str, ...]]:
    """What `write_splits` wrote, row by row, whether or not the files are still there."""
    with table.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
