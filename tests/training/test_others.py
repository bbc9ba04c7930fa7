"""A folder `_other`: no class, but what is to be recognised as none of them. From the folder to each answer."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import headstart as hs
from headstart import commands
from headstart.classifier.others import FILE, OtherHead
from headstart.data.splits import OTHER, SPLITS
from headstart.errors import DatasetError, RunError
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.others import Scores, measure_others
from headstart.runs.folder import Run, RunFolder
from support import tiny
from support.recording import Recorder
from support.small_collections import collection, load

COUNT = 40


def stripes(seed: int) -> np.ndarray:
    """What is no solar cell: coloured stripes."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((60, 60, 3), np.uint8)
    for start in range(0, 60, 6):
        picture[:, start : start + 3] = rng.integers(0, 255, 3)
    return picture


def first_of(photos: Path) -> Path:
    return next(path for path in sorted(photos.rglob("*.*")) if path.is_file())


@pytest.fixture(scope="module")
def with_others(photos, tmp_path_factory) -> Path:
    """The cells, and beside their class folders COUNT pictures of stripes."""
    folder = tmp_path_factory.mktemp("others") / "cells"
    for path in sorted(Path(photos).rglob("*.*")):
        if path.is_file():
            place = folder / path.relative_to(photos)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    (folder / OTHER).mkdir()
    for number in range(COUNT):
        cv2.imwrite(str(folder / OTHER / f"{number}.png"), stripes(number))
    return folder


@pytest.fixture(scope="module")
def taught(with_others, tiny_weights, tmp_path_factory) -> tuple[Run, Recorder]:
    listener = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        settings = {"backbone": tiny.register(patch, tiny_weights), "image_size": 32, "fine_tune": "never"}
        run = commands.train(
            with_others,
            tmp_path_factory.mktemp("runs") / "run",
            listener=listener,
            recall={"defective": 0.8},
            **settings,
        )
    return run, listener


def test_they_are_split_as_a_class_is_and_are_none(tmp_path):
    dataset = load(collection(tmp_path, {"a": 20, "b": 20, OTHER: 20, "_draft": 20}), seed=1)
    assert dataset.class_names == ("_draft", "a", "b"), "any other name is that of a class"
    assert [len(dataset.others[name]) for name in SPLITS] == [14, 3, 3]
    assert sum(map(len, dataset.splits().values())) == 60
    rows = dataset.rows()
    assert len(rows) == 80
    assert {label for _, label, *_ in rows} == {"_draft", "a", "b", OTHER}
    for name, split in dataset.others.items():
        assert all(Path(path).parent.name == OTHER for path in split.paths)
        assert {digest for _, label, place, digest in rows if label == OTHER and place == name} == set(split.digests)
    assert "and 20 of none of them" in str(dataset)
    again = load(tmp_path, seed=1)
    assert again.rows() == rows
    without = load(collection(tmp_path / "without", {"a": 20, "b": 20}), seed=1)
    assert without.others == {}
    fewer = dataset.sample(40)
    assert 0 < len(fewer.others["train"]) <= 10


def test_they_are_no_second_class(tmp_path):
    with pytest.raises(DatasetError, match="one class, 'a'; a classifier needs at least two"):
        load(collection(tmp_path, {"a": 20, OTHER: 20}))


def test_they_have_given_splits_and_rows_of_a_table(tmp_path):
    for number, split in enumerate(("train", "validation", "test")):
        collection(tmp_path / split, {"a": 4, "b": 4, OTHER: 4}, start=100 * number)
    dataset = load(tmp_path)
    assert [len(dataset.others[name]) for name in SPLITS] == [4, 4, 4]
    lines = ["path,label,split", *(f"{path},{label},{split}" for path, label, split, *_ in dataset.rows())]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    assert load(tmp_path / "table.csv").rows() == dataset.rows()


