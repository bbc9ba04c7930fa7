"""A member of a shard, which holds many files, -> its bytes: of a tar by its place in it, of a Parquet file by its row.

A tar is looked through once, from its beginning to its end; where its members lie is kept in the cache. A row of a
Parquet file can only be read with those of its row group, so the last groups stay in memory.
"""

import errno
import json
import tarfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, cast

from headstart.errors import DatasetError, MissingExtraError
from headstart.storage import cache
from headstart.storage.filesystems import filesystem, told
from headstart.storage.hashing import sha256
from headstart.storage.urls import is_url, without_secrets

TEXTS = (".cls", ".json", ".txt")  # endings of what lies beside a photo and says what it shows
MAX_TEXT = 64 * 1024  # bytes
BLOCK = 8 * 2**20  # bytes that are asked for at a time where a shard is looked through
KEPT_INDEXES, KEPT_GROUPS = 16, 4
MINUTE = 60.0  # seconds
_SCHEMA = 1

_locks: defaultdict[str, Lock] = defaultdict(Lock)  # threads that need the same index, or the same group, read it once


@dataclass(frozen=True)
class TarIndex:
    """Where the files in a tar lie: name -> (offset, bytes). texts: the content of those that say what photos show."""

    places: dict[str, tuple[int, int]]
    texts: dict[str, str]


def read_member(file: str, member: str) -> bytes:
    """
    Args:
        file: path or URL of a shard.
        member: the name of a file in a tar; the number of a row, from 0, in a Parquet file.

    Raises:
        OSError: there is no such member, or the shard cannot be read.
        DatasetError: the shard is damaged.
        LocationError, MissingExtraError: see `locations.read`.
    """
    if file.lower().endswith(".parquet"):
        return _cell(file, member)
    place = tar_index(file).places.get(member)
    if place is None:
        raise _missing(file, member)
    return read_range(file, *place)


def read_range(file: str, start: int, size: int) -> bytes:
    """Some bytes of a file.

    Raises:
        OSError, LocationError, MissingExtraError: see `locations.read`.
    """
    if not is_url(file):
        with Path(file).open("rb") as opened:
            opened.seek(start)
            return opened.read(size)
    opened, path = filesystem(file)
    with told(file):
        return opened.cat_file(path, start=start, end=start + size)


def tar_index(file: str) -> TarIndex:
    """
    Raises:
        DatasetError: it is no tar, or a compressed or damaged one.
        OSError, LocationError, MissingExtraError: see `locations.read`.
    """
    with _locks[file]:
        return _indexed(file, version_of(file))


