"""Scaling, thresholds and promises of several labels per photo."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.metrics import f1_score

from headstart.classifier.calibration import Calibration
from headstart.classifier.decision import NEVER
from headstart.classifier.label_calibration import (
    EVEN,
    PLATT,
    TEMPERATURE,
    LabelCalibration,
    best_threshold,
    calibration_from_json,
    fit_label_calibration,
    fit_scaling,
)
from headstart.classifier.precision_promise import promise_precision
from headstart.classifier.stakes import Stakes
from headstart.errors import ModelError

NAMES = ("ant", "bee", "fly")


def answered(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are three times too bold; those of the last label are shifted, too."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(rows, 3)) * 2 - 0.5
    targets = rng.random((rows, 3)) < 1 / (1 + np.exp(-true))
    return true * [3, 1, 1] + [0, 0, 2.5], targets


def test_scaling_undoes_what_is_wrong():
    scaling = fit_scaling(*answered(4_000))
    assert scaling.names == (TEMPERATURE, TEMPERATURE, PLATT)
    np.testing.assert_allclose(scaling.factor, [1 / 3, 1, 1], atol=0.08)
    np.testing.assert_allclose(scaling.shift, [0, 0, -2.5], atol=0.2)


def test_the_fit_is_the_minimum():
    logits, targets = answered(60)
    scaling = fit_scaling(logits, targets)
    for label in range(3):
        z, t, is_shifted = logits[:, label], targets[:, label], scaling.names[label] == PLATT

        def loss(x, z=z, t=t, is_shifted=is_shifted):
            scores = z * x[0] + (x[1] if is_shifted else 0)
            fit = (np.logaddexp(0, scores) - t * scores).sum()
            return fit + (x[0] - 1) ** 2 / (2 * 0.5**2) + x[1] ** 2 / 2

        best = minimize(loss, [1.0, 0.0]).x
        assert scaling.factor[label] == pytest.approx(best[0], abs=1e-3)
        assert scaling.shift[label] == pytest.approx(best[1] if is_shifted else 0.0, abs=1e-3)


@given(st.integers(0, 1_000), st.integers(20, 60), st.sampled_from([2, 100]))
def test_no_threshold_has_a_higher_f1(seed, rows, digits):
    rng = np.random.default_rng(seed)
    shares = np.round(rng.random(rows), digits % 16)
    targets = rng.random(rows) < shares
    threshold = best_threshold(shares, targets)
    if targets.sum() < 10:
        assert threshold == EVEN
        return
    best = max(f1_score(targets, shares >= least) for least in np.unique(shares))
    assert f1_score(targets, shares >= threshold) == pytest.approx(best)


def test_answers_and_their_probability():
    calibration = LabelCalibration(NAMES, (0.5, 0.2, 0.9), (TEMPERATURE,) * 3, unsure=("fly",))
    logits = np.log([[0.6 / 0.4, 0.3 / 0.7, 0.8 / 0.2], [0.1 / 0.9, 0.1 / 0.9, 0.95 / 0.05]])
    first, second = calibration.to_predictions(NAMES)(logits)
    assert first.labels == ("ant", "bee")
    assert first.label == "ant|bee"
    assert first.probability == pytest.approx(0.6 * 0.3 * 0.2)
    assert list(first.probabilities) == ["fly", "ant", "bee"]
    assert first.sure
    assert second.labels == ("fly",)
    assert not second.sure, "it was trained on too few photos of that label"


def test_no_coverage():
    with pytest.raises(ModelError, match=r"A coverage was given.*any number of labels"):
        LabelCalibration(NAMES, (0.5,) * 3, (TEMPERATURE,) * 3).to_predictions(NAMES, coverage=0.9)


def test_promises_set_the_threshold():
    logits, targets = answered(2_000)
    scaling = fit_scaling(logits, targets)
    stakes = Stakes.of(None, {"ant": 0.95}, precision={"bee": 0.8, "fly": 0.9999})
    assert stakes is not None
    found = fit_label_calibration(scaling(logits), targets, NAMES, scaling, stakes=stakes)
    shares = found.probabilities(scaling(logits))
    answers = found.answers(shares)
    assert found.promised_recall == {"ant": 0.95}
    assert answers[targets[:, 0], 0].mean() >= 0.95
    (of_bee, of_fly) = found.precision
    assert of_bee.is_given
    assert targets[answers[:, 1], 1].mean() >= 0.8
    assert found.thresholds[1] == of_bee.threshold
    assert not of_fly.is_given
    assert "At most 0." in of_fly.sentence
    assert found.thresholds[2] == best_threshold(shares[:, 2], targets[:, 2])


def test_sure_answers_are_exactly_right():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(1_000, 3)) * 8
    targets = rng.random((1_000, 3)) < 1 / (1 + np.exp(-true))
    found = fit_label_calibration(true, targets, NAMES, fit_scaling(true, targets))
    shares = found.probabilities(true)
    sure = found.confidences(shares) >= found.least_probability(0.95)
    is_exact = (found.answers(shares) == targets).all(axis=1)
    assert is_exact.mean() < 0.95 <= is_exact[sure].mean()
    assert sure.mean() > 0.3


def test_a_promise_is_kept_as_often_as_it_says():
    """A label whose precision is the threshold: of 200 draws, at least 90% keep it."""
    kept = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        shares = rng.random(300)
        promise = promise_precision("ant", 0.8, shares, rng.random(300) < shares)
        if promise.is_given:
            kept.append((1 + promise.threshold) / 2 >= 0.8)  # the mean share above a threshold
    assert len(kept) > 20
    assert np.mean(kept) >= 0.9


def test_groups_say_less_than_images():
    shares, right = np.full(60, 0.9), np.ones(60, bool)
    assert promise_precision("ant", 0.9, shares, right).is_given
    assert not promise_precision("ant", 0.9, shares, right, ["a"] * 30 + ["b"] * 30).is_given


def test_sure_answers_of_few_groups_are_not_promised():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(400, 3)) * 8
    targets = rng.random((400, 3)) < 1 / (1 + np.exp(-logits))
    scaling = fit_scaling(logits, targets)
    alone = fit_label_calibration(logits, targets, NAMES, scaling)
    grouped = fit_label_calibration(logits, targets, NAMES, scaling, groups=[str(n // 200) for n in range(400)])
    assert min(alone.accuracy.values()) < NEVER
    assert set(grouped.accuracy.values()) == {NEVER}


def test_json_and_back():
    logits, targets = answered(200)
    scaling = fit_scaling(logits, targets)
    stakes = Stakes.of(None, {"ant": 0.9}, precision={"bee": 0.999})
    found = fit_label_calibration(scaling(logits), targets, NAMES, scaling, stakes=stakes, unsure=["fly"])
    assert found.precision[0].threshold == NEVER
    assert calibration_from_json(json.loads(json.dumps(found.to_json()))) == found
    plain = Calibration(1.5, {0.9: 0.4})
    assert calibration_from_json(json.loads(json.dumps(plain.to_json()))) == plain


@pytest.mark.parametrize(("recall", "precision", "message"), [
    ({"ant": 0.9}, {"ant": 0.9}, "Both a recall and a precision are to be promised for 'ant', but it has one thresh"),
    (None, {"ant": 1.5}, "A precision of 1.5 is to be promised for 'ant'; expected a share between 0 and 1"),
])  # fmt: skip
def test_promises_that_cannot_be_meant(recall, precision, message):
    with pytest.raises(ModelError, match=message):
        Stakes.of(None, recall, precision=precision)


def test_precision_is_of_several_labels():
    stakes = Stakes.of(None, None, precision={"ant": 0.9})
    assert stakes is not None
    with pytest.raises(ModelError, match=r"A precision is to be promised for 'ant'.*labels per photo \(--multi"):
        stakes.check_exclusive()
    with pytest.raises(
        ModelError, match="A precision is to be promised for 'ant', which is no class of the photos: bee"
    ):
        stakes.check(["bee"])
