"""The folder of what can be made again: features, engines, networks, archives. Knows not what they are.

What is in it appears whole or not at all, is found by a digest of all that it depends on, and may be removed at any
time. So several runs share it without a lock.
"""

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

from headstart.errors import DatasetError

COPIES, ENGINES, FEATURES, NETWORKS, READABLE = "copies", "engines", "features", "networks", "readable"
# what is kept for speed; archives and samples are not made so quickly
KINDS = (COPIES, ENGINES, FEATURES, NETWORKS, READABLE)
LIMIT_GB = float(os.environ.get("HEADSTART_CACHE_GB", "20"))  # of features, engines and networks together


def cache_folder() -> Path:
    """Where headstart keeps what can be made again: $HEADSTART_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HEADSTART_CACHE") or platformdirs.user_cache_dir("headstart", appauthor=False))


def key(*packages: str, **facts: str | int | float | None) -> str | None:
    """An address: a digest of facts and of the versions of packages. None where a fact is unknown (None)."""
    if None in facts.values():
        return None
    text = json.dumps({**facts, "versions": {name: _version(name) for name in packages}}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(written: Path, folder: Path) -> str | None:
    """Copy a folder to its place in the cache, where it appears whole. Returns what went wrong, or None."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="writing-") as temporary:
            beside = Path(temporary, "content")
            shutil.copytree(written, beside)
            beside.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was faster, with the same content
            return error.strerror or str(error)
    return None


def put(file: Path, content: bytes) -> bool:
    """Write a file of the cache, where it appears whole. Whether it could be: if not, the next run works anew."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"writing-{uuid.uuid4().hex}")
        temporary.write_bytes(content)
        temporary.rename(file)
        return True
    return False


def evict(limit: float = LIMIT_GB * 1e9, sparing: Collection[str] = ()) -> None:
    """Remove what was used longest ago until the rest takes no more than `limit` bytes.

    sparing: paths that stay, whatever their age.
    """
    entries = [
        *(cache_folder() / FEATURES).rglob("*.npy"),
        *(cache_folder() / ENGINES).glob("*"),
        *(cache_folder() / NETWORKS).glob("*"),
    ]
    found = []
    for path in entries:
        try:
            found.append((path.stat().st_mtime, _size(path), path))
        except FileNotFoundError:  # another run removed it
            continue
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        if str(path) not in sparing:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            total -= size


def sizes() -> dict[str, int]:
    """Bytes of each kind of what is kept for speed."""
    return {kind: _size(cache_folder() / kind) for kind in KINDS}


def clear() -> None:
    """Remove all that is kept for speed.

    Raises:
        DatasetError: the folder cannot be changed.
    """
    try:
        for kind in KINDS:
            if (cache_folder() / kind).exists():
                shutil.rmtree(cache_folder() / kind)
    except OSError as error:
        raise DatasetError(
            f"'{cache_folder()}' cannot be cleared: {error.strerror or error}. Check the rights of that folder."
        ) from None


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in [path, *path.rglob("*")] if each.is_file())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
