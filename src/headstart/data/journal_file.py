"""The SQLite file of a journal: rows are appended in one transaction, and read. Knows not what they mean.

A rollback journal rather than a write-ahead log, and every transaction synchronized: whoever is killed, or loses
power, leaves one whole file (https://www.sqlite.org/atomiccommit.html). Connections live for one transaction, so that
nobody holds a lock, and a file that was moved or replaced is noticed.
"""

import os
import sqlite3
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import DatasetError

APPLICATION = int.from_bytes(b"hsLb", "big")  # in the header of the file
SCHEMA = 1
WAIT = 30.0  # seconds for another process that writes

_TABLES = """
create table journal (name text not null);
create table steps (
    id integer primary key, at text not null, by text not null, kind text not null, "into" text not null,
    classes text not null, of integer
);
create table corrections (
    id integer primary key, step integer not null references steps, digest text not null, path text not null,
    was text, becomes text, before text
);
create index corrections_of_step on corrections (step);
"""
# Looks at the sealed test set; in journals since there are such.
_OPENINGS = "create table if not exists openings (at text not null, by text not null, state text not null)"
_STEP = "insert into steps values (?, ?, ?, ?, ?, ?, ?)"
_CORRECTION = "insert into corrections (step, digest, path, was, becomes, before) values (?, ?, ?, ?, ?, ?)"

StepRow = tuple[int, str, str, str, str, str, int | None]
CorrectionRow = tuple[int, str, str, str | None, str | None, str | None]  # step, digest, path, was, becomes, before


@dataclass(frozen=True)
class Rows:
    """What is in the file after some step. name: of the journal, random, another one in every file. last: step of all
    in the file."""

    name: str
    last: int
    steps: list[StepRow]
    corrections: list[CorrectionRow]


Made = tuple[StepRow, Sequence[CorrectionRow]]  # a step with its corrections, to append


def read(file: Path, after: int = 0, until: int = sys.maxsize) -> Rows | None:
    """The rows of steps after one, until another; None where there is no file, or nothing in it yet.

    Raises:
        DatasetError: see `Journal`.
    """
    if not file.exists():
        return None
    with _explained(file, "read"), closing(_connect(file, "rw" if _is_writable(file) else "ro")) as connection:
        connection.execute("begin")  # one state of the file for all that is read
        return _rows(connection, file, after, until)


def append(file: Path, after: int, make: Callable[[Rows], Made | None]) -> bool:
    """Append what `make` makes of the rows after a step, while nobody else can. It is on the disk when this returns.
    Returns whether there was anything to append.

    make: gets the rows after step `after`; returns None where there is nothing to append.

    Raises:
        DatasetError: see `Journal`.
    """
    with _explained(file, "written"), closing(_connect_to_write(file)) as connection:
        connection.execute("begin immediate")
        rows = _rows(connection, file, after) or _create(connection)
        made = make(rows)
        if made is None:
            connection.execute("rollback")
            return False
        step, corrections = made
        connection.execute(_STEP, step)
        connection.executemany(_CORRECTION, corrections)
        connection.execute("commit")
        return True


def note_opening(file: Path, at: str, by: str, state: str) -> None:
    """Note that somebody has looked at the test set. It is on the disk when this returns.

    Raises:
        DatasetError: see `Journal`.
    """
    with _explained(file, "written"), closing(_connect_to_write(file)) as connection:
        connection.execute("begin immediate")
        if _rows(connection, file, sys.maxsize) is None:
            _create(connection)
        connection.execute(_OPENINGS)
        connection.execute("insert into openings values (?, ?, ?)", (at, by, state))
        connection.execute("commit")


def count_openings(file: Path) -> int:
    """
    Raises:
        DatasetError: see `Journal`.
    """
    if not file.exists():
        return 0
    with _explained(file, "read"), closing(_connect(file, "rw" if _is_writable(file) else "ro")) as connection:
        has_any = connection.execute("select count(*) from sqlite_schema where name = 'openings'").fetchone()[0]
        return connection.execute("select count(*) from openings").fetchone()[0] if has_any else 0


def copy(file: Path, to: Path) -> None:
    """Copy a file, as it is between two steps, to a new place. Nothing is done where there is none.

    Raises:
        DatasetError: see `Journal`.
    """
    if not file.exists():
        return
    with (
        _explained(file, "read"),
        closing(_connect(file, "rw" if _is_writable(file) else "ro")) as source,
        _explained(to, "written"),
        closing(_connect_to_write(to)) as target,
    ):
        source.backup(target)


def _connect_to_write(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    return _connect(file, "rwc")


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT, isolation_level=None)
    connection.execute("pragma synchronous = extra")
    return connection


def _create(connection: sqlite3.Connection) -> Rows:
    connection.execute(f"pragma application_id = {APPLICATION}")
    connection.execute(f"pragma user_version = {SCHEMA}")
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    name = uuid.uuid4().hex
    connection.execute("insert into journal values (?)", (name,))
    return Rows(name, 0, [], [])


def _rows(connection: sqlite3.Connection, file: Path, after: int, until: int = sys.maxsize) -> Rows | None:
    """None where nothing was ever written."""
    application, schema, tables = (
        connection.execute(query).fetchone()[0]
        for query in ("pragma application_id", "pragma user_version", "select count(*) from sqlite_schema")
    )
    if not tables and not application:
        return None
    if application != APPLICATION:
        raise DatasetError(
            f"'{file}' is a database, but not of corrected labels. Move it elsewhere, or say with --corrections FILE "
            f"where the corrections lie."
        )
    if schema != SCHEMA:
        raise DatasetError(
            f"'{file}' was written by a newer headstart (its form {schema}; this one knows {SCHEMA}). Update "
            f"headstart, or leave the corrections out: --no-corrections."
        )
    steps = connection.execute("select * from steps where id > ? and id <= ? order by id", (after, until)).fetchall()
    columns = "step, digest, path, was, becomes, before"
    query = f"select {columns} from corrections where step > ? and step <= ? order by id"
    corrections = connection.execute(query, (after, until)).fetchall()
    name, last = connection.execute("select name, (select coalesce(max(id), 0) from steps) from journal").fetchone()
    return Rows(name, last, steps, corrections)


def _is_writable(file: Path) -> bool:
    """Whether what a killed writer left half done can be taken back, which reading needs."""
    return os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK)


@contextmanager
def _explained(file: Path, what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DatasetError(_message(file, what, error), reason="labels-file", path=str(file)) from error
    except OSError as error:
        raise DatasetError(
            f"The corrected labels in '{file}' cannot be {what}: {error.strerror or error}. {_ELSEWHERE}",
            reason="labels-file",
            path=str(file),
        ) from error


_ELSEWHERE = "Check the rights of that folder, or keep them elsewhere: --corrections FILE."


def _message(file: Path, what: str, error: Any) -> str:
    code: int = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says more of the same
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return (
            f"'{file}' is being written by another program for more than {WAIT:.0f} seconds. Close that program; on a "
            f"network disk without locks, keep the corrections on another one: --corrections FILE."
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT) or not isinstance(error, sqlite3.OperationalError):
        return (
            f"'{file}' is damaged, or no file of corrected labels ({error}). Copy it again from a backup, or leave the "
            f"corrections out: --no-corrections."
        )
    if code == sqlite3.SQLITE_FULL:
        return f"'{file}' cannot be {what}: the disk is full. Free some space; what was recorded before is kept."
    return f"The corrected labels in '{file}' cannot be {what} ({error}). {_ELSEWHERE}"
