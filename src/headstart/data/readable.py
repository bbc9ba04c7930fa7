"""Image files that were decoded without error, by digest, in the cache: equal bytes need not be decoded again.

CACHE/readable/KEY/*.bin hold 34 bytes for each: its SHA-256 digest, and the highest value of an image with 16 bits a
value, 0 for others. KEY stands for the versions of the decoders. Each run adds a file; when there are many, one file
replaces them.
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from headstart.storage import cache

SCHEMA = 2  # of what counts as readable
DIGEST_BYTES, ENTRY_BYTES = 32, 34
MAX_FILES = 16  # more are merged


def known_images() -> dict[bytes, int]:
    """Digest -> highest value of a 16-bit image, else 0; of the files that are known to be readable."""
    return {digest: highest for file in _files() for digest, highest in _entries(file)}


def remember(images: Mapping[bytes, int]) -> None:
    """Add images: digest -> highest value. Where the cache cannot be written, the next run decodes them again."""
    files = _files()
    merged = files if len(files) >= MAX_FILES else []
    new = dict(entry for file in merged for entry in _entries(file)) | dict(images)
    if not new:
        return
    content = b"".join(digest + highest.to_bytes(2, "little") for digest, highest in sorted(new.items()))
    if cache.store_file(_folder() / f"{uuid.uuid4().hex}.bin", content):
        with suppress(OSError):  # another run merges them, too
            for file in merged:
                file.unlink(missing_ok=True)


def _folder() -> Path:
    key = cache.key("pillow", "simplejpeg", schema=SCHEMA)
    return cache.cache_folder() / cache.READABLE / str(key)


def _files() -> list[Path]:
    with suppress(OSError):  # a cache that cannot be read is empty
        return sorted(_folder().glob("*.bin"))
    return []


def _entries(file: Path) -> list[tuple[bytes, int]]:
    """None of a file that another run is removing, or that is truncated."""
    with suppress(OSError):
        content = file.read_bytes()
        if len(content) % ENTRY_BYTES == 0:
            entries = [content[start : start + ENTRY_BYTES] for start in range(0, len(content), ENTRY_BYTES)]
            return [(entry[:DIGEST_BYTES], int.from_bytes(entry[DIGEST_BYTES:], "little")) for entry in entries]
    return []
