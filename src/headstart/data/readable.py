"""Digests of image files that were decoded without error, in the cache: equal bytes need not be decoded again.

CACHE/readable/KEY/*.bin hold SHA-256 digests, 32 bytes each; KEY stands for the versions of the decoders. Each run adds
a file; when there are many, one file replaces them.
"""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from headstart.storage import cache

SCHEMA = 1  # of what counts as readable
DIGEST_BYTES = 32
MAX_FILES = 16  # more are merged


def known_digests() -> set[bytes]:
    """The digests of the files that are known to be readable."""
    return {digest for file in _files() for digest in _digests(file)}


def remember(digests: Iterable[bytes]) -> None:
    """Add digests. Where the cache cannot be written, the next run decodes these files again."""
    files = _files()
    merged = files if len(files) >= MAX_FILES else []
    new = {*digests, *(digest for file in merged for digest in _digests(file))}
    if not new:
        return
    if cache.store_file(_folder() / f"{uuid.uuid4().hex}.bin", b"".join(sorted(new))):
        with suppress(OSError):  # another run merges them, too
            for file in merged:
                file.unlink(missing_ok=True)


def _folder() -> Path:
    key = cache.key("opencv-python-headless", "pillow", schema=SCHEMA)
    return cache.cache_folder() / cache.READABLE / str(key)


def _files() -> list[Path]:
    with suppress(OSError):  # a cache that cannot be read is empty
        return sorted(_folder().glob("*.bin"))
    return []


def _digests(file: Path) -> list[bytes]:
    """No digests for a file that another run is removing, or that is truncated."""
    with suppress(OSError):
        content = file.read_bytes()
        if len(content) % DIGEST_BYTES == 0:
            return [content[start : start + DIGEST_BYTES] for start in range(0, len(content), DIGEST_BYTES)]
    return []
