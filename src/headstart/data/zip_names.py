"""The names in a zip -> paths of files, as whoever made the zip meant them. Opens no member.

A zip says of each name whether it is UTF-8 (bit 11 of the flags). macOS writes UTF-8 and does not say so, and Windows
writes the code page of its language. A member may give its name in UTF-8 once more, in an extra field (0x7075; APPNOTE
4.6.9). PowerShell 5 writes backslashes between folders.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from zipfile import ZipInfo

from headstart.errors import DatasetError
from headstart.storage.url_path import Location

IS_UTF8 = 0x800  # the bit of the flags
UNICODE_PATH = 0x7075  # the extra field
_STORED = "cp437"  # how `zipfile` decodes a name that does not say that it is UTF-8


def member_names(members: Iterable[ZipInfo], archive: Location) -> list[str]:
    """The path of each member, with forward slashes.

    Raises:
        DatasetError: a folder has a name in an unknown encoding.
    """
    members = list(members)
    raw = [_raw(member) for member in members]
    told = [_told(member, name) for member, name in zip(members, raw, strict=True)]
    unknown = [name for name, known in zip(raw, told, strict=True) if known is None and isinstance(name, bytes)]
    encoding = "utf-8" if all(map(_is_utf8, unknown)) else _STORED
    for name in unknown:
        if encoding == _STORED and not _folder(name).isascii():
            raise DatasetError(
                f"'{archive}' does not say in which encoding the names of its folders are (such as "
                f"'{_folder(name).decode(_STORED)}'), so the names of the classes would be wrong. Unpack it with the "
                f"program that made it, and give the folder."
            )
    names = (known if known is not None else name.decode(encoding) for name, known in zip(raw, told, strict=True))
    return [name.replace("\\", "/") for name in names]


def _raw(member: ZipInfo) -> bytes:
    return member.orig_filename.encode("utf-8" if member.flag_bits & IS_UTF8 else _STORED)


def _told(member: ZipInfo, raw: bytes) -> str | None:
    """The name, if the zip says how it is encoded. Names in ASCII need no saying."""
    if member.flag_bits & IS_UTF8 or raw.isascii():
        return member.orig_filename
    for kind, content in _extra_fields(member.extra):
        is_current = len(content) > 5 and content[0] == 1 and content[1:5] == struct.pack("<L", zlib.crc32(raw))
        if kind == UNICODE_PATH and is_current and _is_utf8(content[5:]):
            return content[5:].decode()
    return None


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        yield kind, extra[4 : 4 + size]
        extra = extra[4 + size :]


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _folder(name: bytes) -> bytes:
    """All but the name of the file. In Shift-JIS and GBK a backslash may be half of a character, which does no harm."""
    return name.replace(b"\\", b"/").rpartition(b"/")[0]
