"""Zip -> the names as they were meant: backslashes, UTF-8 without its flag, other encodings, Unicode extra fields."""

import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.zip_names import member_names
from headstart.errors import DatasetError
from support.small_collections import collection, load, png, zipped

CLASSES = ("Hündchen", "Kätzchen")


def written(archive: Path, names: list[bytes], *, unicode_paths: list[str] | None = None) -> Path:
    """A zip whose members, a picture each, have these bytes as names, without the flag of UTF-8."""
    with zipfile.ZipFile(archive, "w") as file:
        for number, name in enumerate(names):
            member = zipfile.ZipInfo(chr(ord("A") + number) * len(name))  # as long as the name
            if unicode_paths:
                body = b"\x01" + struct.pack("<L", zlib.crc32(name)) + unicode_paths[number].encode()
                member.extra = struct.pack("<HH", 0x7075, len(body)) + body
            file.writestr(member, png(number))
    content = archive.read_bytes()
    for number, name in enumerate(names):
        content = content.replace((chr(ord("A") + number) * len(name)).encode(), name)
    archive.write_bytes(content)
    return archive


def paths(classes: tuple[str, ...], separator: str = "/") -> list[str]:
    return [f"{name}{separator}photo{number:05}.png" for name in classes for number in range(3)]


@pytest.mark.parametrize("top", ["", "photos\\", "photos\\2024\\"])
def test_backslashes_are_separators(tmp_path, top):
    """PowerShell 5 and .NET before 4.6.1 write them."""
    names = [(top + name).encode() for name in paths(("cats", "dogs"), "\\")]
    assert load(written(tmp_path / "p.zip", names)).class_names == ("cats", "dogs")


@pytest.mark.parametrize("classes", [CLASSES, ("犬", "猫"), ("Ёж", "Лось")])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_utf8_without_its_flag(tmp_path, classes, form):
    names = [unicodedata.normalize(form, name).encode() for name in paths(classes)]
    assert load(written(tmp_path / "p.zip", names)).class_names == tuple(sorted(classes))


@pytest.mark.parametrize(("classes", "encoding"), [
    (CLASSES, "cp850"), (("狗", "猫"), "gbk"), (("犬", "猫"), "shift_jis"),
])  # fmt: skip
def test_another_encoding_is_said_rather_than_guessed(tmp_path, classes, encoding):
    names = paths(classes)
    raw = [name.encode(encoding) for name in names]
    assert load(written(tmp_path / "told.zip", raw, unicode_paths=names)).class_names == tuple(sorted(classes))
    with pytest.raises(DatasetError, match=r"does not say in which encoding the names of its folders are .* Unpack it"):
        load(written(tmp_path / "p.zip", raw))


def test_names_of_files_alone_may_be_in_any_encoding(tmp_path):
    names = [name.replace("photo", "März").encode("cp850") for name in paths(("cats", "dogs"))]
    assert len(load(written(tmp_path / "p.zip", names))) == 6


def test_an_extra_field_of_another_name_is_ignored(tmp_path):
    """It is out of date once a program that does not know it has renamed the member."""
    archive = written(tmp_path / "p.zip", [name.encode() for name in paths(CLASSES)], unicode_paths=paths(("x", "y")))
    content = archive.read_bytes()
    for raw in (name.encode() for name in paths(CLASSES)):
        content = content.replace(b"\x01" + struct.pack("<L", zlib.crc32(raw)), b"\x01" + b"\0" * 4)
    archive.write_bytes(content)
    assert load(archive).class_names == CLASSES


def test_entries_for_folders_and_for_the_place_itself_are_no_files(tmp_path):
    archive = zipped(collection(tmp_path / "p", {"a": 3, "b": 3}), tmp_path / "p.zip")
    with zipfile.ZipFile(archive, "a") as file:
        for name in (".", "./", "empty/", "windows\\"):
            member = zipfile.ZipInfo("placeholder")
            member.filename = name
            file.writestr(member, b"")
        file.writestr("./a/more.png", png(9))
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a/0.png", png(10))  # added anew: the last one counts
    assert len(load(archive)) == 7


def test_two_names_that_become_one_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"holds 'a/0.png' twice"):
        load(written(tmp_path / "p.zip", [b"a/0.png", b"a\\0.png", b"b/0.png", b"b/1.png"]))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=12)), max_size=5))
def test_any_names_and_extra_fields_are_read_or_refused(given):
    members = []
    for name, extra in given:
        member = zipfile.ZipInfo(name)
        member.extra = extra
        member.orig_filename = name if not name.isascii() else member.orig_filename
        member.flag_bits = 0 if name.isascii() else 0x800
        members.append(member)
    assert len(member_names(members, Path("p.zip"))) == len(members)
