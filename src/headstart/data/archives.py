"""Zip -> a folder in headstart's cache, unpacked once and safely. Knows nothing of images.

No member can leave the folder: an archive with absolute paths, `..`, drive letters or links is refused.
"""

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from headstart.errors import DatasetError
from headstart.events import Listener, check_cancelled
from headstart.listeners.quiet import Quiet
from headstart.storage.cache import cache_folder
from headstart.storage.hashing import sha256


class DamagedArchiveError(DatasetError):
    """A zip whose content does not match its checksums, or that is truncated."""


def is_zip(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def unpacked(archive: Path, listener: Listener | None = None) -> Path:
    """The folder with the archive's content. It is unpacked on first use, and found by its table of contents.

    Raises:
        DatasetError: a member would leave the folder, a checksum is wrong, a password is needed, the disk is too full.
        CancelledError: the listener asks the work to stop.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            for member in members:
                _check(member, archive)
            folder = cache_folder() / "archives" / _digest(members)
            if not folder.is_dir():
                _check_space(members, archive, folder.parent)
                _unpack(opened, members, archive, folder, listener or Quiet())
            return folder
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise DamagedArchiveError(f"'{archive}' is a damaged zip ({error}). Copy or download it again.") from None
    except RuntimeError as error:  # how zipfile reports encryption
        raise DatasetError(f"'{archive}' cannot be unpacked ({error}). Unpack it, and give the folder.") from None


def _digest(members: list[zipfile.ZipInfo]) -> str:
    contents = sorted((member.filename, member.CRC, member.file_size) for member in members)
    return sha256(repr(contents).encode())[:32]


def _check(member: zipfile.ZipInfo, archive: Path) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0] or is_link:
        raise DatasetError(
            f"'{archive}' holds '{member.filename}', which points outside of the archive. Nothing was unpacked. "
            f"Make a new zip from the folder of photos."
        )


def _check_space(members: list[zipfile.ZipInfo], archive: Path, target: Path) -> None:
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
    opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], archive: Path, folder: Path, listener: Listener
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
                if not folder.is_dir():  # otherwise another process was faster, with the same content
                    raise
    except OSError as error:
        raise _unwritable(archive, folder.parent, error) from None


def _unwritable(archive: Path, target: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"'{archive}' cannot be unpacked into '{target}': {error.strerror or error}. "
        f"Set HEADSTART_CACHE to a folder that can be written."
    )
