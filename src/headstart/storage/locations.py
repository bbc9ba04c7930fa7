"""Files by their place, which is a local path or a URL: read, write, list, delete. Knows nothing of what they hold."""

import asyncio
import errno
import os
import re
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import tee
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from headstart.concurrency import cpu_budget, prefetch
from headstart.errors import LocationError
from headstart.storage.copies import is_here, once
from headstart.storage.filesystems import MAX_CONNECTIONS, WEB, filesystem, patiently, told
from headstart.storage.members import read_member
from headstart.storage.regular import read_regular
from headstart.storage.s3_objects import HAS_OBSTORE, read_object
from headstart.storage.urls import is_url, scheme_of, split_member, without_secrets

__all__ = ["Listed", "delete", "exists", "filesystem", "is_url", "list_files", "read", "read_ahead", "write"]


LEAST_AT_ONCE, PER_CORE = 32, 16  # files that are read at a time: of small ones, 640 a second with 50 ms to each answer

Result = TypeVar("Result")
Fetched = Callable[[], bytes] | None  # see `fetched`


class Listed(NamedTuple):
    """A file that was listed. size: in bytes, -1 where it is not told. version: changes with the content (an ETag, or
    else the time of the last change); "" where none is told."""

    place: str
    size: int
    version: str


def read(place: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, or of a member of a shard.

    Raises:
        OSError: this file cannot be read: it is missing, or there is no right to read it; `strerror` says why.
        LocationError: its store cannot be reached, has no such bucket, or refuses the credentials.
        MissingExtraError: a library for this kind of place is missing.
        DatasetError: its shard is damaged.
    """
    place = os.fspath(place)
    if not is_url(place) and "#" not in place:  # as nearly all
        return read_regular(place)
    local, (file, member) = _local(place), split_member(place)
    if local and not (member and not local.is_file()):
        return read_regular(local)
    return once(place, partial(_fetch, place)) if is_url(place) else read_member(file, str(member))


def _fetch(place: str) -> bytes:
    """See `read`; of a URL."""
    file, member = split_member(place)
    if member:
        return read_member(file, member)
    opened, path = filesystem(place)
    if scheme_of(place) == "s3" and (content := read_object(opened, path)) is not None:
        return content

    def fetch() -> bytes:
        with told(place):
            return opened.cat_file(path)

    return patiently(place, fetch)


def write(place: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, whole or not at all. One that is there is replaced. Missing folders are made.

    Raises:
        OSError: it cannot be written.
        LocationError: its store cannot be reached, or refuses it.
        MissingExtraError: a library for this kind of place is missing.
    """
    place = os.fspath(place)
    if local := _local(place):
        _write_local(local, content)
        return
    if scheme_of(place) in WEB:
        raise LocationError(f"'{without_secrets(place)}' cannot be written: a web server only gives. Use s3:// or so.")
    opened, path = filesystem(place)
    with told(place):
        opened.pipe_file(path, content)


def exists(place: str | os.PathLike[str]) -> bool:
    """Whether there is such a file. A folder is none.

    Raises:
        LocationError, MissingExtraError, OSError: that cannot be told.
    """
    return kind_of(os.fspath(place)) == "file"


def kind_of(place: str) -> str | None:
    """What is there: "file", "directory" or None: nothing. A page of a web server counts as a folder.

    Raises:
        LocationError, MissingExtraError, OSError: that cannot be told.
    """
    if local := _local(place):
        return "file" if local.is_file() else "directory" if local.is_dir() else None
    opened, path = filesystem(place)
    try:
        with told(place):
            found = opened.info(path)
    except FileNotFoundError:
        return None
    is_page = scheme_of(place) in WEB and (place.endswith("/") or found.get("mimetype") == "text/html")
    return "directory" if is_page else found["type"]


def size_of(place: str) -> int:
    """The bytes that a file has; -1 where its server does not say.

    Raises:
        LocationError, MissingExtraError, OSError: that cannot be told.
    """
    opened, path = filesystem(place)
    with told(place):
        size = opened.info(path)["size"]
    return -1 if size is None else size


def delete(place: str | os.PathLike[str]) -> None:
    """Remove a file, if it is there.

    Raises:
        LocationError, MissingExtraError, OSError: that failed.
    """
    place = os.fspath(place)
    if local := _local(place):
        local.unlink(missing_ok=True)
        return
    opened, path = filesystem(place)
    with suppress(FileNotFoundError), told(place):
        opened.rm_file(path)


def list_files(url: str | os.PathLike[str]) -> Iterator[Listed]:
    """All files below a folder or prefix, as the store tells them: page by page, never all at once.

    Raises:
        LocationError, MissingExtraError, OSError: it cannot be listed.
    """
    url = os.fspath(url)
    if local := _local(url):
        beginning = url.rstrip("/") if is_url(url) else str(local)
        for listed in _list_local(local):
            yield listed._replace(place=beginning + listed.place[len(str(local)) :])
        return
    opened, path = filesystem(url)
    listed = _list_s3 if scheme_of(url) == "s3" else _list_web if scheme_of(url) in WEB else _list_any
    with told(url):
        yield from listed(opened, path.rstrip("/"), url.rstrip("/"))


def fetched(places: Iterable[str], at_once: int | None = None) -> Generator[Fetched, None, None]:
    """For each place in order, a function that gives its bytes, or None where it is a local path.

    Those at URLs are read while the places before them are in use. The function raises as `read` does.

    at_once: how many are read at a time; by default enough for stores that take 50 ms to answer.
    """
    at_once = at_once or min(MAX_CONNECTIONS, max(LEAST_AT_ONCE, PER_CORE * cpu_budget()))
    pending: deque[Fetched] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="read-ahead") as pool:
        try:
            for place in places:
                pending.append(_Begun(place, pool) if is_url(place) else None)
                if len(pending) > at_once:
                    yield pending.popleft()
            while pending:
                yield pending.popleft()
        finally:
            for begun in pending:
                if isinstance(begun, _Begun):
                    begun.future.cancel()


