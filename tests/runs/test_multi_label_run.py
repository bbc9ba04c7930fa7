"""A whole run of several labels per photo: trained once, and asked for everything."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart import commands
from headstart.data.source import DataSource
from headstart.data.targets import Kind
from headstart.errors import DatasetError, ModelError
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.label_evaluation import LabelEvaluation
from headstart.evaluation.label_metrics import LabelMetrics
from headstart.runs.folder import METRICS, RunFolder
from support.recording import Recorder
from support.several_labels import side_by_side
from support.sharing import made_once
from support.sizes import SMALL

NAMES = ("cell", "tinted")


@pytest.fixture(scope="session")
def table(tmp_path_factory, cells) -> Path:
    root = made_once(tmp_path_factory, "several-labels", lambda root: side_by_side(root / "photos", cells, 120))
    return root / "photos/labels.csv"


@pytest.fixture(scope="session")
def several(tmp_path_factory, table) -> Path:
    """The folder of the run."""

    def make(root: Path) -> None:
        listener = Recorder()
        commands.train(
            DataSource(table, multi_label=True), root / "run", image_size=SMALL, recall={"cell": 0.7}, listener=listener
        )
        said = [event.text for event in listener.events if isinstance(event, hs.Message)]
        (root / "said.json").write_text(json.dumps(said))

    return made_once(tmp_path_factory, "several-labels-run", make) / "run"


def test_it_says_what_it_does(several):
    said = json.loads((several.parent / "said.json").read_text())
    assert any("2 labels, 0 to 2 (" in text for text in said)
    assert any(text.startswith("No fine-tuning: with several labels per photo") for text in said)
    assert any("A recall of 0.7 is promised for 'cell'" in text for text in said)
    assert any("by chance 0." in text for text in said)


def test_the_numbers_of_the_run(several):
    metrics = RunMetrics.read(several / METRICS)
    assert metrics.class_names == NAMES
    assert isinstance(metrics.held_out, LabelMetrics)
    found = metrics.held_out
    assert found.mean_average_precision is not None
    assert found.by_chance is not None
    assert found.mean_average_precision.value > 0.9 > found.by_chance, "colour and grey are easily told"
    assert RunMetrics.from_json(json.loads(json.dumps(metrics.to_json()))).to_json() == metrics.to_json()
    (cell, tinted) = found.per_class
    assert cell.promised == ("recall", 0.7, True)
    assert tinted.promised is None
    report = (several / "report.html").read_text("utf-8")
    assert "mean average precision" in report
    assert "onfusion matrix" not in report
    assert "mean_average_precision" in (several / "README.md").read_text("utf-8")


def test_tables_have_all_labels(several, table):
    with table.open() as file:
        own = {row["path"]: row["labels"] for row in csv.DictReader(file)}
    rows = RunFolder(several).splits
    assert {Path(row.path).name: row.label for row in rows} == own
    answers = {answer for split in RunFolder(several).predictions.values() for answer in split.values()}
    assert {answer.label for answer in answers} == {"", "cell", "tinted", "cell|tinted"}


def test_python_predictor_and_table_agree(several):
    classifier, predictor = hs.load(several), hs.Predictor(several)
    with (several / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))[:8]
    paths = [row["path"] for row in rows]
    ones, others = ([each.predict(path) for path in paths] for each in (predictor, classifier))
    for row, one, other in zip(rows, ones, others, strict=True):
        assert one.label == other.label == row["answer"] == "|".join(one.labels or ())
        assert one.probability == pytest.approx(float(row["probability"]), abs=1e-4)
        assert set(one.probabilities) == set(NAMES)
        for name in NAMES:
            assert one.probabilities[name] == pytest.approx(other.probabilities[name], abs=1e-4)
    explanation = predictor.explain(paths[0])
    assert np.isfinite(explanation.places).all()


def test_the_map_adds_up_to_the_logit(several):
    """Of the most probable label, against its absence: half of its logit."""
    predictor = hs.Predictor(several)
    path = RunFolder(several).splits[0].path
    explanation = predictor.explain(path)
    share = next(iter(explanation.prediction.probabilities.values()))
    assert explanation.places.mean() == pytest.approx(np.log(share / (1 - share)) / 2, abs=1e-2)


def test_evaluate(several, table):
    found = commands.evaluate(several, table, split="test", listener=hs.Quiet())
    assert isinstance(found.evaluation, LabelEvaluation)
    kept = RunMetrics.read(several / METRICS).test
    assert found.evaluation.accuracy == (kept and kept.accuracy)
    again = hs.evaluate(
        hs.load(several), hs.load_dataset(DataSource(table, multi_label=True), listener=hs.Quiet()).train
    )
    assert isinstance(again, LabelEvaluation)
    assert "label" in str(again)


def test_predict_has_a_column_for_each_label(several, table, tmp_path):
    predictions = commands.predict(several, sorted(map(str, table.parent.glob("*.png")))[:3])
    predictions.write(tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    for row in rows:
        thresholds = hs.load(several).calibration.thresholds  # pyright: ignore[reportAttributeAccessIssue]
        shares = [float(row[f"probability of {name}"]) for name in NAMES]
        expected = [name for name, share, least in zip(NAMES, shares, thresholds, strict=True) if share >= least]
        assert row["label"] == "|".join(expected)


def test_inspect_finds_a_label_that_is_missing(table, tmp_path):
    lines = table.read_text("utf-8").splitlines()
    place = next(i for i, line in enumerate(lines) if line.endswith(",cell|tinted"))
    lines[place] = lines[place].replace("cell|tinted", "cell")
    (table.parent / "planted.csv").write_text("\n".join(lines), "utf-8")
    try:
        source = DataSource(table.parent / "planted.csv", multi_label=True)
        found = commands.inspect(source, image_size=SMALL, listener=hs.Quiet())
    finally:
        (table.parent / "planted.csv").unlink()
    name = lines[place].partition(",")[0]
    doubts = {Path(finding.path).name: finding for finding in found.of_kind("doubtful label")}
    assert doubts[name].label == "cell"
    assert doubts[name].suggested == "cell|tinted"
    assert found.classes.keys() == set(NAMES)
    assert any(remark.startswith("with several labels per photo, shortcuts") for remark in found.remarks)


def test_a_run_compares_with_itself(several):
    assert "test images that both have" in str(commands.compare(several, several))


@pytest.mark.parametrize(("settings", "message"), [
    ({"recipe": "tutorial"}, "the recipe 'tutorial' fits layers. Take the recipe 'fast'"),
    ({"fine_tune": "always"}, "--fine-tune always trains the base. Leave it out"),
    ({"balanced": True}, "--balanced weighs classes"),
    ({"resizing": "auto"}, "--resize auto compares accuracies"),
    ({"cost": {"cell": {"tinted": 1}, "tinted": {"cell": 1}}}, "--cost is about one answer per photo"),
    ({"recall": {"wasp": 0.9}}, "a recall is to be promised for 'wasp', which is no class of the photos: cell, tinted"),
    ({"label_precision": {"cell": 0.9}, "recall": {"cell": 0.9}}, "both a recall and a precision"),
])  # fmt: skip
def test_what_several_labels_do_not_have_is_refused(table, tmp_path, settings, message):
    with pytest.raises(ModelError, match="(?i)" + message):
        commands.train(DataSource(table, multi_label=True), tmp_path / "run", listener=hs.Quiet(), **settings)


def test_images_of_classes_and_of_labels_are_not_mixed(several, photos, table, run):
    classes = hs.load_dataset(photos, listener=hs.Quiet())
    labels = hs.load_dataset(DataSource(table, multi_label=True), listener=hs.Quiet())
    assert labels.kind is Kind.MULTI_LABEL
    with pytest.raises(DatasetError, match="any number of labels, and these images have one class each"):
        hs.evaluate(hs.load(several), classes.test)
    with pytest.raises(DatasetError, match="have several labels each, and the classifier gives each image one"):
        hs.evaluate(hs.load(run.folder), labels.test)
    with pytest.raises(DatasetError, match="is a folder, and folders give each photo one label"):
        commands.evaluate(several, photos, listener=hs.Quiet())


@pytest.mark.parametrize(("format", "ending"), [("onnx", ".onnx"), ("openvino", "")])
def test_exports_give_the_same_answers(several, tmp_path, format, ending):
    found = hs.export(several, tmp_path / f"out{ending}", format=format, listener=hs.Quiet())
    assert found.proof.changed == 0
    assert found.proof.right == found.proof.right_before
    assert found.proof.farthest < 1e-4
    card = found.card["multi_label"]
    assert list(card["thresholds"]) == list(NAMES)
    assert found.card["outputs"] == {"logits": [None, 2], "probabilities": [None, 2]}


def test_a_copy_of_the_classifier_is_the_same(several, tmp_path):
    hs.load(several).save(tmp_path / "copy")
    path = RunFolder(several).splits[0].path
    assert hs.Predictor(tmp_path / "copy").predict(path) == hs.Predictor(several).predict(path)
