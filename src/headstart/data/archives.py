"""Zip -> a folder in headstart's cache, unpacked once and safely. Knows nothing of images.

No member can leave the folder: absolute paths, `..`, drive letters and links are refused, not skipped.
"""

import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from headstart.errors import DatasetError
from headstart.storage.cache import cache_folder
from headstart.storage.hashing import sha256


class DamagedArchiveError(DatasetError):
    """A zip whose content does not match its checksums, or that is cut short."""


def is_zip(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def unpacked(archive: Path) -> Path:
    """The folder with the archive's content; unpacked on first use, found by the digest of its table of contents.

    Raises:
        DatasetError: a member would leave the folder, a checksum is wrong, a password is needed, the disk is too full.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            for member in members:
                _check(member, archive)
            folder = cache_folder() / "archives" / _digest(members)
            if not folder.is_dir():
                _unpack(opened, members, archive, folder)
            return folder
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise DamagedArchiveError(f"'{archive}' is a damaged zip ({error}). Copy or download it again.") from None
    except RuntimeError as error:  # zipfile's answer to encryption
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
            f"Make the zip anew from the folder of photos."
        )


def _unpack(opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], archive: Path, folder: Path) -> None:
    """Into a folder beside its place, moved there whole: another process never sees a half."""
    needed = sum(member.file_size for member in members)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if needed > free:
            raise DatasetError(
                f"'{archive}' unpacks to {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free in "
                f"'{folder.parent}'. Free some space, or set HEADSTART_CACHE to a folder on a larger disk."
            )
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name + ".") as temporary:
            content = Path(temporary, "content")
            content.mkdir()
            for member in members:
                opened.extract(member, content)
            try:
                content.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was faster, with the same content
                    raise
    except OSError as error:
        raise DatasetError(
            f"'{archive}' cannot be unpacked into '{folder.parent}': {error.strerror or error}. "
            f"Set HEADSTART_CACHE to a folder that can be written."
        ) from None
