"""Bytes or files -> SHA-256, as hexadecimal text. The only module that hashes."""

import hashlib
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
