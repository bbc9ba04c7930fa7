"""`headstart labels` and `headstart diff`: what is shown, what corrected labels bring, what is refused."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart import commands
from headstart.data.folder import list_images
from headstart.data.loading import read_photos
from headstart.errors import DatasetError, RunError
from support.correcting import correct, journal_of
from support.small_collections import QUIET, collection

QUIETLY: dict[str, Any] = {"listener": QUIET}


@pytest.fixture
def small(tmp_path) -> Path:
    return collection(tmp_path / "photos", {"cats": 6, "dogs": 6})


def test_labels_shows_what_was_corrected(small):
    assert "No label of" in str(commands.labels(small, **QUIETLY))
    correct(small, ["1.png", "2.png"], "birds")
    correct(small, ["7.png"], None)
    found = commands.labels(small, **QUIETLY)
    assert found.classes == {"birds": (0, 2), "cats": (6, 4), "dogs": (6, 5)}
    assert found.summary.state in str(found)
    assert "label: 2 photos -> birds" in str(found)
    document = json.loads(json.dumps(found.to_json()))
    assert document["labels"]["excluded"] == 1
    assert [step["photos"] for step in document["steps"]] == [2, 1]
    assert Path(document["corrections"]) == small.parent / "photos.headstart.db"


def test_labels_undoes_and_redoes(small):
    assert commands.labels(small, undo=True, **QUIETLY).done == ("There is nothing to undo.",)
    correct(small, ["1.png", "2.png"], "birds")
    state = commands.labels(small, **QUIETLY).summary.state
    undone = commands.labels(small, undo=True, **QUIETLY)
    assert undone.done == ("Undone: step 1, 2 photos.",)
    assert undone.summary.state == ""
    assert "(undone)" in str(undone)
    assert commands.labels(small, redo=True, **QUIETLY).summary.state == state


def test_labels_exports_and_imports(small, tmp_path):
    correct(small, ["1.png", "2.png"], "birds")
    state = commands.labels(small, export=tmp_path / "labels.csv", **QUIETLY).summary.state
    journal_of(small).undo()
    found = commands.labels(small, table=tmp_path / "labels.csv", **QUIETLY)
    assert found.done[0].endswith("2 labels changed, 10 were the same already.")
    assert found.summary.state == state
    assert found.steps[-1].kind == "import"


def test_labels_does_one_thing_at_a_time(small, tmp_path):
    with pytest.raises(DatasetError, match="one at a time"):
        commands.labels(small, undo=True, redo=True, **QUIETLY)
    with pytest.raises(DatasetError, match="--no-corrections"):
        commands.labels(hs.DataSource(small, corrections=False), **QUIETLY)
    assert not list(tmp_path.glob("*.db"))


@pytest.fixture
def planted(tmp_path, make_folder) -> Path:
    """Real photos, 12 of 80 with the wrong label: their folder; the right ones are those of the file's name."""
    return make_folder(tmp_path / "cells", {"functional": 40, "defective": 40})


def test_diff_says_what_corrected_labels_bring(planted, tmp_path):
    names = {label: sorted(path.name for path in (planted / label).iterdir()) for label in ("functional", "defective")}
    correct(planted, names["functional"][:6], "defective")
    correct(planted, names["defective"][:6], "functional")
    worse = commands.diff(planted, listener=QUIET)
    assert worse.change.relabelled == 12
    assert worse.change.compared.first.count == worse.change.compared.second.count <= 68
    assert worse.change.compared.first.value > 0.5
    assert "12 labels changed" in str(worse)
    better = commands.diff(planted, before="now", after="own", listener=QUIET)
    assert (better.change.gained, better.change.lost) == (worse.change.lost, worse.change.gained)
    state = better.to_json()["states"]["before"]["state"]
    assert state == commands.labels(planted, **QUIETLY).summary.state
    by_id = commands.diff(planted, before=state[:6], after="1", listener=QUIET)
    assert by_id.change.relabelled == 6
    for wanted in ("nonsense", "9", "0" * 12):
        with pytest.raises(DatasetError, match=rf"no state '{wanted}'.*1 to 2"):
            commands.diff(planted, before=wanted, listener=QUIET)
    with pytest.raises(DatasetError, match="same in both states"):
        commands.diff(planted, before="now", listener=QUIET)