class _Begun:
    """A file whose reading has begun: on the loop of its file system where it has one; a thread for each costs more."""

    def __init__(self, place: str, pool: ThreadPoolExecutor) -> None:
        opened, path = filesystem(place)
        self._place, self._is_alone = place, False
        by_obstore = HAS_OBSTORE and scheme_of(place) == "s3"
        if is_here(place) or split_member(place)[1] or by_obstore or not opened.async_impl:
            self.future = pool.submit(read, place)
        else:
            self.future, self._is_alone = asyncio.run_coroutine_threadsafe(opened._cat_file(path), opened.loop), True

    def __call__(self) -> bytes:
        if not self._is_alone:
            return self.future.result()
        try:
            with told(self._place):
                return once(self._place, self.future.result)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        return read(self._place)


def map_fetched(
    pool: Executor, work: Callable[[str, Fetched], Result], places: Iterable[str], depth: int = 64
) -> Iterator[Result]:
    """What a pool makes of each file, in order. work: is given the place, and what `fetched` gives for it.

    depth: how many files are handed to the pool before their results are needed.
    """
    named, read_next = tee(places)
    return prefetch(pool, lambda each: work(*each), zip(named, fetched(read_next), strict=True), depth)


def read_ahead(
    places: Iterable[str | os.PathLike[str]], at_once: int | None = None
) -> Iterator[bytes | OSError]:  # fmt: skip
    """The bytes of each file in order, or the OSError that says why it cannot be read. Reads ahead as `fetched` does.

    Raises:
        LocationError, MissingExtraError: what concerns a whole store ends all of it.
    """
    named, read_next = tee(os.fspath(place) for place in places)
    for content, place in zip(fetched(read_next, at_once), named, strict=True):
        try:
            yield content() if content else read(place)
        except OSError as error:
            yield error


def _local(place: str) -> Path | None:
    """The path of a place on this machine's disks."""
    if not is_url(place):
        return Path(place)
    if scheme_of(place) != "file":
        return None
    path = place.partition("://")[2]
    return Path(path[1:] if re.match("/[A-Za-z]:", path) else path)


def _write_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".writing-{uuid.uuid4().hex}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _list_local(folder: Path) -> Iterator[Listed]:
    for above, folders, files in os.walk(folder):
        folders.sort()
        for path in (Path(above, name) for name in sorted(files)):
            found = path.stat()
            yield Listed(str(path), found.st_size, str(found.st_mtime_ns))


def _list_s3(opened: Any, path: str, url: str) -> Iterator[Listed]:
    """Without the folders that s3fs makes of names: pages of 1,000 in the order of the names."""
    bucket, _, prefix = path.partition("/")
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
    while True:
        page = opened.call_s3("list_objects_v2", **asked)
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):  # what consoles make to show a folder
                yield Listed(f"s3://{bucket}/{found['Key']}", found["Size"], found["ETag"].strip('"'))
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _list_any(opened: Any, path: str, url: str) -> Iterator[Listed]:
    """Folder by folder."""
    entries = sorted((entry["name"].rstrip("/"), entry) for entry in opened.ls(path, detail=True))
    for name, entry in entries:
        if entry["type"] == "file":
            yield Listed(url + name[len(path) :], entry["size"] or 0, _version(entry))
    for name, entry in entries:
        if entry["type"] == "directory" and name != path:
            yield from _list_any(opened, name, url + name[len(path) :])


def _list_web(opened: Any, path: str, url: str) -> Iterator[Listed]:
    """The links of an index page, as Apache, nginx and Python write them, and those of the pages below."""
    page = f"{url}/"
    links = sorted({entry["name"] for entry in opened.ls(page, detail=True)} - {page})
    inside = [link for link in links if link.startswith(page) and not {"?", "#"} & set(link)]
    for link in inside:
        if not link.endswith("/"):
            yield Listed(link, -1, "")
    for link in inside:
        if link.endswith("/"):
            yield from _list_web(opened, link, link.rstrip("/"))


def _version(entry: dict[str, Any]) -> str:
    names = ("ETag", "etag", "md5Hash", "generation", "blob_id", "last_modified", "mtime", "updated", "created")
    return next((str(entry[name]).strip('"') for name in names if entry.get(name)), "")
