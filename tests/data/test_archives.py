"""Zip -> Dataset: unpacked once, found by its content, and never a file outside of its folder."""

import stat
import zipfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

import headstart as hs
from headstart.data import archives
from headstart.data.archives import unpacked
from headstart.errors import CancelledError, DatasetError
from headstart.storage.names import is_allowed
from support.recording import Recorder
from support.small_collections import collection, load, picture, png, zipped


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"])
def test_zip_with_a_path_that_leaves_it_is_refused(tmp_path, name):
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    with zipfile.ZipFile(archive, "a") as file:
        member = zipfile.ZipInfo("placeholder")
        member.filename = name
        file.writestr(member, b"x")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatasetError, match="points outside of the archive"):
        load(archive)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["CON/1.png", "a:b/1.png", "aux.png", "a/why?.png", "a /1.png", "a./1.png"])
def test_names_that_windows_does_not_allow_are_refused_there_only(tmp_path, name, monkeypatch):
    data = collection(tmp_path / "p", {"a": 2, "b": 2})
    (data / name).parent.mkdir(exist_ok=True)
    picture(data / name, 77)
    archive = zipped(data, tmp_path / "p.zip")
    assert (unpacked(archive) / name).is_file()
    monkeypatch.setattr(archives, "is_allowed", partial(is_allowed, windows=True))
    with pytest.raises(DatasetError, match=r"a name that Windows does not allow\. Nothing was unpacked"):
        unpacked(archive)


def test_a_cache_that_is_closed_to_others_is_no_trace(tmp_path, monkeypatch):
    archive = zipped(collection(tmp_path / "p", {"a": 7, "b": 8}), tmp_path / "p.zip")

    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    first = unpacked(archive)
    is_dir = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda self: closed(self) if self.parent.name == "archives" else is_dir(self))
    assert unpacked(archive) == first


def test_zip_with_a_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as file:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DatasetError, match="points outside of the archive"):
        load(tmp_path / "p.zip")


def test_damaged_zip(tmp_path):
    archive = zipped(collection(tmp_path / "p", {"a": 9, "b": 9}), tmp_path / "p.zip")
    data = bytearray(archive.read_bytes())
    data[100:140] = b"\0" * 40
    (tmp_path / "damaged.zip").write_bytes(data)
    with pytest.raises(DatasetError, match="damaged zip"):
        load(tmp_path / "damaged.zip")
    (tmp_path / "short.zip").write_bytes(archive.read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"begins like a zip, but its end is missing: copy or download it again"):
        load(tmp_path / "short.zip")
    assert len(load(archive)) == 18, "a failed attempt must not spoil the cache"


def test_zip_is_unpacked_once_and_found_by_its_content(tmp_path):
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    folder = unpacked(archive)
    moved = tmp_path / "moved.zip"
    archive.rename(moved)
    stamp = folder.stat().st_mtime_ns
    assert unpacked(moved) == folder
    assert folder.stat().st_mtime_ns == stamp
    picture(tmp_path / "p" / "a" / "new.png", 77)
    assert unpacked(zipped(tmp_path / "p", archive)) != folder


def test_an_unpacking_that_is_cancelled_leaves_nothing(tmp_path, monkeypatch):
    archive = zipped(collection(tmp_path / "p", {"a": 3, "b": 3}), tmp_path / "p.zip")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))

    class CancelAtTheThird(Recorder):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 2

    with pytest.raises(CancelledError):
        hs.load_dataset(archive, listener=CancelAtTheThird())
    assert list((tmp_path / "cache" / "archives").iterdir()) == []
    assert len(load(archive)) == 6


def test_a_disk_that_is_too_full_is_said(tmp_path, monkeypatch):
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100))
    with pytest.raises(
        DatasetError, match=r"unpacks to 0 MB, but only 0 MB are free in '.*archives'\. Free some space"
    ):
        load(archive)


def test_a_zip_with_a_password_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of encryption, in both headers
        start = -1
        while (start := data.find(signature, start + 1)) >= 0:
            data[start + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match=r"cannot be unpacked \(.*password.*\)\. Unpack it, and give the folder"):
        load(archive)


@pytest.mark.parametrize("method", [9, 95, 98])  # Deflate64 of Windows' Explorer, XZ and PPMd of 7-Zip
def test_a_method_that_python_lacks_is_no_damage(tmp_path, monkeypatch, method):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # the method, in both headers
        start = -1
        while (start := data.find(signature, start + 1)) >= 0:
            data[start + offset] = method
    archive.write_bytes(data)
    with pytest.raises(DatasetError, match=r"is packed in a way that headstart cannot read .* Unpack it") as refused:
        load(archive)
    assert not isinstance(refused.value, archives.DamagedArchiveError)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_is_known_whatever_the_method(tmp_path, monkeypatch, method):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "p.zip", "w", method) as file:
        for number in range(4):
            file.writestr(f"{'ab'[number % 2]}/{number}.png", png(number))
    assert len(load(tmp_path / "p.zip")) == 4
    data = bytearray((tmp_path / "p.zip").read_bytes())
    data[60:80] = bytes(range(200, 220))
    (tmp_path / "damaged.zip").write_bytes(data)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))
    with pytest.raises(DatasetError, match="is a damaged zip"):
        load(tmp_path / "damaged.zip")


def test_other_archives_are_to_be_unpacked(tmp_path):
    (tmp_path / "p.tar.gz").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"neither a folder nor a zip nor a CSV\. Unpack it, and give the folder"):
        load(tmp_path / "p.tar.gz")
    with pytest.raises(DatasetError, match=r"holds no images \(found: 1 \.gz\)\. Unpack the archives in it"):
        load(tmp_path)


def test_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    archive = zipped(collection(tmp_path / "p", {"a": 2, "b": 2}), tmp_path / "p.zip")
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match="Set HEADSTART_CACHE to a folder that can be written"):
        load(archive)