def test_diff_needs_two_states(small):
    with pytest.raises(DatasetError, match=r"No label of.*headstart studio"):
        commands.diff(small, listener=QUIET)
    correct(small, ["1.png"], "dogs")
    with pytest.raises(DatasetError, match="leave out the second run"):
        commands.diff(small, small, before="own", listener=QUIET)
    with pytest.raises(RunError, match="run"):
        commands.diff(small, small, listener=QUIET)


def test_diff_compares_runs_with_other_labels_on_those_that_are_the_same(run, tmp_path):
    """Where `compare` refuses. Of the second run, one label and one answer are others."""
    other = shutil.copytree(run.folder, tmp_path / "other")
    with (other / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    tests = [row for row in rows if row["split"] == "test"]
    flipped = {"functional": "defective", "defective": "functional"}
    tests[0]["label"] = flipped[tests[0]["label"]]
    tests[1]["answer"] = flipped[tests[1]["answer"]]
    with (other / "predictions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    metrics = json.loads((other / "metrics.json").read_text())
    (other / "metrics.json").write_text(json.dumps(metrics | {"labels": metrics["labels"] | {"state": "abc"}}))
    with pytest.raises(RunError, match="labels of the runs differ"):
        commands.compare(run.folder, other)
    found = commands.diff(run.folder, other)
    assert found.difference.change.relabelled == 1
    assert found.difference.states == ("", "abc")
    only = found.difference.only_first + found.difference.only_second
    assert only == (tests[1]["hash"],)
    counted = sum(len(part) for part in (found.difference.both_right, only, found.difference.neither))
    assert counted == len(tests) - 1
    document = json.loads(json.dumps(found.to_json()))
    assert document["only_first_right"] + document["only_second_right"] == [tests[1]["hash"]]
    assert "(own) -> abc" in str(found)
    same = commands.diff(run.folder, run.folder)
    assert same.difference.only_first == same.difference.only_second == ()


@pytest.mark.training
def test_a_run_names_the_labels_that_it_learned_from(photos, tmp_path, tiny):
    """And its splits are those of a run with the collection's own labels."""
    mine = shutil.copytree(photos, tmp_path / "cells")
    names = sorted(path.name for path in (mine / "functional").iterdir())
    settings: dict[str, Any] = {"backbone": tiny, "image_size": 32, "fine_tune": "never", "listener": QUIET}
    settings["views"] = "original"
    before = commands.train(mine, tmp_path / "before", **settings)
    correct(mine, names[:3], "defective")
    correct(mine, names[3:5], None)
    after = commands.train(mine, tmp_path / "after", **settings)
    state = commands.labels(mine, **QUIETLY).summary.state
    assert [run.metrics["labels"]["state"] for run in (before, after)] == ["", state]
    assert (after.metrics["labels"]["changed"], after.metrics["labels"]["excluded"]) == (3, 2)
    assert f"<code>{state}</code>" in hs.RunFolder(after.folder).report.read_text("utf-8")
    rows = [{row.digest: row for row in hs.RunFolder(run.folder).splits} for run in (before, after)]
    assert len(rows[1]) == len(rows[0]) - 2
    assert all(rows[1][digest].split == rows[0][digest].split for digest in rows[1])
    assert sum(rows[1][digest].label != rows[0][digest].label for digest in rows[1]) == 3
    assert commands.diff(before.folder, after.folder).difference.states == ("", state)


def test_photos_that_have_no_label_now_are_read_for_the_states_in_which_they_had_one(tmp_path, make_folder):
    folder = make_folder(tmp_path / "sorted", {"functional": 24, "defective": 24})
    loose = tmp_path / "loose"
    loose.mkdir()
    names = {label: sorted(path.name for path in (folder / label).iterdir()) for label in ("functional", "defective")}
    for path in folder.rglob("*.png"):
        shutil.copy(path, loose / path.name)
    for label, files in names.items():
        correct(loose, files[:14], label)
    for label, files in names.items():
        correct(loose, files[14:], label)
    found = commands.diff(loose, before="2", listener=QUIET)
    assert found.change.relabelled == 20
    assert found.change.compared.first.count <= 28
    assert len(read_photos(list_images(loose), QUIET)[0]) == 48
