"""The cache: a folder of what can be computed again, such as features, engines and networks. Knows nothing of them.

An entry appears whole or not at all, is found by a digest of everything that it depends on, and may be removed at any
time. So several runs share the cache without a lock.
"""

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

from headstart.errors import DatasetError
from headstart.home import home_folder
from headstart.storage.hashing import sha256

COPIES, ENGINES, FEATURES, NETWORKS, READABLE = "copies", "engines", "features", "networks", "readable"
CLASSIFIERS = "classifiers"  # that were sent here to predict
# What `headstart cache --clear` removes. Unpacked archives and samples take longer to get, so they stay.
KINDS = (CLASSIFIERS, COPIES, ENGINES, FEATURES, NETWORKS, READABLE)
NOT_INSTALLED = "none"  # in the place of a version
DEFAULT_LIMIT_GB = 20.0  # of all but copies and readable files together, unless $HEADSTART_CACHE_GB is set


def cache_folder() -> Path:
    """$HEADSTART_CACHE, or headstart's part of the user's cache folder; see `home_folder`."""
    given = os.environ.get("HEADSTART_CACHE")
    if given:
        return Path(given)
    try:
        return Path(platformdirs.user_cache_dir("headstart", appauthor=False))
    except RuntimeError:  # the user has no home
        return home_folder() / ".cache" / "headstart"


def size_limit() -> float:
    """How many bytes features, engines and networks may take together.

    Raises:
        DatasetError: $HEADSTART_CACHE_GB is not a number.
    """
    text = os.environ.get("HEADSTART_CACHE_GB") or str(DEFAULT_LIMIT_GB)
    try:
        return float(text) * 1e9
    except ValueError:
        raise DatasetError(
            f"HEADSTART_CACHE_GB is '{text}': expected a number of gigabytes, such as 20. Correct it, or unset it."
        ) from None


def key(*packages: str, **facts: str | int | float | None) -> str | None:
    """The address of an entry: a digest of facts and of the versions of packages. None if a fact is None (unknown)."""
    if None in facts.values():
        return None
    text = json.dumps({**facts, "versions": {name: _version(name) for name in packages}}, sort_keys=True)
    return sha256(text.encode())[:32]


def store_folder(source: Path, entry: Path) -> str | None:
    """Copy a folder to its place in the cache. Returns the problem if that failed: a run can do without."""
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=entry.parent, prefix="writing-") as temporary:
            content = Path(temporary, "content")
            shutil.copytree(source, content)
            content.rename(entry)
    except OSError as error:
        if not is_folder(entry):  # otherwise another process was faster, with the same content
            return error.strerror or str(error)
    return None


def store_file(entry: Path, content: bytes) -> bool:
    """Write a file of the cache. Returns whether that worked: if not, the next run computes it again."""
    temporary = entry.with_name(f"writing-{uuid.uuid4().hex}")
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.rename(entry)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    return True


def mark_used(entry: Path) -> None:
    """Make a file or folder the most recently used, so that it is evicted last."""
    with suppress(OSError):  # a cache that is read-only evicts nothing either
        os.utime(entry)


def evict(limit: float, *, protected: Collection[str] = ()) -> None:
    """Remove the least recently used entries until the rest takes at most `limit` bytes.

    protected: paths that stay, whatever their age. What cannot be removed stays as well.
    """
    paths, entries = [], []
    with suppress(FileNotFoundError):  # another process clears the cache
        for pattern in (f"{FEATURES}/*/*/*.npy", f"{CLASSIFIERS}/*", f"{ENGINES}/*", f"{NETWORKS}/*"):
            paths += cache_folder().glob(pattern)
    for path in paths:
        with suppress(FileNotFoundError):  # another run removed it
            entries.append((path.stat().st_mtime, _size(path), path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= limit:
            return
        if str(path) not in protected:
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                total -= size


def sizes() -> dict[str, int]:
    """The bytes that each kind of entry takes."""
    return {kind: _size(cache_folder() / kind) for kind in KINDS}


def clear() -> None:
    """Remove all entries, but for unpacked archives and samples.

    Raises:
        DatasetError: an entry cannot be removed.
    """
    try:
        for kind in KINDS:
            with suppress(FileNotFoundError, NotADirectoryError):  # nothing was kept
                shutil.rmtree(cache_folder() / kind)
    except OSError as error:
        raise DatasetError(
            f"'{cache_folder()}' cannot be cleared: {error.strerror or error}. Check the folder's permissions."
        ) from None


def is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as this user may see: `Path.is_dir` raises where others allow nothing."""
    return os.path.isdir(path)  # noqa: PTH112


def _size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder that this user may see, and that are not removed meanwhile."""
    files = [path, *(Path(folder, name) for folder, _, names in os.walk(path) for name in names)]
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def versions(*packages: str) -> dict[str, str]:
    """The versions of those packages that are installed."""
    return {name: found for name in packages if (found := _version(name)) != NOT_INSTALLED}


@cache  # reading it takes a millisecond, and a training asks some 300 times
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED
