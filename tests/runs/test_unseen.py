"""A run is not measured on what it has seen, however that was saved anew."""

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image

import headstart as hs
from headstart import commands
from headstart.errors import DatasetError
from support.recording import Recorder


@pytest.fixture(scope="module")
def saved_anew(run, tmp_path_factory) -> Path:
    """Smaller JPEGs of 12 photos that the run was trained on, and of 6 of its test photos."""
    folder = tmp_path_factory.mktemp("anew")
    with (run.folder / "splits.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for split, count in (("train", 12), ("test", 6)):
        for row in [row for row in rows if row["split"] == split][:count]:
            (folder / row["label"]).mkdir(exist_ok=True)
            with Image.open(row["path"]) as image:
                small = image.convert("RGB").resize((240, 240))
            small.save(folder / row["label"] / f"{split}-{Path(row['path']).stem}.jpg", quality=85)
    return folder


def test_near_copies_of_training_photos_are_left_out(run, saved_anew):
    found = commands.evaluate(run.folder, saved_anew, listener=hs.Quiet())
    assert found.evaluation.accuracy.count == 6
    assert found.images == f"18 images of '{saved_anew}'; 12 near copies of such photos are left out."
    everything = commands.evaluate(run.folder, saved_anew, split="all", listener=hs.Quiet())
    assert everything.evaluation.accuracy.count == 18


def test_copies_alone_measure_nothing(run, saved_anew, tmp_path):
    for file in saved_anew.rglob("train-*.jpg"):
        (tmp_path / file.parent.name).mkdir(exist_ok=True)
        shutil.copy(file, tmp_path / file.parent.name / file.name)
    with pytest.raises(
        DatasetError, match="The 12 images are copies of photos that the run was trained or validated on"
    ):
        commands.evaluate(run.folder, tmp_path, listener=hs.Quiet())


def test_a_run_whose_photos_are_gone_says_so(run, saved_anew, tmp_path):
    moved = shutil.copytree(run.folder, tmp_path / "moved")
    text = (moved / "splits.csv").read_text("utf-8")
    (moved / "splits.csv").write_text(text.replace(".png,", "-gone.png,"), "utf-8")
    found = commands.evaluate(moved, saved_anew, listener=Recorder())
    assert found.evaluation.accuracy.count == 18
    assert found.images.endswith("photos of the run are no longer where they were, so copies of them are not known.")
