"""CSV, Parquet or shards <-> the listing of a collection: `path,label[,split[,hash]]`. Knows text and paths, opens no
image.

Relative paths are relative to the CSV. `read_listing` reads what `write_splits` writes: a run's splits.csv is itself a
collection that can be trained on or evaluated.
"""

import codecs
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from headstart.data.columns import Cells, Columns, find_columns
from headstart.data.label_sets import SIGN, all_classes, label_of, names_in
from headstart.data.listed_files import FileFinder, is_absolute
from headstart.data.shard_tables import Line, ShardTable, read_shards
from headstart.data.shares import Shares, WeighedLine, most_probable, read_shares
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from headstart.storage.locations import read
from headstart.storage.url_path import Location, Url
from headstart.storage.urls import SHARD_SUFFIXES

TABLE = "splits.csv"  # of a run
SUFFIXES = (".csv", ".tsv")
MAX_SHOWN = 5  # faulty lines that a message shows
SEVERAL = "If a photo may have several labels, say so: --multi-label (in Python: hs.DataSource(..., multi_label=True))."

_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # that Excel writes above the columns
_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")
_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")


class Row(NamedTuple):
    """An image that a CSV lists. name: its path as it is written there, with forward slashes. group: None where the
    line names none."""

    path: Location
    name: str
    label: str
    split: str | None
    group: str | None = None
    shares: Shares | None = None  # where several classes have some of it; `label` has the largest


@dataclass(frozen=True)
class Table:
    """What a CSV lists. text: which column is what."""

    rows: list[Row]
    text: str


def read_listing(
    data: Path | DataSource, shards: Sequence[Location] = (), metadata: ShardTable | None = None
) -> Table:  # fmt: skip
    """The rows of a CSV, with commas, semicolons or tabs between the columns; or of a Parquet file; or of shards.

    shards: files in the folder `data`, see `shard_tables.py`. metadata: lines for that folder, see `metadata_files.py`.

    Raises:
        DatasetError: a column, a file or a label is missing, a split is unknown, a path is listed twice, or an image
            has several labels.
    """
    source = DataSource.of(data)
    table = source.path
    root = (metadata and metadata.root) or (table if shards else table.parent)
    if metadata:
        names, lines, kind = metadata.names, metadata.lines, metadata.kind
    elif shards or table.suffix.lower() in SHARD_SUFFIXES:
        found = read_shards(shards or [table], root, source)
        names, lines, kind, source = found.names, found.lines, found.kind, found.source
    else:
        (names, lines), kind = read_csv(table), "a CSV"
    columns = find_columns(names, (cells for _, cells in lines), source)
    finder = FileFinder(source.image_root or root, is_sure=source.image_root is not None)
    rows = _rows(lines, columns, finder, source)
    if not rows:
        raise DatasetError(f"'{table}' lists no images: there is nothing below its first line.")
    without_split = sum(row.split is None for row in rows)
    if 0 < without_split < len(rows):
        raise DatasetError(
            f"'{table}' names a split for some images, but not for {without_split} of {len(rows)}. "
            f"Fill in the column '{columns.split}' for all of them, or leave it out."
        )
    if not source.multi_label:
        _check_one_label_each(rows, table)
        rows = _with_whole_numbers(rows)
    moved = f"; {finder.moved} images are not where it says, but below '{finder.root}'" if finder.moved else ""
    labels = {row.label for row in rows}
    what = f"{len(all_classes(labels))} labels, several per photo," if source.multi_label else f"{len(labels)} classes"
    return Table(rows, f"{kind} of {what} with the columns {columns.text}{moved}")


