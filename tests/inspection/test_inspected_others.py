"""A folder `_other` in `headstart inspect`: its files and copies are looked at, and it is no class."""

import shutil
from pathlib import Path

import pytest

import headstart as hs
from headstart.data.splits import OTHER
from headstart.inspection.findings import BYTES, CONFLICT, DOUBT, GROUPING, OUTLIER, SHORTCUT
from support.planted import tiles
from support.sizes import SMALL

COUNT = 12


def look(data: Path) -> hs.Inspection:
    return hs.inspect(data, image_size=SMALL, listener=hs.Quiet())


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photos: Path) -> Path:
    """Grey cells of two classes in PNG; and beside them coloured JPEGs of whatever else, one cell, and no image."""
    root = Path(shutil.copytree(photos, tmp_path_factory.mktemp("inspected") / "cells"))
    (root / OTHER).mkdir()
    for number, tile in enumerate(tiles()[:COUNT]):
        tile.save(root / OTHER / f"{number}.jpg")
    shutil.copy(next((root / "defective").iterdir()), root / OTHER / "cell.png")
    (root / OTHER / "broken.png").write_bytes(b"no image")
    return root


def test_it_is_no_class(folder, photos):
    found, without = look(folder), look(photos)
    assert found.classes == without.classes
    assert found.verdict.startswith("93 images of 2 classes")
    assert f"Note: '{OTHER}' holds 13 photos of none of the classes" in str(found)
    about_labels = [*found.of_kind(DOUBT), *found.of_kind(OUTLIER)]
    assert about_labels
    assert OTHER not in {name for each in about_labels for name in (each.label, each.suggested)}
    for kind in (GROUPING, SHORTCUT):
        assert found.of_kind(kind) == without.of_kind(kind), "grey PNGs beside coloured JPEGs"


def test_its_files_and_copies_are_looked_at(folder, photos):
    found = look(folder)
    assert "broken.png" in {Path(each.path).name for each in found.findings}
    (copy,) = found.of_kind(BYTES)
    assert OTHER in {copy.label, copy.other_label}
    assert len(found.of_kind(CONFLICT)) == len(look(photos).of_kind(CONFLICT)) + 1


def test_nothing_but_such_photos(tmp_path):
    (tmp_path / OTHER).mkdir()
    for number, tile in enumerate(tiles()[:COUNT]):
        tile.save(tmp_path / OTHER / f"{number}.jpg")
    found = look(tmp_path)
    assert found.classes == {}
    assert any("would refuse this collection" in remark for remark in found.remarks)
