"""Files that were decoded once are not decoded again; what cannot be read is found every time."""

import shutil
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart as hs
from headstart.data import loading, readable

IMAGES = st.dictionaries(st.binary(min_size=32, max_size=32), st.integers(0, 65535), max_size=5)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_readable_is_not_decoded_again(cache, photos, tmp_path, monkeypatch):
    root = shutil.copytree(photos, tmp_path / "photos")
    (root / "defective" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    first = hs.load_dataset(root, listener=hs.Quiet())
    decoded = []
    monkeypatch.setattr(loading, "read_image", lambda data, size: decoded.append(data) or original(data, size))
    original = readable_image
    second = hs.load_dataset(root, listener=hs.Quiet())
    assert len(decoded) == 1  # the broken one
    assert second.rows() == first.rows()
    assert second.unreadable == first.unreadable
    assert len(second.unreadable) == 1


readable_image = loading.read_image


@settings(max_examples=20, derandomize=True)
@given(st.lists(IMAGES, max_size=40))
def test_nothing_is_forgotten_and_files_stay_few(runs):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", folder)
        expected = {}
        for run in runs:
            readable.remember(run)
            expected |= run
        assert readable.known_images() == expected
        assert len(readable._files(readable._folder())) <= readable.MAX_FILES


def test_damaged_files_are_passed_over(cache):
    readable.remember({b"a" * 32: 7})
    folder = readable._folder()
    (folder / "cut.bin").write_bytes(b"b" * 40)
    (folder / "folder.bin").mkdir()
    assert readable.known_images() == {b"a" * 32: 7}


def test_a_cache_that_cannot_be_written(cache):
    cache.write_text("a file in its place")
    readable.remember({b"a" * 32: 7})
    assert readable.known_images() == {}
