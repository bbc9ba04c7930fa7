"""Zip -> a folder in headstart's cache, unpacked once and safely. Knows nothing of images.

No member can leave the folder: an archive with absolute paths, `..`, drive letters or links is refused.
"""

import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from headstart.data.zip_names import member_names
from headstart.errors import DatasetError
from headstart.events import Listener, check_cancelled
from headstart.listeners.quiet import Quiet
from headstart.storage.cache import cache_folder, is_folder, store_file
from headstart.storage.hashing import sha256
from headstart.storage.members import BLOCK, opened_file, version_of
from headstart.storage.names import is_allowed
from headstart.storage.url_path import Location

try:
    from lzma import LZMAError  # some builds of Python lack it

    _LZMA_ERRORS: tuple[type[Exception], ...] = (LZMAError,)
except ImportError:
    _LZMA_ERRORS = ()

_DRIVE = re.compile(r"[A-Za-z]:($|[\\/])")  # of Windows
OTHER_ARCHIVES = frozenset({".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"})


class DamagedArchiveError(DatasetError):
    """A zip whose content does not match its checksums, or that is truncated."""


def is_zip(path: Location) -> bool:
    """Of a regular file; at a URL by its ending."""
    return zipfile.is_zipfile(path) if isinstance(path, Path) else path.suffix.lower() == ".zip"


def is_archive(path: Location) -> bool:
    """Whether a file has the ending of an archive, also of one that headstart does not open."""
    return path.suffix.lower() in OTHER_ARCHIVES | {".zip"}


def unpacked(archive: Location, listener: Listener | None = None) -> Path:
    """The folder with the archive's content. It is unpacked on first use, and found by its table of contents; one at a
    URL is fetched for that, and found again by its URL, as long as the store tells that it is the same.

    Raises:
        DatasetError: a member would leave the folder, a checksum is wrong, a password is needed, the disk is too full.
        CancelledError: the listener asks the work to stop.
        LocationError, MissingExtraError: see `locations.read`.
    """
    listener = listener or Quiet()
    if isinstance(archive, Path):
        return _unpacked(archive, archive, listener)
    version = version_of(str(archive))  # size, and what else is told
    is_known = set(version.split(" ")[1:]) != {"None"}
    note = _archives() / f"{sha256(f'{archive} {version}'.encode())[:32]}.txt"  # the name of the folder
    with suppress(OSError):
        folder = _archives() / note.read_text("utf-8")
        if is_known and is_folder(folder):
            return folder
    with _fetched(str(archive), listener) as file:
        folder = _unpacked(file, archive, listener)
    store_file(note, folder.name.encode())
    return folder


@contextmanager
def _fetched(url: str, listener: Listener) -> Iterator[IO[bytes]]:
    """A file without a name, with what is at the URL.

    Raises:
        DatasetError: it cannot be read, or the disk is too full.
    """
    try:
        _archives().mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=_archives())  # noqa: SIM115 - closed below
    except OSError as error:
        raise _unwritable(url, _archives(), error) from None
    with file:
        with opened_file(url) as remote:
            while content := _read(remote, url):
                check_cancelled(listener)
                try:
                    file.write(content)
                except OSError as error:
                    raise _unwritable(url, _archives(), error) from None
        yield file


def _read(remote: IO[bytes], url: str) -> bytes:
    try:
        return remote.read(BLOCK)
    except OSError as error:
        raise DatasetError(f"'{url}' cannot be read: {error.strerror or error}.") from None


def _unpacked(file: Path | IO[bytes], archive: Location, listener: Listener) -> Path:
    try:
        with zipfile.ZipFile(file) as opened:
            members = _members(opened, archive)
            folder = _archives() / _digest(members)
            if not is_folder(folder):
                _check_space(members, archive, folder.parent)
                _unpack(opened, members, archive, folder, listener)
            return folder
    except NotImplementedError as error:  # how zipfile reports a method that Python lacks
        raise DatasetError(
            f"'{archive}' is packed in a way that headstart cannot read ({error}). Unpack it with the program that "
            f"made it, and give the folder."
        ) from None
    except (zipfile.BadZipFile, EOFError, zlib.error, *_LZMA_ERRORS) as error:
        raise DamagedArchiveError(
            f"'{archive}' is a damaged zip ({error}). Copy or download it again.",
            reason="damaged-zip",
            path=str(archive),
        ) from None
    except RuntimeError as error:  # how zipfile reports encryption
        raise DatasetError(f"'{archive}' cannot be unpacked ({error}). Unpack it, and give the folder.") from None


