"""Digests of image files that could be decoded, kept in the cache: equal bytes need not be decoded again to see that.

CACHE/readable/KEY/*.bin hold SHA-256 digests, 32 bytes each; KEY stands for the versions of the decoders. Each run adds
one file; when they are many, one takes their place.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from headstart.storage import cache

SCHEMA = 1  # of what counts as readable
SIZE = 32  # bytes of a digest
MANY = 16  # files


def known() -> set[bytes]:
    """The digests of the files that are known to be readable."""
    return {digest for file in _files() for digest in _digests(file)}


def remember(digests: Iterable[bytes]) -> None:
    """Add digests to those. Where the cache cannot be written, the next run decodes these files again."""
    files = _files()
    merged = files if len(files) >= MANY else []
    new = {*digests, *(digest for file in merged for digest in _digests(file))}
    if not new:
        return
    if cache.store_file(_folder() / f"{uuid.uuid4().hex}.bin", b"".join(sorted(new))):
        with suppress(OSError):
            for file in merged:
                file.unlink(missing_ok=True)


def _folder() -> Path:
    key = cache.key("opencv-python-headless", "pillow", schema=SCHEMA)
    return cache.cache_folder() / cache.READABLE / str(key)


def _files() -> list[Path]:
    with suppress(OSError):
        return sorted(_folder().glob("*.bin"))
    return []


def _digests(file: Path) -> list[bytes]:
    """Of a file that another run is merging, or that is cut short, none."""
    with suppress(OSError):
        content = file.read_bytes()
        if len(content) % SIZE == 0:
            return [content[start : start + SIZE] for start in range(0, len(content), SIZE)]
    return []
