"""The cache folder: addresses, eviction and clearing, whatever lies in it."""

import json
import os
import subprocess
import sys

import pytest

from headstart.errors import DatasetError
from headstart.storage import cache


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(path, size: int, age: int) -> None:
    """A file, or a folder with one in it, that was used last `age` seconds ago."""
    file = path if path.suffix else path / "content.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"0" * size)
    moment = 1_000_000 - age
    os.utime(file, (moment, moment))
    os.utime(path, (moment, moment))


def test_a_key_stands_for_all_facts_and_versions():
    assert cache.key("numpy", size=3, name="a") == cache.key("numpy", name="a", size=3)
    keys = {cache.key("numpy", size=3), cache.key("numpy", size=4), cache.key(size=3), cache.key("no-such", size=3)}
    assert len(keys) == 4
    assert cache.key("numpy", size=3, name=None) is None


def test_what_was_used_longest_ago_goes_first(folder):
    """Shards, engines and networks are weighed together; what is protected stays, archives are not counted."""
    shard, engine = folder / "features" / "k" / "original" / "s.npy", folder / "engines" / "e"
    network, archive = folder / "networks" / "n", folder / "archives" / "a"
    for path, age in ((archive, 90), (engine, 40), (shard, 30), (network, 20)):
        fill(path, 1000, age)
    cache.evict(3000)
    assert all(path.exists() for path in (shard, engine, network))
    cache.evict(2500)
    assert not engine.exists()
    cache.evict(1500, protected={str(shard)})
    assert shard.exists()
    assert not network.exists()
    assert archive.exists()


def test_what_cannot_be_removed_stays(folder, monkeypatch):
    for name in "ab":
        fill(folder / "features" / "k" / "original" / f"{name}.npy", 1000, 0)

    def refuse(*arguments, **settings) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "unlink", refuse)
    cache.evict(500)
    assert len(list(folder.rglob("*.npy"))) == 2


def test_the_limit_is_the_users(monkeypatch):
    monkeypatch.delenv("HEADSTART_CACHE_GB", raising=False)
    assert cache.size_limit() == 20e9
    monkeypatch.setenv("HEADSTART_CACHE_GB", "0.5")
    assert cache.size_limit() == 0.5e9
    monkeypatch.setenv("HEADSTART_CACHE_GB", "20GB")
    with pytest.raises(DatasetError, match="HEADSTART_CACHE_GB is '20GB': expected a number of gigabytes"):
        cache.size_limit()


def test_a_folder_is_kept_whole_and_once(folder, tmp_path):
    written = tmp_path / "written"
    fill(written, 10, 0)
    assert cache.store_folder(written, folder / "engines" / "e") is None
    assert cache.store_folder(written, folder / "engines" / "e") is None  # another process was faster
    assert [path.name for path in (folder / "engines").iterdir()] == ["e"]
    (folder / "networks").write_text("a file in its place")
    assert "exists" in str(cache.store_folder(written, folder / "networks" / "n"))


def test_show_and_clear(folder):
    fill(folder / "engines" / "e", 1000, 0)
    fill(folder / "archives" / "a", 1000, 0)
    command = [sys.executable, "-m", "headstart", "cache", "--json"]
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    others = dict.fromkeys(("classifiers", "copies", "features", "networks", "readable"), 0)
    assert shown["bytes"] == {"engines": 1000, **others}
    cleared = json.loads(subprocess.run([*command, "--clear"], capture_output=True, check=True).stdout)
    assert cleared["cleared"]
    assert not (folder / "engines").exists()
    assert (folder / "archives" / "a").exists()


def test_a_folder_that_cannot_be_cleared(folder, monkeypatch):
    fill(folder / "engines" / "e", 10, 0)

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache.shutil, "rmtree", refuse)
    with pytest.raises(DatasetError, match=r"cannot be cleared: Permission denied. Check the folder's permissions"):
        cache.clear()
