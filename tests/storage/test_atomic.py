"""Folders and files that appear whole or not at all, and leave nothing behind."""

from pathlib import Path

import pytest

from headstart.errors import RunError
from headstart.storage.atomic import atomic_file, atomic_folder, check_free


def write_folder(folder: Path, *, fail: bool = False) -> None:
    with atomic_folder(folder) as content:
        (content / "one.txt").write_text("one")
        assert not folder.exists()
        if fail:
            raise ZeroDivisionError
        (content / "two.txt").write_text("two")


def write_files(file: Path, companion: Path, *, names: tuple[str, ...], fail: bool = False) -> None:
    with atomic_file(file, companion) as content:
        for name in names:
            (content / name).write_text(name)
        assert not file.exists()
        if fail:
            raise ZeroDivisionError


def test_a_folder_appears_whole(tmp_path):
    folder = tmp_path / "runs" / "pets"
    write_folder(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["one.txt", "two.txt"]
    assert [path.name for path in folder.parent.iterdir()] == ["pets"]
    with pytest.raises(RunError, match=r"'.*pets' exists already\. Choose another name, or remove it first"):
        write_folder(folder)


def test_a_folder_that_fails_never_appears(tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_folder(tmp_path / "pets", fail=True)
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_appear_together(tmp_path):
    file, card = tmp_path / "pets.onnx", tmp_path / "pets.json"
    with pytest.raises(ZeroDivisionError):
        write_files(file, card, names=("pets.onnx", "pets.json"), fail=True)
    assert list(tmp_path.iterdir()) == []
    write_files(file, card, names=("pets.onnx", "pets.json", "left over"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets.json", "pets.onnx"]
    assert file.read_text() == "pets.onnx"
    file.unlink()
    with pytest.raises(RunError, match=r"pets\.json' exists already"):
        write_files(file, card, names=("pets.onnx",))


def test_the_file_itself_comes_last(tmp_path):
    """Where a companion was not written, the file does not appear either."""
    with pytest.raises(RunError, match=r"'.*pets\.onnx' cannot be written: No such file"):
        write_files(tmp_path / "pets.onnx", tmp_path / "pets.json", names=("pets.onnx",))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"'.*pets' cannot be written: .* Choose another folder, or free some space"):
        write_folder(tmp_path / "file" / "pets")
    check_free(tmp_path / "pets")