def read_csv(table: Location) -> tuple[list[str], list[Line]]:
    """The names of the columns, and the lines that are not empty."""
    text = _text(table)
    told = _SEPARATOR_LINE.match(text)
    first = _LINE.search(text, told.end() if told else 0)
    if not first:
        raise DatasetError(f"'{table}' is empty. Its first line names the columns: path,label or path,label,split.")
    delimiter = told[1] if told else max(",;\t", key=first[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines: list[tuple[int, list[str]]] = []
    try:
        for line in reader:
            if any(map(str.strip, line)):
                lines.append((reader.line_num, list(map(str.strip, line))))
    except csv.Error as error:
        raise DatasetError(f"'{table}' is not a valid CSV, at line {reader.line_num}: {error}.") from None
    (_, names), *below = lines[1 if told else 0 :] or [(0, [])]
    return names, [
        (f"line {number}", dict(zip(names, line + [""] * len(names), strict=False))) for number, line in below
    ]


def _text(table: Location) -> str:
    try:
        content = read(str(table))
    except OSError as error:
        raise DatasetError(f"'{table}' cannot be opened: {error.strerror or error}.") from None
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # a spreadsheet's "Unicode text"
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"'{table}' cannot be read as UTF-8 text ({error}). In a spreadsheet, save it as 'CSV UTF-8'."
        ) from None


def _rows(lines: Iterable[Line], columns: Columns, finder: FileFinder, source: DataSource) -> list[Row]:
    rows: dict[str, Row] = {}
    faults, weighed = [], list[WeighedLine]()
    for place, cells in lines:
        row, fault = _row(finder, cells, columns)
        known = rows.setdefault(_key(row.path), row) if row else None
        if row and columns.weight:
            weighed.append(WeighedLine(place, _key(row.path), row.label, cells[columns.weight]))
        if row and known and known is not row:
            has_parts = columns.weight or columns.multi_label
            fault = _fault_of_parts(row, known) if has_parts else _fault_of_two(row, known)
            if not fault and columns.multi_label:
                rows[_key(row.path)] = _of_both(row, known)
        if fault:
            faults.append(f"{place}: {fault}")
    if weighed and not faults:
        shares, faults = read_shares(weighed, str(source))
        rows = {key: _shared(row, shares[key]) for key, row in rows.items() if shares[key]}
    if faults:
        more = [f"... and {len(faults) - MAX_SHOWN} more"] if len(faults) > MAX_SHOWN else []
        shown = "\n  ".join(faults[:MAX_SHOWN] + more)
        counted, them = ("1 faulty line", "it") if len(faults) == 1 else (f"{len(faults):,} faulty lines", "them")
        remedy = f"Correct or remove {them}"
        if any("several labels (" in fault for fault in faults):
            remedy = f"{SEVERAL} Else correct or remove {them}"
        raise DatasetError(f"'{source}' has {counted}. {remedy}:\n  {shown}")
    return list(rows.values())


def _row(finder: FileFinder, cells: Cells, columns: Columns) -> tuple[Row | None, str | None]:
    """A line of the table, or what is wrong with it."""
    name = cells[columns.path]
    if not name:
        return None, "no path"
    label, fault = columns.label_of(cells)
    split, unknown = columns.split_of(cells)
    if label is None or fault or unknown:
        return None, fault or unknown
    path = finder.find(name)
    if path is None:
        return None, _missing(name, finder)
    return Row(
        path, name.replace("\\", "/"), label, split, cells[columns.group] or None if columns.group else None
    ), None


def _key(path: Location) -> str:
    return str(path) if isinstance(path, Url) else os.path.abspath(path)  # noqa: PTH100  without links


def _missing(name: str, finder: FileFinder) -> str:
    if is_absolute(name):
        return f"no such file '{name}'; if the images are elsewhere now, say where: --image-root FOLDER"
    return f"no such file '{name}' in '{finder.root}'"


def _fault_of_two(row: Row, known: Row) -> str:
    if known.label != row.label:
        return f"'{row.name}' has several labels ('{known.label}' and '{row.label}'), where one is expected"
    return f"'{row.name}' is listed twice"


def _of_both(row: Row, known: Row) -> Row:
    return known._replace(label=label_of({*names_in(known.label), *names_in(row.label)}))


def _fault_of_parts(row: Row, known: Row) -> str | None:
    """What is wrong with two lines that give a photo to several classes, or several labels."""
    for what in ("split", "group"):
        one, other = getattr(known, what), getattr(row, what)
        if one != other:
            return f"'{row.name}' is of the {what} {other!r}, and in an earlier line of {one!r}; expected one {what}"
    return None


def _shared(row: Row, shares: Shares) -> Row:
    return row._replace(label=most_probable(shares), shares=shares if len(shares) > 1 else None)


def _check_one_label_each(rows: Sequence[Row], table: Location) -> None:
    """
    Raises:
        DatasetError: labels name several classes each, such as "cats|dogs".
    """
    labels = {row.label for row in rows}
    for sign in "|;,":
        parts = {label: {part.strip() for part in label.split(sign)} for label in labels if sign in label}
        shared = Counter(part for each in parts.values() for part in each if part)
        for label, each in sorted(parts.items()):
            known = [part for part in each if part in labels or (sign == "|" and shared[part] > 1)]
            if known and (sign == "|" or len(known) == len(each)):
                count = sum(row.label == label for row in rows)
                raise DatasetError(
                    f"'{table}' has the label '{label}' ({count} images), which looks like several labels per photo"
                    f"{'' if sign == SIGN else f', but for the sign between them: expected {SIGN!r}'}. {SEVERAL} Else "
                    f"leave one label each, or write '{label.replace(sign, ' and ')}' to make both together a class of "
                    f"its own."
                )


def _with_whole_numbers(rows: list[Row]) -> list[Row]:
    """Where all labels are numbers, 0.0 is written as 0: spreadsheets and pandas write either."""
    names = {row.label for row in rows} | {name for row in rows for name, _ in row.shares or ()}
    if not all(re.fullmatch(r"[+-]?\d+(\.\d+)?", name) for name in names):
        return rows
    whole = {name: found[1] if (found := _WHOLE_NUMBER.fullmatch(name)) else name for name in names}
    return [
        row._replace(
            label=whole[row.label], shares=row.shares and tuple((whole[name], share) for name, share in row.shares)
        )
        for row in rows
    ]


def write_splits(table: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Write `path,label,split,hash`, one line per image; with a fifth column, `group`, if rows have one."""
    rest = iter(rows)
    first = next(rest, None)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "hash", "group")[: len(first) if first else 4])
        writer.writerows([first] if first else [])
        writer.writerows(rest)


def read_splits(table: Path) -> list[tuple[str, ...]]:
    """The rows that `write_splits` wrote, whether or not the images are still there."""
    with table.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