def member_of(path: str | Path) -> str | None:
    """The name in its zip of a file that `unpacked` has written; None for other files."""
    try:
        return Path(*Path(path).relative_to(_archives().absolute()).parts[1:]).as_posix()
    except ValueError:
        return None


def _archives() -> Path:
    return cache_folder() / "archives"


def remedy(path: Path) -> str:
    """What to do with a file that `is_zip` denies, where it is an archive all the same. It continues a sentence."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return ". It begins like a zip, but its end is missing: copy or download it again"
    if path.suffix.lower() in OTHER_ARCHIVES:
        return ". Unpack it, and give the folder"
    return ""


def _members(opened: zipfile.ZipFile, archive: Location) -> list[zipfile.ZipInfo]:
    """The files of a zip, with their names as they were meant, and each of them inside of the archive.

    Raises:
        DatasetError: one is not, two have the same name, or names are in an unknown encoding.
    """
    entries = opened.infolist()
    members: dict[str, zipfile.ZipInfo] = {}
    for member, name in zip(entries, member_names(entries, archive), strict=True):
        _check(member, name, archive)
        if name.endswith("/") or not PurePosixPath(name).parts:  # a folder, or the entry "." of some programs
            continue
        name = str(PurePosixPath(name))
        if name in members and members[name].orig_filename != member.orig_filename:  # the same: it was added anew
            raise DatasetError(f"'{archive}' holds '{name}' twice. Unpack it, and give the folder.")
        member.filename = name  # `orig_filename` is what zipfile compares with the header of the member
        members[name] = member
    return list(members.values())


def _digest(members: list[zipfile.ZipInfo]) -> str:
    contents = sorted((member.filename, member.CRC, member.file_size) for member in members)
    return sha256(repr(contents).encode())[:32]


def _check(member: zipfile.ZipInfo, name: str, archive: Location) -> None:
    path = PurePosixPath(name)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(name) or is_link or "\0" in name:
        raise DatasetError(
            f"'{archive}' holds '{name}', which points outside of the archive. Nothing was unpacked. "
            f"Make a new zip from the folder of photos."
        )
    if not all(map(is_allowed, path.parts)):
        raise DatasetError(
            f"'{archive}' holds '{name}', a name that Windows does not allow. Nothing was unpacked. Rename it where "
            f"the zip was made."
        )


def _check_space(members: list[zipfile.ZipInfo], archive: Location, target: Path) -> None:
    needed = sum(member.file_size for member in members)
    try:
        target.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target).free
    except OSError as error:
        raise _unwritable(archive, target, error) from None
    if needed > free:
        raise DatasetError(
            f"'{archive}' unpacks to {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free in '{target}'. "
            f"Free some space, or set HEADSTART_CACHE to a folder on a larger disk."
        )


def _unpack(
    opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], archive: Location, folder: Path, listener: Listener
) -> None:
    """Into a folder beside its place, then moved there: no other process sees a part of it."""
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name + ".") as temporary:
            content = Path(temporary, "content")
            content.mkdir()
            for member in members:
                check_cancelled(listener)
                opened.extract(member, content)
            try:
                content.rename(folder)
            except OSError:
                if not is_folder(folder):  # otherwise another process was faster, with the same content
                    raise
    except OSError as error:
        if error.errno is None:  # not the disk's, but the decompressor's of bzip2
            raise zipfile.BadZipFile(str(error)) from None
        raise _unwritable(archive, folder.parent, error) from None


def _unwritable(archive: Location | str, target: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"'{archive}' cannot be unpacked into '{target}': {error.strerror or error}. "
        f"Set HEADSTART_CACHE to a folder that can be written."
    )
