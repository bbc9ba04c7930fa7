"""Files, folders and patterns -> the images that are meant, also where the names hold the signs of patterns."""

from pathlib import Path

import pytest

from headstart.data.image_arguments import images_among
from headstart.errors import DatasetError
from support.small_collections import collection


def names(*paths: Path) -> list[str]:
    files, _ = images_among(paths)
    return [Path(file).relative_to(Path(file).parents[1]).as_posix() for file in files]


@pytest.mark.parametrize("folder", ["photos [2024]", "[a]", "a*b", "what?", "x[", "[!a]", "plain"])
def test_signs_of_patterns_in_names_of_folders(tmp_path, folder):
    collection(tmp_path / folder, {"cats": 2, "dogs": 1})
    assert names(tmp_path / folder / "*" / "*.png") == ["cats/0.png", "cats/1.png", "dogs/2.png"]
    assert names(tmp_path / folder / "**" / "*.png") == ["cats/0.png", "cats/1.png", "dogs/2.png"]
    assert names(tmp_path / folder / "cats" / "[1-9].png") == ["cats/1.png"]
    assert names(tmp_path / folder / "cats") == ["cats/0.png", "cats/1.png"]
    assert names(tmp_path / folder / "cats" / "0.png") == ["cats/0.png"]


def test_brackets_in_the_names_of_files(tmp_path, monkeypatch):
    root = collection(tmp_path, {"a": 1})
    (root / "a" / "0.png").rename(root / "a" / "IMG [1].png")
    assert names(root / "a" / "IMG [1]*") == ["a/IMG [1].png"]
    monkeypatch.chdir(tmp_path)
    assert images_among([Path("a/*[[]1].png")])[0] == [str(Path("a/IMG [1].png"))]
    with pytest.raises(DatasetError, match="No image matches"):
        images_among([Path("a/[2]*.png")])


def test_what_headstart_wrote_is_no_photo(tmp_path):
    root = collection(tmp_path / "p", {"a": 2, "run/plots": 2})
    (root / "run" / "classifier.json").touch()
    files, notes = images_among([root])
    assert [Path(file).parent.name for file in files] == ["a", "a"]
    assert notes == [f"'{root / 'run'}' is a classifier that headstart wrote, and is left out"]
