"""Thumbnails of a collection by digest, in one SQLite file of the cache. Knows no photos.

Whatever is wrong with that file (full disk, damage), thumbnails are made again: it is a cache.
"""

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FILE = "thumbnails.db"
BATCH = 64  # thumbnails in a transaction


class Thumbnails:
    """WebP by digest. Any thread may ask; each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._waiting: dict[bytes, bytes] = {}  # not written yet
        self._is_broken = False
        self._prepare()

    def get(self, digest: bytes) -> bytes | None:
        waiting = self._waiting.get(digest)
        if waiting is not None or self._is_broken:
            return waiting
        with suppress(sqlite3.Error):
            row = self._connection().execute("select webp from thumbnails where digest = ?", (digest,)).fetchone()
            return row[0] if row else None
        return None

    def put(self, digest: bytes, webp: bytes) -> None:
        with self._lock:
            self._waiting[digest] = webp
            if len(self._waiting) >= BATCH:
                self._write()

    def flush(self) -> None:
        with self._lock:
            self._write()

    def missing(self, digests: Iterable[bytes]) -> list[bytes]:
        """Those of which no thumbnail is kept."""
        kept = set(self._waiting)
        if not self._is_broken:
            with suppress(sqlite3.Error):
                kept |= {row[0] for row in self._connection().execute("select digest from thumbnails")}
        return [digest for digest in digests if digest not in kept]

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._is_broken = True
            for connection in self._connections:
                connection.close()

    def _prepare(self) -> None:
        """Make the table; a damaged file is replaced."""
        for _ in range(2):
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                self._connection().execute(
                    "create table if not exists thumbnails (digest blob primary key, webp blob not null)"
                )
                return
            except sqlite3.DatabaseError:
                del self._local.connection
                with suppress(OSError):
                    self._file.unlink(missing_ok=True)
            except OSError:
                break
        self._is_broken = True

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self._file, timeout=30, isolation_level=None, check_same_thread=False)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = off")  # a cache
            self._local.connection = connection
            self._connections.append(connection)
        return self._local.connection

    def _write(self) -> None:
        waiting = dict(self._waiting)
        if waiting and not self._is_broken:
            with suppress(sqlite3.Error):  # such as a full disk: they are made again when they are asked for
                connection = self._connection()
                connection.execute("begin immediate")
                try:
                    connection.executemany("insert or replace into thumbnails values (?, ?)", waiting.items())
                    connection.execute("commit")
                except sqlite3.Error:
                    with suppress(sqlite3.Error):
                        connection.execute("rollback")
                    raise
        for digest in waiting:
            self._waiting.pop(digest, None)
