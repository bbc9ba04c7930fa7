"""Splits in the studio are those of `headstart train`, also of photos and classes that only the user labels."""

import shutil
from collections import Counter
from pathlib import Path

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
