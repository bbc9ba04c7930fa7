"""Splits in the studio are those of `headstart train`, also of photos and classes that only the user labels."""

import shutil
from collections import Counter
from pathlib import Path

import cv2
import pytest

import headstart as hs
from headstart.commands.run_splits import copy_groups
from headstart.data.dataset import Split
from headstart.data.source import DataSource
from headstart.studio.collection import Collection, open_collection
from headstart.studio.columns import SPLITS
from headstart.training.config import TrainingConfig
from support.correcting import correct


@pytest.fixture(scope="module")
def folder(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of 40, of which 15 each are loose."""
    folder = Path(shutil.copytree(photos, tmp_path_factory.mktemp("splits") / "cells"))
    for name in ("defective", "functional"):
        (folder / "loose").mkdir(exist_ok=True)
        for file in sorted((folder / name).iterdir())[:15]:
            shutil.move(file, folder / f"{name}-{file.name}")
    (folder / "loose").rmdir()
    return folder


def in_studio(folder: Path, *, labelled: bool = True) -> dict[str, str]:
    """Name -> split, of photos with a label, or of those without."""
    collection = computed(folder)
    columns = collection.columns
    try:
        used = ((columns.label >= 0) == labelled) & columns.usable
        return {columns.names[int(row)]: SPLITS[int(columns.split[row])] for row in used.nonzero()[0].tolist()}
    finally:
        collection.close()


def computed(folder: Path) -> Collection:
    published: list[str] = []
    collection = open_collection(DataSource(folder).absolute(), lambda kind, **facts: published.append(kind))
    while collection.reading or collection.analysis.computing:
        collection._closed.wait(0.1)
    return collection


def in_training(folder: Path) -> dict[str, str]:
    config = TrainingConfig.of()
    data = hs.load_dataset(
        folder, groups=lambda images, drawn: copy_groups(images, drawn, config, hs.Quiet()), listener=hs.Quiet()
    )

    def names(split: Split | None) -> list[str]:
        return [str(Path(path).relative_to(folder.resolve())) for path in split.paths] if split else []

    parts = zip(SPLITS, (data.train, data.validation, data.test), strict=True)
    return {name: part for part, split in parts for name in names(split)}


def test_they_are_those_of_a_training(folder: Path):
    loose = in_studio(folder, labelled=False)
    few = [name for name in sorted(loose) if loose[name] == "train"][:4]
    correct(folder, few, "cracked")
    first = in_studio(folder)
    assert first == in_training(folder)
    assert {"train", "validation"} == {first[name] for name in few}, "the new class can be measured"
    correct(folder, sorted(loose)[15:20], "functional")
    correct(folder, [Path(name).name for name in first if name.startswith("defective/")][:8], "cracked")
    correct(folder, few[2:3], None)
    again = in_studio(folder)
    assert again == in_training(folder)
    assert Counter(again.values())["test"] > 0


@pytest.fixture
def chained(photos: Path, tmp_path: Path) -> Path:
    """Ten photos without a label, and with one, two opposite corners of each. A corner is a near copy of the whole, but
    not of the other corner."""
    folder = Path(shutil.copytree(photos, tmp_path / "chained"))
    for file in sorted((folder / "defective").iterdir())[:10]:
        pixels = cv2.imread(str(file))
        assert pixels is not None
        height, width = (round(0.85 * side) for side in pixels.shape[:2])
        cv2.imwrite(str(file.with_name(f"{file.stem}-first.png")), pixels[:height, :width])
        cv2.imwrite(str(file.with_name(f"{file.stem}-second.png")), pixels[-height:, -width:])
        shutil.move(file, folder / file.name)
    return folder


def test_copies_are_joined_by_photos_with_labels_alone(chained: Path):
    def apart(splits: dict[str, str]) -> set[str]:
        """The first corners of photos whose two corners are on different sides."""
        return {
            name
            for name in splits
            if name.endswith("-first.png") and splits[name] != splits[name.replace("-first", "-second")]
        }

    before = in_studio(chained)
    assert before == in_training(chained)
    correct(chained, [file.name for file in chained.glob("*.png")], "defective")
    after = in_studio(chained)
    assert after == in_training(chained)
    assert apart(before) - apart(after), "the whole photos have a label now, and join their corners"
