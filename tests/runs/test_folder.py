"""RunFolder: what it reads, and what it says of files that are missing or damaged."""

import csv
import shutil
from pathlib import Path

import pytest

import headstart as hs
from headstart.errors import RunError
from headstart.runs import folder
from headstart.runs.folder import RunFolder


@pytest.fixture
def copy(run: hs.Run, tmp_path: Path) -> Path:
    """A copy of the run without its large files, which may be damaged."""
    return shutil.copytree(run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("model.keras", "engine"))


def test_everything_that_a_run_keeps_can_be_read(run):
    found = RunFolder(run.folder)
    assert found.metrics == run.metrics
    assert found.card["class_names"] == run.metrics["class_names"]
    counts = {split: run.metrics[split]["accuracy"]["count"] for split in ("train", "validation", "test")}
    assert {split: sum(row.split == split for row in found.splits) for split in counts} == counts
    assert all(Path(row.path).is_file() and len(row.digest) == 64 for row in found.splits)
    assert [row["epoch"] for row in found.history] == ["1", "2", "3", "4"]
    for split in ("validation", "test"):
        answers = found.predictions[split].values()
        assert sum(answer.is_correct for answer in answers) == run.metrics[split]["accuracy"]["correct"]
    assert found.report.is_file()
    assert found.pictures == run.pictures
    assert all(picture.is_file() for picture in found.pictures)


def test_a_file_is_read_when_it_is_first_asked_for(copy):
    found = RunFolder(copy)
    for name in (folder.HISTORY, folder.SPLITS, folder.PREDICTIONS):
        (copy / name).write_bytes(b"\xff\xfe")
    assert found.metrics["schema"] == 1


def test_a_classifier_saved_from_python_has_no_more_than_its_card(copy):
    for name in (folder.METRICS, folder.HISTORY, folder.SPLITS, folder.PREDICTIONS):
        (copy / name).unlink()
    shutil.rmtree(copy / folder.PLOTS)
    found = RunFolder(copy)
    assert (found.metrics, found.history, found.splits, found.pictures) == ({}, (), (), [])
    with pytest.raises(RunError, match=r"predictions\.csv' is missing.*Train it again"):
        _ = found.predictions


@pytest.mark.parametrize(("name", "content", "attribute"), [
    (folder.METRICS, "{", "metrics"),
    (folder.METRICS, "[]", "metrics"),
    (folder.SPLITS, "path,label\na,b\n", "splits"),
    (folder.SPLITS, "path,label,split,hash\na,b\n", "splits"),
    (folder.HISTORY, "phase\nfine_tuning\n", "history"),
    (folder.PREDICTIONS, "path,split,label,answer,probability,hash\na,nowhere,b,b,1,0\n", "predictions"),
    (folder.PREDICTIONS, b"\xff\xfe", "predictions"),
])  # fmt: skip
def test_a_damaged_file_is_named(copy, name, content, attribute):
    (copy / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=rf"{name}' is damaged \(.*Copy the whole folder"):
        getattr(RunFolder(copy), attribute)


def test_a_folder_that_is_no_run(tmp_path):
    for attribute in ("card", "predictions"):
        with pytest.raises(RunError, match=r"holds no classifier\.json; expected the folder of a run"):
            getattr(RunFolder(tmp_path), attribute)
    (tmp_path / folder.METRICS).mkdir()
    with pytest.raises(RunError, match=r"metrics\.json' cannot be read: Is a directory"):
        _ = RunFolder(tmp_path).metrics


def test_relative_paths_are_below_the_run(copy):
    with (copy / folder.SPLITS).open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split", "hash"), ("photos/1.png", "a", "train", "0" * 64)])
    assert RunFolder(copy).splits[0].path == str(copy / "photos" / "1.png")
