"""Bytes that were read from far away, kept on this machine's disk: what is looked at several times is fetched once.

A command that reads photos in several steps (their digests, their pixels, their headers) keeps them for as long as it
runs. The file has no name, so it is gone with the process, however that ends. Until then a photo is what it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from headstart.storage import cache

MOST_BYTES, MOST_PLACES = 32 * 2**30, 500_000  # what is read after these is fetched again
SHARE = 0.25  # of what is free on the disk, at most


class Copies:
    """The bytes of places that were read."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """
        Raises:
            OSError: the folder cannot be written.
        """
        self._file = tempfile.TemporaryFile(dir=folder, prefix="copies-")  # noqa: SIM115 - closed by `close`
        self._places: dict[str, tuple[int, int]] = {}
        self._end, self._most_bytes, self._lock = 0, most_bytes, Lock()

    def __contains__(self, place: str) -> bool:
        return place in self._places

    def get(self, place: str) -> bytes:
        """
        Raises:
            KeyError: it was not kept. OSError: the disk fails.
        """
        with self._lock:
            start, size = self._places[place]
            self._file.seek(start)
            return self._file.read(size)

    def put(self, place: str, content: bytes) -> None:
        with self._lock:
            if place in self._places or len(self._places) >= MOST_PLACES:
                return
            if self._end + len(content) > self._most_bytes:
                return
            try:
                self._file.seek(self._end)
                self._file.write(content)
                self._file.flush()
            except OSError:  # the disk is full: no more is kept
                self._most_bytes = 0
            else:
                self._places[place] = (self._end, len(content))
                self._end += len(content)

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()


_copies: Copies | None = None


@contextmanager
def keeping_copies() -> Iterator[None]:
    """Meanwhile what `locations` reads from far away is kept, as far as there is room, and read once."""
    global _copies
    if _copies is not None:
        yield
        return
    with suppress(OSError):  # a disk that cannot be written: all is fetched again, as without
        folder = cache.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        _copies = Copies(folder, min(MOST_BYTES, int(SHARE * shutil.disk_usage(folder).free)))
    kept = _copies
    try:
        yield
    finally:
        _copies = None
        if kept:
            kept.close()


def is_here(place: str) -> bool:
    """Whether `once` need not fetch it."""
    return _copies is not None and place in _copies


def once(place: str, fetch: Callable[[], bytes]) -> bytes:
    """The bytes of a place far away: what was kept, or else what is fetched, and kept now."""
    kept = _copies
    if kept is None:
        return fetch()
    with suppress(KeyError, OSError, ValueError):  # ValueError: closed meanwhile
        return kept.get(place)
    content = fetch()
    with suppress(ValueError):
        kept.put(place, content)
    return content
