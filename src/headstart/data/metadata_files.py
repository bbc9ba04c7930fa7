"""Photos with metadata files beside them, as Hugging Face's `imagefolder` has them -> lines of a table.

`metadata.csv`, `.jsonl` or `.parquet` in a folder lists photos of that folder in the column `file_name`; folders named
after splits (`train/`, `test/`) say the split. A file without a column of labels (captions, boxes) is no such table:
there the folders are the classes. Opens no image.
"""

import json
from collections.abc import Iterable, Sequence

from headstart.data.columns import LABEL_NAMES, LABELS_NAMES, SPLIT_NAMES
from headstart.data.shard_tables import Line, ShardTable, parquet_table
from headstart.data.source import DataSource
from headstart.data.split_names import is_plain_split, split_of
from headstart.data.tables import read_csv
from headstart.data.targets import SIGN
from headstart.errors import DatasetError
from headstart.storage.locations import read
from headstart.storage.url_path import Location, parts_below

FILE_NAME = "file_name"
NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def read_metadata(others: Iterable[Location], root: Location, source: DataSource) -> ShardTable | None:
    """The lines of all metadata files of a folder, as of one table; None where it has none with labels.

    others: the files in the folder that are no images. root: the folder.

    Raises:
        DatasetError: one is damaged, or only some of them have labels.
    """
    files = sorted(file for file in others if file.name in NAMES)
    tables = [(file, *_lines(file, root, source)) for file in files]
    wanted = (source.path_column or FILE_NAME).lower()
    tables = [(file, names, lines) for file, names, lines in tables if wanted in map(str.lower, names)]
    usual = {*LABEL_NAMES, *LABELS_NAMES} if source.multi_label else set(LABEL_NAMES)
    labels = {source.label_column.lower()} if source.label_column else usual
    labelled = [file for file, names, _ in tables if labels & {name.lower() for name in names}]
    if not labelled:
        return None
    if len(labelled) < len(tables):
        other = next(file for file, *_ in tables if file not in labelled)
        raise DatasetError(
            f"'{labelled[0]}' has a column of labels, and '{other}' has none. Add it there, or remove that file."
        )
    names = list(dict.fromkeys(name for _, of_file, _ in tables for name in of_file))
    column = next(name for name in names if name.lower() == wanted)
    has_splits = any(name.lower() in SPLIT_NAMES for name in names)
    empty, found = dict.fromkeys(names, ""), list[Line]()
    for file, _, lines in tables:
        folders = parts_below(file, root)[:-1]
        for place, cells in lines:
            path = "/".join((*folders, cells.get(column, ""))) if cells.get(column) else ""
            split = {} if has_splits else {"split": _split(path)}
            found.append((f"{'/'.join((*folders, file.name))}, {place}", empty | dict(cells) | {column: path} | split))
    if not has_splits and any(cells["split"] for _, cells in found):
        names.append("split")
    kinds = " and ".join(sorted({file.name for file in labelled}))
    text = f"{len(tables)} metadata files ({kinds})" if len(tables) > 1 else f"a {kinds}"
    return ShardTable(names, found, text, source, root)


def _split(path: str) -> str:
    """The split that the first folder of a path says; "" where it says none."""
    first, _, below = path.partition("/")
    return split_of(first) or "" if below and is_plain_split(first) else ""


def _lines(file: Location, root: Location, source: DataSource) -> tuple[Sequence[str], Sequence[Line]]:
    if file.suffix == ".csv":
        return read_csv(file)
    if file.suffix == ".parquet":
        table = parquet_table(file, root=root, source=source)
        return table.names, table.lines
    return _json_lines(file)


def _text(value: object) -> str | None:
    """Of a plain value, or a list of several labels; None of what is neither."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return SIGN.join(value)
    if isinstance(value, str | int | float | None):
        return "" if value is None else str(value)
    return None


def _json_lines(file: Location) -> tuple[list[str], list[Line]]:
    """A JSON object a line: its plain values, and lists of texts, as text."""
    try:
        text = read(str(file)).decode("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"'{file}' cannot be opened: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"'{file}' cannot be read as UTF-8 text ({error}).") from None
    lines = list[Line]()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"'{file}' is not valid JSON, at line {number}: {error}.") from None
        if not isinstance(content, dict):
            expected = '{"file_name": "1.jpg", "label": "cat"}'
            raise DatasetError(f"'{file}', line {number}: expected an object, such as {expected}.")
        texts = {name: text for name, value in content.items() if (text := _text(value)) is not None}
        lines.append((f"line {number}", texts))
    return list(dict.fromkeys(name for _, cells in lines for name in cells)), lines
