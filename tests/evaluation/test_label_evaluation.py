"""Numbers of several labels per photo: scikit-learn's, with intervals, and kept as JSON."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, log_loss

from headstart.classifier.label_calibration import TEMPERATURE, LabelCalibration
from headstart.errors import ModelError
from headstart.evaluation.label_evaluation import LabelEvaluation, average_precisions, measure_labels
from headstart.evaluation.label_metrics import LabelMetrics

NAMES = ("ant", "bee", "fly", "wasp")


def evaluation(rows: int = 120, groups: tuple[str, ...] = ()) -> LabelEvaluation:
    """No image has the last label."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(rows, 4)) * 2
    targets = (rng.random((rows, 4)) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    targets[:, 3] = 0
    calibration = LabelCalibration(NAMES, (0.5, 0.3, 0.7, 0.5), (TEMPERATURE,) * 4)
    return measure_labels(logits, targets, NAMES, calibration, groups=groups)


def test_numbers_are_those_of_scikit_learn():
    found = evaluation()
    metrics, targets, answers = found.metrics, found.targets, found.predicted
    assert metrics.mean_average_precision is not None
    mean = average_precision_score(targets[:, :3], found.probabilities[:, :3], average="macro")
    assert metrics.mean_average_precision.value == pytest.approx(mean)
    assert metrics.f1_micro.value == pytest.approx(f1_score(targets, answers, average="micro"))
    assert metrics.f1_macro.value == pytest.approx(f1_score(targets[:, :3], answers[:, :3], average="macro"))
    assert metrics.loss == pytest.approx(
        np.mean([log_loss(t, p, labels=[0, 1]) for t, p in zip(targets.T, found.probabilities.T, strict=True)])
    )
    assert metrics.accuracy.correct == (targets == answers).all(axis=1).sum()
    assert metrics.by_chance == pytest.approx(targets[:, :3].mean())
    wasp = metrics.per_class[3]
    assert (wasp.recall, wasp.average_precision, wasp.support) == (None, None, 0)
    for row in metrics.per_class[:3]:
        assert row.precision is not None
        assert row.precision.count == row.answered
        assert row.recall is not None
        assert row.recall.count == row.support


def test_intervals_hold_their_value_and_groups_widen_them():
    alone, grouped = evaluation().metrics, evaluation(groups=tuple(f"g{i % 6}" for i in range(120))).metrics
    for name in ("mean_average_precision", "f1_micro", "f1_macro"):
        one, other = getattr(alone, name), getattr(grouped, name)
        assert one.low < one.value < one.high
        assert one.value == other.value
        assert one.high - one.low < 0.25
    assert grouped.accuracy.high - grouped.accuracy.low > alone.accuracy.high - alone.accuracy.low


def test_one_group_says_nothing_of_others():
    found = evaluation(groups=("same",) * 120).metrics.f1_micro
    assert (found.low, found.high) == (0, 1)


def test_weights_are_repetitions():
    rng = np.random.default_rng(1)
    shares, targets = np.round(rng.random(50), 1), rng.random(50) < 0.4  # many are alike
    times = rng.integers(0, 3, 50)
    found = average_precisions(shares, targets, times[None].astype(float))[0]
    repeated = np.repeat(np.arange(50), times)
    assert found == pytest.approx(average_precision_score(targets[repeated], shares[repeated]))


def test_json_and_back():
    metrics = evaluation().metrics
    assert LabelMetrics.from_json(json.loads(json.dumps(metrics.to_json()))) == metrics


def test_text():
    text = str(evaluation())
    assert "mean average precision 0." in text
    assert "by chance 0." in text
    assert "wasp" in text
    assert "; always answering " in text


def test_numbers_that_are_none():
    calibration = LabelCalibration(NAMES, (0.5,) * 4, (TEMPERATURE,) * 4)
    with pytest.raises(ModelError, match="NaN or infinity"):
        measure_labels(np.full((2, 4), np.nan), np.zeros((2, 4)), NAMES, calibration)
