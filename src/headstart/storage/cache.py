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
LIMIT_GB = 20.0  # of features, engines and networks together, unless $HEADSTART_CACHE_GB says otherwise


def cache_folder() -> Path:
    """Where headstart keeps what can be made again: $HEADSTART_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HEADSTART_CACHE") or platformdirs.user_cache_dir("headstart", appauthor=False))


def limit() -> float:
    """Bytes that features, engines and networks may take together.

    Raises:
        DatasetError: $HEADSTART_CACHE_GB is no number.
    """
    text = os.environ.get("HEADSTART_CACHE_GB") or str(LIMIT_GB)
    try:
        return float(text) * 1e9
    except ValueError:
        raise DatasetError(
            f"HEADSTART_CACHE_GB is '{text}': expected a number of gigabytes, such as 20. Set it anew, or unset it."
        ) from None


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
    temporary = file.with_name(f"writing-{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.rename(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True


def used(entry: Path) -> None:
    """Note that a file or folder was used last now, so that it is not evicted soon."""
    with suppress(OSError):  # in a cache that can only be read nothing is evicted either
        os.utime(entry)


def evict(limit: float, sparing: Collection[str] = ()) -> None:
    """Remove what was used longest ago until the rest takes no more than `limit` bytes.

    sparing: paths that stay, whatever their age. What cannot be removed stays as well.
    """
    entries, found = [], []
    with suppress(FileNotFoundError):  # another process clears the cache
        for pattern in (f"{FEATURES}/*/*/*.npy", f"{ENGINES}/*", f"{NETWORKS}/*"):
            entries += cache_folder().glob(pattern)
    for path in entries:
        with suppress(FileNotFoundError):  # another run removed it
            found.append((path.stat().st_mtime, _size(path), path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit:
            return
        if str(path) not in sparing:
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
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
