"""Only regular files are read: a pipe, a socket or a device among the photos is said, not waited for."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import headstart as hs
from headstart.data.images import read_image
from headstart.errors import DatasetError, ImageError
from headstart.inspection.headers import read_header
from headstart.storage.regular import check_regular, read_regular
from support.recording import Recorder

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")


@pytest.fixture
def special(tmp_path) -> dict[str, Path]:
    """Kind -> a file of it, which looks like a photo."""
    folder = tmp_path / "special"
    folder.mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "device.png").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may have some hundred characters only
        bound.bind("socket.png")
        os.chdir(here)
    return {path.stem: path for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_refused(special, kind):
    with pytest.raises(OSError, match=f"It is a {kind}, not a regular file"):
        read_regular(special[kind])
    for read in (read_image, read_header):
        with pytest.raises(ImageError, match=f"It is a {kind}, not a regular file"):
            read(special[kind])


def test_files_links_to_them_and_folders_are_as_before(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    check_regular(tmp_path)
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "missing")


def test_among_the_photos_of_a_class_they_are_set_aside(special, photos, tmp_path):
    data, listener = shutil.copytree(photos, tmp_path / "data"), Recorder()
    for path in special.values():
        path.rename(data / "functional" / f"{path.name}")
    dataset = hs.load_dataset(data, listener=listener)
    assert [Path(file.path).name for file in dataset.unreadable] == ["device.png"], "a link, which is followed"
    for name in ("pipe.png", "socket.png"):
        assert any(f"{name}' is no file, but a pipe, a socket or a device" in line for line in listener.lines)


def test_a_collection_that_is_a_pipe_is_refused(tmp_path):
    for name in ("photos", "photos.csv", "photos.zip"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DatasetError, match="neither a folder nor a zip nor a CSV"):
            hs.load_dataset(tmp_path / name)


def test_predict_says_it_and_answers_the_rest(run, special, photos):
    good = next(photos.rglob("*.png"))
    command = [sys.executable, "-m", "headstart", "predict", run.folder, good, special["pipe"]]
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, len(result.stdout.splitlines())) == (2, 1)
    assert result.stderr == f"'{special['pipe']}' cannot be opened: It is a pipe, not a regular file.\n"
