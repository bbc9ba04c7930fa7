"""Two runs compared by their predictions, and folders that cannot be compared."""

import csv
import json
import shutil

import pytest

import headstart as hs
from headstart.errors import RunError
from headstart.runs.folder import PREDICTIONS, SPLITS
from headstart.runs.predictions import compare_runs


@pytest.fixture(scope="module")
def other_run(tmp_path_factory, photos) -> hs.Run:
    """Another run on the same photos, split alike, by another recipe."""
    out = tmp_path_factory.mktemp("runs") / "other_run"
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    settings = {"backbone": "mobilenet_v2", "image_size": 64, "seed": 3}  # by whose features copies are found
    return hs.make_run(photos, out, recipe=recipe, views="original", listener=hs.Quiet(), **settings)


def test_two_runs_on_the_same_photos(run, other_run):
    found, split = compare_runs(run.folder, other_run.folder)
    assert split == "test"
    assert found.first.to_json() == run.metrics["test"]["accuracy"]
    assert found.second.to_json() == other_run.metrics["test"]["accuracy"]
    assert found.between.only_first - found.between.only_second == found.first.correct - found.second.correct
    itself, _ = compare_runs(run.folder, run.folder)
    assert (itself.between.only_first, itself.between.only_second, itself.between.p) == (0, 0, 1.0)
    assert json.loads(json.dumps(found.to_json()))["distinguishable"] is (found.between.p < 0.05)


def test_runs_of_groups_are_compared_by_groups(run, other_run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    rows = list(csv.reader((copy / SPLITS).read_text("utf-8").splitlines()))
    with (copy / SPLITS).open("w", encoding="utf-8", newline="") as file:
        plants = [f"plant{number // 4}" if number else "group" for number in range(len(rows))]
        csv.writer(file).writerows([[*row, plant] for row, plant in zip(rows, plants, strict=True)])
    alone, _ = compare_runs(run.folder, other_run.folder)
    found, _ = compare_runs(copy, other_run.folder)
    again, _ = compare_runs(other_run.folder, copy)
    assert (found.groups, alone.groups) == (again.groups, None)
    assert found.groups
    assert found.first.value == alone.first.value
    assert found.first.high - found.first.low > alone.first.high - alone.first.low
    assert found.between.p >= alone.between.p
    assert f"images in {found.groups} groups (p = " in found.verdict


def test_folders_that_cannot_be_compared(run, tmp_path):
    with pytest.raises(RunError, match="does not exist"):
        compare_runs(run.folder, tmp_path / "missing")
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    text = (copy / PREDICTIONS).read_text("utf-8")
    (copy / PREDICTIONS).write_text(text.replace(",defective,", ",broken,"), "utf-8")
    with pytest.raises(RunError, match="labels of the runs differ"):
        compare_runs(run.folder, copy)
    lines = text.splitlines()
    (copy / PREDICTIONS).write_text("\n".join([lines[0], *(line[:-8] + "00000000" for line in lines[1:])]), "utf-8")
    with pytest.raises(RunError, match="no test or validation image in common"):
        compare_runs(run.folder, copy)
    (copy / PREDICTIONS).write_text("path,answer\n1,2\n", "utf-8")
    with pytest.raises(RunError, match="is damaged"):
        compare_runs(run.folder, copy)
    (copy / PREDICTIONS).unlink()
    with pytest.raises(RunError, match="older headstart"):
        compare_runs(copy, run.folder)
