"""Image files that were decoded without error, in the cache: equal bytes need not be decoded, or fetched, again.

CACHE/readable/KEY/*.bin hold 34 bytes for each: its SHA-256 digest, and the highest value of an image with 16 bits a
value, 0 for others. CACHE/readable/KEY/objects/*.bin hold 66 for each object of a store: the digest of its URL, size
and version, and those 34. KEY stands for the versions of the decoders. Each run adds a file; when there are many, one
file replaces them.
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from headstart.storage import cache
from headstart.storage.hashing import sha256
from headstart.storage.url_path import Location, Url

SCHEMA = 2  # of what counts as readable
DIGEST_BYTES, HIGHEST_BYTES = 32, 2
MAX_FILES = 16  # more are merged


def known_images() -> dict[bytes, int]:
    """Digest -> highest value of a 16-bit image, else 0; of the files that are known to be readable."""
    return {digest: int.from_bytes(value, "little") for digest, value in _known(_folder(), HIGHEST_BYTES).items()}


def remember(images: Mapping[bytes, int]) -> None:
    """Add images: digest -> highest value. Where the cache cannot be written, the next run decodes them again."""
    _remember(_folder(), {digest: value.to_bytes(HIGHEST_BYTES, "little") for digest, value in images.items()})


def known_objects() -> dict[bytes, tuple[str, int]]:
    """Key of an object, see `object_key` -> its digest, hexadecimal, and its highest value."""
    found = _known(_folder() / "objects", DIGEST_BYTES + HIGHEST_BYTES)
    return {
        key: (value[:DIGEST_BYTES].hex(), int.from_bytes(value[DIGEST_BYTES:], "little"))
        for key, value in found.items()
    }  # fmt: skip


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


def _folder() -> Path:
    key = cache.key("pillow", "simplejpeg", schema=SCHEMA)
    return cache.cache_folder() / cache.READABLE / str(key)


def _known(folder: Path, value_bytes: int) -> dict[bytes, bytes]:
    return {key: value for file in _files(folder) for key, value in _entries(file, value_bytes)}


def _remember(folder: Path, new: Mapping[bytes, bytes]) -> None:
    if not new:
        return
    files = _files(folder)
    merged = files if len(files) >= MAX_FILES else []
    value_bytes = len(next(iter(new.values())))
    entries = dict(entry for file in merged for entry in _entries(file, value_bytes)) | dict(new)
    content = b"".join(key + value for key, value in sorted(entries.items()))
    if cache.store_file(folder / f"{uuid.uuid4().hex}.bin", content):
        with suppress(OSError):  # another run merges them, too
            for file in merged:
                file.unlink(missing_ok=True)


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):  # a cache that cannot be read is empty
        return sorted(folder.glob("*.bin"))
    return []


def _entries(file: Path, value_bytes: int) -> list[tuple[bytes, bytes]]:
    """None of a file that another run is removing, or that is truncated."""
    size = DIGEST_BYTES + value_bytes
    with suppress(OSError):
        content = file.read_bytes()
        if len(content) % size == 0:
            entries = [content[start : start + size] for start in range(0, len(content), size)]
            return [(entry[:DIGEST_BYTES], entry[DIGEST_BYTES:]) for entry in entries]
    return []
