"""Image files that were decoded without error, in the cache: equal bytes need not be decoded, or fetched, again.

CACHE/readable/KEY/*.bin hold 34 bytes for each: its SHA-256 digest, and the highest value of an image with 16 bits a
value, 0 for others. CACHE/readable/KEY/objects/*.bin hold 66 for each object of a store: the digest of its URL, size
and version, and those 34. KEY stands for the versions of the decoders. Each run adds a file; when there are many, one
file replaces them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np

from headstart.data.packed import MANY
from headstart.storage import cache
from headstart.storage.hashing import sha256
from headstart.storage.url_path import Location, Url

SCHEMA = 2  # of what counts as readable
DIGEST_BYTES, HIGHEST_BYTES = 32, 2
MAX_FILES = 16  # more are merged

Value = TypeVar("Value")


def known_images() -> Mapping[bytes, int]:
    """Digest -> highest value of a 16-bit image, else 0; of the files that are known to be readable."""
    return _known(_folder(), HIGHEST_BYTES, _number)


def remember(images: Mapping[bytes, int]) -> None:
    """Add images: digest -> highest value. Where the cache cannot be written, the next run decodes them again."""
    _remember(_folder(), {digest: value.to_bytes(HIGHEST_BYTES, "little") for digest, value in images.items()})


def known_objects() -> Mapping[bytes, tuple[str, int]]:
    """Key of an object, see `object_key` -> its digest, hexadecimal, and its highest value."""
    return _known(_folder() / "objects", DIGEST_BYTES + HIGHEST_BYTES, _digest_and_number)


def remember_objects(objects: Mapping[bytes, tuple[str, int]]) -> None:
    """Add objects: key -> digest and highest value."""
    values = {
        key: bytes.fromhex(digest) + highest.to_bytes(HIGHEST_BYTES, "little")
        for key, (digest, highest) in objects.items()
    }
    _remember(_folder() / "objects", values)


def object_key(place: Location) -> bytes | None:
    """Of a photo at a URL, as it was listed. None: its store told no version, or it is a local file."""
    if not isinstance(place, Url) or not place.stamp:
        return None
    return bytes.fromhex(sha256(f"{place} {place.stamp}".encode()))


class Known(Mapping[bytes, Value]):
    """Many entries in few bytes. rows: of `_type`, sorted by their keys. read: what stands for a value."""

    def __init__(self, rows: np.ndarray, read: Callable[[bytes], Value]) -> None:
        self._keys, self._values, self._read = np.ascontiguousarray(rows["key"]), rows["value"], read

    def __getitem__(self, key: bytes) -> Value:
        at = int(np.searchsorted(self._keys, key))
        if at == len(self._keys) or self._keys[at] != key.rstrip(b"\0"):  # as NumPy gives it
            raise KeyError(key)
        return self._read(self._values[at].tobytes())

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(key).ljust(DIGEST_BYTES, b"\0") for key in self._keys)


def _number(value: bytes) -> int:
    return int.from_bytes(value, "little")


def _digest_and_number(value: bytes) -> tuple[str, int]:
    return value[:DIGEST_BYTES].hex(), _number(value[DIGEST_BYTES:])


def _folder() -> Path:
    key = cache.key("pillow", "simplejpeg", schema=SCHEMA)
    return cache.cache_folder() / cache.READABLE / str(key)


def _known(folder: Path, value_bytes: int, read: Callable[[bytes], Value]) -> Mapping[bytes, Value]:
    rows = _merged([_entries(file, value_bytes) for file in _files(folder)], value_bytes)
    if len(rows) >= MANY:
        return Known(rows, read)
    size, content = DIGEST_BYTES + value_bytes, rows.tobytes()
    entries = (content[start : start + size] for start in range(0, len(content), size))
    return {entry[:DIGEST_BYTES]: read(entry[DIGEST_BYTES:]) for entry in entries}


def _remember(folder: Path, new: Mapping[bytes, bytes]) -> None:
    if not new:
        return
    files = _files(folder)
    merged = files if len(files) >= MAX_FILES else []
    value_bytes = len(next(iter(new.values())))
    added = np.frombuffer(b"".join(key + value for key, value in new.items()), _type(value_bytes))
    content = _merged([*(_entries(file, value_bytes) for file in merged), added], value_bytes).tobytes()
    if cache.store_file(folder / f"{uuid.uuid4().hex}.bin", content):
        with suppress(OSError):  # another run merges them, too
            for file in merged:
                file.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):  # a cache that cannot be read is empty
        return sorted(folder.glob("*.bin"))
    return []


def _type(value_bytes: int) -> np.dtype:
    return np.dtype([("key", f"S{DIGEST_BYTES}"), ("value", f"V{value_bytes}")])


def _merged(parts: list[np.ndarray], value_bytes: int) -> np.ndarray:
    """All entries, sorted by their keys; of equal ones the last."""
    rows = np.concatenate([np.empty(0, _type(value_bytes)), *parts])
    order = np.argsort(rows["key"], kind="stable")
    keys = rows["key"][order]
    return rows[order[np.append(keys[1:] != keys[:-1], True)[: len(keys)]]]


def _entries(file: Path, value_bytes: int) -> np.ndarray:
    """None of a file that another run is removing, or that is truncated."""
    kind = _type(value_bytes)
    with suppress(OSError):
        content = file.read_bytes()
        if len(content) % kind.itemsize == 0:
            return np.frombuffer(content, kind)
    return np.empty(0, kind)
