"""A run that is told what mistakes cost: the promise in each answer, in the report, in files of answers."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart import commands
from headstart.classifier.decision import Decision
from headstart.errors import ModelError, RunError
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.split_metrics import SplitMetrics
from headstart.runs.folder import Run
from support import tiny
from support.recording import Recorder

COSTS = "right,defective,functional\ndefective,0,100000\nfunctional,1,0\n"


@pytest.fixture(scope="module")
def told(photos, tiny_weights, tmp_path_factory) -> tuple[Run, Recorder]:
    """A run with both, and with a promise that cannot be given; and what it said."""
    folder = tmp_path_factory.mktemp("stakes")
    (folder / "costs.csv").write_text(COSTS)
    listener = Recorder()
    with pytest.MonkeyPatch.context() as patch:
        settings = {"backbone": tiny.register(patch, tiny_weights), "image_size": 32, "fine_tune": "never"}
        recall = {"defective": 0.8, "functional": 0.999}
        run = commands.train(
            photos, folder / "run", cost=folder / "costs.csv", recall=recall, listener=listener, **settings
        )
    return run, listener


def test_a_promise_that_cannot_be_given_is_said_and_nothing_is_lost(told):
    run, listener = told
    said = [line for line in listener.lines if "A recall of" in line]
    assert "A recall of 0.8 is promised for 'defective'" in said[0]
    assert "0.999 cannot be promised for 'functional': that takes 2,302 held-out photos of it" in said[1]
    assert "With these, at most" in said[1]
    given, refused = run.metrics["certainty"]["decision"]["recall"]
    assert given["threshold"] is not None
    assert refused["threshold"] is None


def test_each_answer_follows_the_rule_and_says_so(told, photos):
    """Those of the predictor, which reads the card, are those of the rule in the docs on its probabilities."""
    run, _ = told
    predictor = hs.Predictor(run.folder)
    decision = predictor.calibration.decision
    assert isinstance(decision, Decision)
    promise = decision.recall[0]
    files = [path for path in sorted(Path(photos).rglob("*.*")) if path.is_file()]
    found = [answer for answer in predictor.predict_each(files) if isinstance(answer, hs.Prediction)]
    assert len(found) == len(files)
    for each in found:
        by_name = np.array([[each.probabilities[name] for name in predictor.class_names]])
        expected = by_name @ np.array([[0, 100_000], [1, 0]])
        wanted = "defective" if by_name[0, 0] >= promise.threshold else predictor.class_names[expected.argmin()]
        assert each.label == wanted
        assert each.cost == pytest.approx(expected[0, predictor.class_names.index(each.label)])
        assert (each.rule is None) == (each.label == max(each.probabilities, key=each.probabilities.__getitem__))
    assert any(each.rule for each in found), "the stakes make a difference"


def test_the_numbers_are_those_of_the_answers_that_are_given(told):
    run, _ = told
    metrics = RunMetrics.read(run.folder / "metrics.json")
    assert metrics.to_json() == run.metrics
    part = metrics.held_out
    assert isinstance(part, SplitMetrics)
    assert part.stakes is not None
    assert part.stakes.cost is not None
    confusion = np.array(part.confusion)
    assert part.stakes.cost.each.value == pytest.approx((confusion * [[0, 100_000], [1, 0]]).sum() / confusion.sum())
    assert part.stakes.recall[0].recall is not None
    assert part.stakes.recall[0].recall.value == pytest.approx(confusion[0, 0] / confusion[0].sum())
    with (run.folder / "predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == metrics.held_out_name]
    assert sum(row["label"] == row["answer"] for row in rows) == part.accuracy.correct
    page = (run.folder / "report.html").read_text("utf-8")
    for text in ("What mistakes cost", "always defective", "0.999 cannot be promised"):
        assert text.replace("'", "&#39;") in page


def test_evaluate_says_what_answers_cost_and_whether_promises_were_kept(told, photos):
    run, _ = told
    found = commands.evaluate(run.folder, photos, split="all", listener=hs.Quiet())
    assert isinstance(found.evaluation, Evaluation)
    text = str(found)
    assert "cost per photo" in text
    assert "recall of 'defective'" in text
    assert "0.999 could not be promised" in text
    assert found.to_json()["stakes"]["cost"]["each"]["value"] == pytest.approx(found.evaluation.stakes.cost.each.value)  # pyright: ignore[reportOptionalMemberAccess]


def test_files_of_answers_have_the_cost(told, photos, tmp_path):
    run, _ = told
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    commands.predict(run.folder, photos).write(tmp_path / "answers.csv")
    commands.predict(run.folder, photos).write(tmp_path / "answers.json")
    commands.predict_parts(run.folder, photos, tmp_path / "answers.parquet")
    with (tmp_path / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    document = json.loads((tmp_path / "answers.json").read_text())["predictions"]
    table = parquet.read_table(tmp_path / "answers.parquet").to_pylist()
    assert len(rows) == len(document) == len(table)
    for row, each, line in zip(rows, document, table, strict=True):
        assert row["label"] == each["label"] == line["label"]
        assert float(row["cost"]) == pytest.approx(each["cost"], rel=1e-4)
        assert line["cost"] == pytest.approx(each["cost"])
    assert {each.get("rule") for each in document} <= {None, "cost", "recall"}


def test_a_card_with_a_rule_for_other_classes_is_damaged(told, tmp_path):
    run, _ = told
    card = json.loads((run.folder / "classifier.json").read_text())
    card["certainty"]["decision"]["class_names"] = ["functional", "defective"]
    (tmp_path / "classifier.json").write_text(json.dumps(card))
    with pytest.raises(RunError, match="its certainty is unreadable"):
        hs.Predictor(tmp_path)


@pytest.mark.usefixtures("tiny")
def test_stakes_about_other_classes_are_refused_before_anything_is_computed(photos, tmp_path):
    listener = Recorder()
    with pytest.raises(ModelError, match="'broken', which is no class of the photos: defective, functional"):
        commands.train(photos, tmp_path / "run", backbone=tiny.NAME, recall={"broken": 0.9}, listener=listener)
    assert not list(tmp_path.iterdir())
    cost = {"defective": {"defective": 0.0, "functional": 1.0}}
    with pytest.raises(ModelError, match="no row for 'functional'"):
        commands.train(photos, tmp_path / "run", backbone=tiny.NAME, cost=cost)
