"""Shards, files that hold many photos, -> lines of a table: which photo has which label. Decodes no image.

A tar as WebDataset writes it holds KEY.jpg, and beside it KEY.cls, KEY.json or KEY.txt with the label; without these,
the folder that a photo lies in is its class. A Parquet file has a column of images, as Hugging Face writes it, or of
paths and URLs. In a folder of several, the name of a file may begin with its split: train-00000-of-00002.parquet.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from headstart.data.columns import IS_VALIDATION, LABEL_NAMES, PATH_NAMES, SPLIT_NAMES, Cells
from headstart.data.formats import FORMAT_OF_SUFFIX
from headstart.data.source import DataSource
from headstart.data.split_names import split_of
from headstart.data.targets import SIGN
from headstart.errors import DatasetError
from headstart.storage.members import TarIndex, image_column, opened_parquet, tar_index
from headstart.storage.url_path import Location, parts_below

AT_ONCE = 8  # shards that are looked through at a time

Line = tuple[str, Cells]  # where it stands, for messages; and the cells


@dataclass(frozen=True)
class ShardTable:
    """names: of the columns. kind: what was read, such as "2 tar shards". source: with the column of images, as if the
    user had named it. root: what paths are relative to, where that is not clear."""

    names: list[str]
    lines: list[Line]
    kind: str
    source: DataSource
    root: Location | None = None


def read_shards(shards: Sequence[Location], root: Location, source: DataSource) -> ShardTable:
    """The lines of shards that all are tars, or all Parquet files.

    Args:
        root: what their paths are relative to.

    Raises:
        DatasetError: they are of two kinds, damaged, or have no labels.
        LocationError, MissingExtraError: see `locations.read`.
    """
    kinds = sorted({shard.suffix.lower() for shard in shards})
    if len(kinds) > 1:
        raise DatasetError(f"'{source}' holds shards of two kinds ({', '.join(kinds)}). Give the folder of one kind.")
    several = len(shards) > 1  # the name of a single one says nothing of its photos
    look = partial(_parquet if kinds == [".parquet"] else _tar, root=root, source=source, several=several)
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tables = list(pool.map(look, sorted(shards)))
    except OSError as error:
        raise DatasetError(f"'{error.filename}' cannot be read: {error.strerror or error}.") from None
    names = list(dict.fromkeys(name for table in tables for name in table.names))
    empty = dict.fromkeys(names, "")
    lines: list[Line] = [(place, empty | dict(cells)) for table in tables for place, cells in table.lines]
    what = "Parquet file" if kinds == [".parquet"] else "tar shard"
    kind = f"a {what}" if len(shards) == 1 else f"{len(shards):,} {what}s"
    return ShardTable(names, lines, kind, tables[0].source)


def _tar(shard: Location, *, root: Location, source: DataSource, several: bool) -> ShardTable:
    index = tar_index(str(shard))
    split = _split_of(shard) if several else ""
    lines = []
    for name in index.places:
        path = PurePosixPath(name)
        if path.suffix.lower() in FORMAT_OF_SUFFIX and not path.name.startswith("."):
            place = f"{'/'.join(parts_below(shard, root))}#{name}"
            lines.append((place, {"path": place, "label": _label_in(index, path, source), "split": split}))
    if not lines:
        raise DatasetError(f"'{shard}' holds no photos. Expected files such as KEY.jpg, with KEY.cls beside each.")
    if not any(cells["label"] for _, cells in lines):
        raise DatasetError(
            f"'{shard}' holds {len(lines):,} photos without labels. Expected beside each KEY.jpg its label in KEY.cls, "
            f'KEY.txt or KEY.json ({{"label": ...}}); or folders in it that are the classes.'
        )
    names = ["path", "label", *(["split"] if split else [])]
    return ShardTable(names, lines, "", replace(source, path_column=None, label_column=None))


def _label_in(index: TarIndex, photo: PurePosixPath, source: DataSource) -> str:
    """What lies beside a photo says its label, or else its folder does. WebDataset's key ends at the first dot."""
    key = str(photo.with_name(photo.name.partition(".")[0]))
    for ending in (".cls", ".json", ".txt"):
        text = index.texts.get(key + ending)
        if text:
            return _label_in_json(text, source) if ending == ".json" else text
    return photo.parent.name


def _label_in_json(text: str, source: DataSource) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return str(document)
    wanted = [source.label_column] if source.label_column else LABEL_NAMES
    return next((str(document[name]) for name in wanted if document.get(name) is not None), "")


def parquet_table(file: Location, *, root: Location, source: DataSource) -> ShardTable:
    """The lines of a single Parquet file, as `read_shards` has them."""
    return _parquet(file, root=root, source=source, several=False)


def _parquet(shard: Location, *, root: Location, source: DataSource, several: bool) -> ShardTable:
    with opened_parquet(str(shard)) as content:
        images = image_column(content.schema_arrow)
        schema = content.schema_arrow
        columns = [field.name for field in schema if field.name != images and _is_plain(field.type)]
        rows = content.read(columns=columns).to_pydict() if columns else {}
        count = content.metadata.num_rows
    names_of = _class_names(schema.metadata or {})
    texts = {name: [_text(value, names_of.get(name)) for value in rows[name]] for name in columns}
    place, width = "/".join(parts_below(shard, root)), len(str(count))
    if images:
        texts[images] = [f"{place}#{row:0{width}}" for row in range(count)]
        source = replace(source, path_column=images)
    if not {name.lower() for name in texts} & {*SPLIT_NAMES, IS_VALIDATION} and several and (split := _split_of(shard)):
        texts["split"] = [split] * count
    names = [*texts]
    if not images and not source.path_column and not {name.lower() for name in names} & set(PATH_NAMES):
        raise DatasetError(
            f"'{shard}' has neither a column of images nor one of paths (found: {', '.join(schema.names)}). Say which "
            f"column has paths or URLs: --path-column NAME."
        )
    lines = zip(*texts.values(), strict=True)
    return ShardTable(
        names, [(f"{place}#{row}", dict(zip(names, line, strict=True))) for row, line in enumerate(lines)], "", source
    )


def _is_plain(kind: Any) -> bool:
    """Whether a column holds one short value a row, or a list of texts, which may be labels."""
    from pyarrow import types

    if types.is_list(kind) and types.is_string(kind.value_type):
        return True
    return not (types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Column -> the names of its classes, which Hugging Face writes as numbers."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
        return {name: each["names"] for name, each in features.items() if each.get("_type") == "ClassLabel"}
    except (ValueError, AttributeError, KeyError):  # whatever this is, it names no classes
        return {}


def _text(value: Any, class_names: Sequence[str] | None) -> str:
    """Of a cell. Hugging Face writes -1 where there is no label."""
    if value is None or (class_names and value == -1):
        return ""
    if class_names and isinstance(value, int) and 0 <= value < len(class_names):
        return class_names[value]
    return SIGN.join(filter(None, value)) if isinstance(value, list) else str(value).strip()


def _split_of(shard: Location) -> str:
    """The split that the name of a shard says, "" where it says none."""
    return split_of(shard.stem) or ""
