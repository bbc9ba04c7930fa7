"""Bytes or files -> SHA-256, as hexadecimal text. The only module that hashes."""

import hashlib
from functools import lru_cache
from pathlib import Path


def sha256(*parts: bytes | memoryview) -> str:
    """The digest of all parts, one after the other. Of an array, pass `array.data`: its bytes in C order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def sha256_of_file(file: Path) -> str:
    """The digest of a file's bytes.

    Raises:
        OSError: the file cannot be read.
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sha256_of_weights(file: Path) -> str:
    """The same, of a file that is asked for again and again: it is read again if its size, time or place has changed.

    Raises:
        OSError: the file cannot be read.
    """
    facts = file.stat()
    return _hashed(file, facts.st_size, facts.st_mtime_ns, facts.st_ino)


@lru_cache
def _hashed(file: Path, *facts: int) -> str:
    return sha256_of_file(file)
