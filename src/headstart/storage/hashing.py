"""File -> SHA-256."""

import hashlib
from pathlib import Path


def sha256_of_file(file: Path) -> str:
    """SHA-256 of its bytes, hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