def version_of(file: str) -> str:
    """What changes when the file does. A store is asked once in a minute at most.

    Raises:
        OSError, LocationError, MissingExtraError: see `locations.read`.
    """
    if not is_url(file):
        found = Path(file).stat()
        return f"{found.st_size} {found.st_mtime_ns}"
    return _version_at(file, time.monotonic() // MINUTE)


@lru_cache
def _version_at(file: str, minute: float) -> str:
    opened, path = filesystem(file)
    with told(file):
        found = opened.info(path)
        return " ".join(str(found.get(name)) for name in ("size", "ETag", "etag", "LastModified", "mtime", "created"))


@contextmanager
def opened_file(file: str) -> Iterator[BinaryIO]:
    """A file to read and seek in. One at a URL comes in large blocks.

    Raises:
        OSError, LocationError, MissingExtraError: see `locations.read`.
    """
    if not is_url(file):
        with Path(file).open("rb") as opened:
            yield opened
        return
    files, path = filesystem(file)
    with told(file):
        remote = files.open(path, block_size=BLOCK, cache_type="readahead")
    with remote:
        yield cast(BinaryIO, _Told(remote, file))


class _Told:
    """A file of a store. What reading raises is told in words; what its reader makes of the content is not."""

    def __init__(self, file: Any, place: str) -> None:
        self._file, self._place = file, place

    def read(self, size: int = -1) -> bytes:
        with told(self._place):
            return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@lru_cache(maxsize=KEPT_INDEXES)
def _indexed(file: str, version: str) -> TarIndex:
    name = sha256(f"{_SCHEMA} {file} {version}".encode())[:32]
    entry = cache.cache_folder() / cache.READABLE / "shards" / f"{name}.json"
    try:
        kept = json.loads(entry.read_bytes())
        return TarIndex({name: (start, size) for name, (start, size) in kept["places"].items()}, kept["texts"])
    except (OSError, ValueError):  # it was not looked through yet
        index = _looked_through(file)
        cache.store_file(entry, json.dumps({"places": index.places, "texts": index.texts}).encode())
        return index


def _looked_through(file: str) -> TarIndex:
    places: dict[str, tuple[int, int]] = {}
    texts: dict[str, str] = {}
    try:
        with opened_file(file) as opened, tarfile.open(fileobj=opened, mode="r:") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if member.isreg():
                    places[name] = (member.offset_data, member.size)
                if member.isreg() and name.endswith(TEXTS) and member.size <= MAX_TEXT:
                    content = tar.extractfile(member)
                    texts[name] = content.read().decode("utf-8", "replace").strip() if content else ""
                cast(Any, tar).members = []  # or all of them would stay in memory
    except (tarfile.TarError, EOFError) as error:
        raise DatasetError(
            f"'{without_secrets(file)}' cannot be read as a tar ({error}). A tar that is compressed, or cut short, "
            f"gives no single photos: write it again, without compression (photos are compressed already)."
        ) from None
    return TarIndex(places, texts)


def image_column(schema: Any) -> str | None:
    """The column of a Parquet file that holds images: bytes, or as Hugging Face writes them, bytes beside a path."""
    from pyarrow import types

    for field in schema:
        kind = field.type
        names = {kind.field(index).name for index in range(kind.num_fields)} if types.is_struct(kind) else set()
        if "bytes" in names or types.is_binary(kind) or types.is_large_binary(kind):
            return field.name
    return None


@contextmanager
def opened_parquet(file: str) -> Iterator[Any]:
    """A pyarrow.parquet.ParquetFile.

    Raises:
        DatasetError: it is damaged, or no Parquet file.
        OSError, LocationError, MissingExtraError: see `locations.read`.
    """
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError as error:
        raise MissingExtraError(
            "Parquet files are read with pyarrow, which is not installed: pip install 'headstart[remote]'"
        ) from error
    try:
        with opened_file(file) as opened, parquet.ParquetFile(opened) as content:
            yield content
    except ArrowInvalid as error:
        raise DatasetError(f"'{without_secrets(file)}' cannot be read as a Parquet file ({error}).") from None


def _cell(file: str, member: str) -> bytes:
    try:
        row = int(member)
    except ValueError:
        raise _missing(file, member) from None
    with _locks[file]:
        version = version_of(file)
        for number, (start, end) in enumerate(_row_groups(file, version)):
            if start <= row < end:
                cell = _images_of(file, version, number)[row - start].as_py()
                found = cell.get("bytes") if isinstance(cell, dict) else cell
                if found is None:
                    raise OSError(errno.ENOENT, "its row holds no image", f"{file}#{member}")
                return found
    raise _missing(file, member)


@lru_cache(maxsize=256)
def _row_groups(file: str, version: str) -> tuple[tuple[int, int], ...]:
    """First row, and the one after the last, of each group."""
    with opened_parquet(file) as content:
        sizes = [content.metadata.row_group(number).num_rows for number in range(content.num_row_groups)]
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return tuple((end - size, end) for end, size in zip(ends, sizes, strict=True))


@lru_cache(maxsize=KEPT_GROUPS)
def _images_of(file: str, version: str, group: int) -> Any:
    with opened_parquet(file) as content:
        name = image_column(content.schema_arrow)
        return content.read_row_group(group, columns=[name]).column(name)


def _missing(file: str, member: str) -> OSError:
    return FileNotFoundError(errno.ENOENT, "there is no such photo in the shard", f"{without_secrets(file)}#{member}")