def test_the_run_tells_them_from_the_classes(taught):
    run, listener = taught
    assert run.metrics["class_names"] == ["defective", "functional"]
    found = run.metrics["others"]
    assert found["roc_area"] > 0.95
    assert found["recognised"]["count"] == 6
    assert any("None of the classes" in line for line in listener.lines)
    assert RunMetrics.read(run.folder / "metrics.json").to_json() == run.metrics
    assert "None of the classes" in (run.folder / "report.html").read_text("utf-8")
    assert sum(row.label == OTHER for row in RunFolder(run.folder).splits) == COUNT
    assert FILE in json.loads((run.folder / "classifier.json").read_text())["hashes"]


def test_each_answer_says_how_probably_it_is_none_of_them(taught, photos):
    run, _ = taught
    predictor = hs.Predictor(run.folder)
    strange, cell = predictor.predict(stripes(1_000)), predictor.predict(first_of(photos))
    assert strange.other is not None
    assert strange.is_other
    assert not strange.familiar
    assert not strange.sure
    assert cell.other is not None
    assert cell.other < 0.5
    assert set(strange.probabilities) == {"defective", "functional"}


def test_the_keras_classifier_and_a_copy_say_the_same(taught, tmp_path):
    run, _ = taught
    expected = hs.Predictor(run.folder).predict(stripes(3)).other
    classifier = hs.load(run.folder)
    assert classifier.predict(stripes(3)).other == pytest.approx(expected, abs=1e-3)
    classifier.save(tmp_path / "again")
    assert hs.Predictor(tmp_path / "again").predict(stripes(3)).other == pytest.approx(expected, abs=1e-6)
    (tmp_path / "again" / FILE).write_bytes(b"nothing")
    with pytest.raises(RunError, match="was changed after it was saved"):
        hs.Predictor(tmp_path / "again")
    with pytest.raises(RunError, match="missing or damaged"):
        OtherHead.read(tmp_path / "again", 1.0)


def test_evaluate_measures_them_and_leaves_them_out_of_the_accuracy(taught, with_others, photos):
    run, _ = taught
    found = commands.evaluate(run.folder, with_others, split="test", listener=hs.Quiet())
    assert found.others is not None
    assert found.evaluation.accuracy.count == run.metrics["test"]["accuracy"]["count"]
    assert found.others.recognised.to_json() == run.metrics["others"]["recognised"]
    assert found.others.roc_area == pytest.approx(run.metrics["others"]["roc_area"])
    assert "None of the classes" in str(found)
    assert commands.evaluate(run.folder, photos, split="all", listener=hs.Quiet()).others is None


def test_files_of_answers_say_it(taught, with_others, tmp_path):
    run, _ = taught
    commands.predict(run.folder, with_others / OTHER).write(tmp_path / "answers.csv")
    commands.predict(run.folder, with_others / OTHER).write(tmp_path / "answers.jsonl")
    commands.predict(run.folder, with_others / OTHER).write(tmp_path / "answers.txt", format="text")
    header = (tmp_path / "answers.csv").read_text().splitlines()[0]
    assert header == "path,label,probability,sure,familiar,other,error"
    rows = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]
    assert np.mean([row["other"] > 0.5 for row in rows]) > 0.9
    assert "none of the classes (" in (tmp_path / "answers.txt").read_text()


def test_the_measure_is_right_for_scores_that_are_known():
    known = Scores(np.array([0.1, 0.2, 0.6, 0.3]), np.array([0.1, 0.2, 0.3, 0.9]), np.array([True, True, True, False]))
    others = Scores(np.array([0.9, 0.2]), np.array([0.5, 0.95]), np.array([True, False]))
    found = measure_others(known, others)
    assert (found.recognised.correct, found.by_novelty.correct) == (2, 1)
    assert (found.refused.correct, found.refused_by_novelty.correct) == (2, 1)
    assert found.roc_area == pytest.approx((4 + 1 + 0.5) / 8)
    assert found.roc_area_of_novelty == pytest.approx((3 + 4) / 8)
    unknown = measure_others(Scores(None, None, known.is_familiar), Scores(None, None, others.is_familiar))
    assert (unknown.roc_area, unknown.roc_area_of_novelty) == (None, None)
