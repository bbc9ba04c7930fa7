"""metrics.json: what is written is what was measured, key by key, and can be read again."""

import json
from dataclasses import replace

import pytest

from headstart.evaluation.averaging import Averaging
from headstart.evaluation.cleaning import Cleaning
from headstart.evaluation.document import Findings, FineTuningVerdict, RunMetrics
from headstart.evaluation.learning_curve import LearningCurve, Point
from headstart.inspection.shortcuts import Shortcut
from headstart.json_text import json_text
from headstart.statistics import Disagreement, wilson
from support.drawn_metrics import drawn_evaluation, drawn_metrics

KEYS = [
    "schema", "class_names", "backbone", "image_size", "recipe", "seed", "train", "validation", "test", "data",
    "resizing", "balanced", "weights", "precision", "training_precision", "labels", "notes", "unreadable",
    "familiar", "certainty", "cross_validated", "outlook", "cleaning", "views", "phases", "findings", "shortcuts",
    "seconds", "versions", "date",
]  # fmt: skip
SPLIT_KEYS = [
    "loss", "accuracy", "baseline", "balanced_accuracy", "top", "per_class", "macro", "weighted", "confusion",
    "calibration",
]  # fmt: skip
CURVE = LearningCurve((Point(10, 0.8, 0.7, 0.9), Point(25, 0.9, 0.8, 0.95)), 25, 0.92, 0.9, 0.95, 0.02, 0.0, 0.05)
AVERAGING = Averaging(("original", "mirrored"), 0.3, wilson(15, 20), Disagreement(1, 3, 0.6))
CLEANING = Cleaning(images=60, left_out=3, held_out=20, correct=15, between=Disagreement(1, 3, 0.6))


@pytest.fixture(scope="module")
def full(numbers) -> RunMetrics:
    """With everything that a run can measure."""
    judgement = FineTuningVerdict(4, 0.1, 0.2, 3, 1, 0.6, "Fine-tuning is kept.")
    phases = (*numbers.phases, replace(numbers.phases[0], name="fine_tuning", fine_tuning=judgement))
    findings = Findings("3 leaks.", {"leak": 3})
    shortcuts = (Shortcut("file format", 1.0, 0.5, 0.011, "PNG in 9 of 9 photos of 'a' and in 0 of 9 others"),)
    numbers = replace(numbers, shortcuts=shortcuts)
    found = replace(numbers, learning_curve=CURVE, cleaning=CLEANING, averaging=AVERAGING, findings=findings)
    found = replace(found, cross_validated=wilson(58, 62))
    return replace(found, phases=phases, notes=("one",))


def test_the_keys_are_those_that_programs_know(numbers):
    content = numbers.to_json()
    assert list(content) == KEYS
    assert list(content["train"]) == SPLIT_KEYS
    assert list(content["test"]) == [*SPLIT_KEYS, "promises"]
    assert list(content["test"]["per_class"][0]) == [
        "class", "precision", "recall", "f1", "roc_area", "average_precision", "support",
    ]  # fmt: skip
    assert list(content["test"]["calibration"]) == [
        "log_loss", "expected_calibration_error", "error_by_chance", "bins", "before",
    ]  # fmt: skip
    assert list(content["phases"][0]) == [
        "name", "epochs", "kept", "judgement", "depth_weight", "parameters", "trainable_parameters",
        "trainable_variables", "seconds", "validation",
    ]  # fmt: skip


def test_read_again(numbers, full, tmp_path):
    for metrics in (numbers, full):
        metrics.write(tmp_path / "metrics.json")
        again = RunMetrics.read(tmp_path / "metrics.json")
        assert json.dumps(again.to_json()) == json.dumps(metrics.to_json()), "the order of keys counts"
    assert again.learning_curve == CURVE
    assert again.cleaning == CLEANING
    assert again.shortcuts == full.shortcuts
    assert again.phases == full.phases


def test_the_metrics_of_a_run_are_read_as_they_were_written(run):
    written = (run.folder / "metrics.json").read_text("utf-8")
    again = RunMetrics.from_json(json.loads(written)).to_json()
    assert json_text(again) + "\n" == written
    assert run.metrics == json.loads(written)


@pytest.mark.parametrize(("wrong", "error"), [("{}", KeyError), ("[1]", TypeError), ("no JSON", ValueError)])
def test_what_is_no_metrics_file(tmp_path, wrong, error):
    (tmp_path / "metrics.json").write_text(wrong)
    with pytest.raises(error):
        RunMetrics.read(tmp_path / "metrics.json")


def test_the_split_that_measures(numbers):
    assert (numbers.held_out_name, numbers.held_out) == ("test", numbers.test)
    without_test = replace(numbers, test=None)
    assert (without_test.held_out_name, without_test.held_out) == ("validation", numbers.validation)
    with pytest.raises(ValueError, match="neither test nor validation"):
        _ = replace(without_test, validation=None).held_out


def test_weights_are_named_without_their_folder():
    metrics = drawn_metrics(drawn_evaluation(("a", "b", "c", "d"), 40), weights="/home/somebody/base.h5")
    assert metrics.weights == "base.h5"
    assert list(metrics.to_json()["test"]["top"]) == ["3"]
