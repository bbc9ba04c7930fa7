"""Calibration and "not sure": promises that hold on new answers, checked against SciPy's optimum and by simulation."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from headstart import numerics
from headstart.classifier.calibration import (
    LEVELS,
    NEVER,
    Calibration,
    calibrated_loss,
    fit_calibration,
    fit_temperature,
    least_in_set,
    least_probability,
)
from headstart.errors import ModelError


def simulated(count: int, classes: int, *, heat: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `heat` times too large, and labels drawn from the probabilities they should give."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, classes))
    labels = (numerics.probabilities(logits).cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return (logits if classes > 2 else logits[:, 1:] - logits[:, :1]) * heat, labels


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("heat", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(classes, heat):
    logits, labels = simulated(20_000, classes, heat=heat, seed=1)
    assert fit_temperature(logits, labels) == pytest.approx(heat, rel=0.05)


def test_the_temperature_minimises_the_cross_entropy():
    logits, labels = simulated(3_000, 4, heat=2.0, seed=2)

    def loss(temperature):
        return numerics.cross_entropies(numerics.log_probabilities(logits / temperature), labels).mean()

    best = scipy.optimize.minimize(lambda value: loss(value[0]), [1.0], method="Nelder-Mead").x[0]
    assert fit_temperature(logits, labels) == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("logits", [np.full((50, 1), -9.0), np.zeros((50, 3)), np.full((1, 1), -5.0)])
def test_answers_that_are_all_right_or_all_alike_leave_a_usable_temperature(logits):
    certainty = fit_calibration(logits, np.zeros(len(logits), int))
    assert 0.05 <= certainty.temperature <= 20
    shares = certainty.probabilities(logits)
    assert np.isfinite(shares).all()
    assert (shares < 1).all()  # never certain
    np.testing.assert_allclose(shares.sum(axis=1), 1)


@given(st.floats(0.05, 20), st.integers(0, 1000))
def test_calibration_never_changes_an_answer(temperature, seed):
    logits = np.random.default_rng(seed).normal(0, 3, (20, 4))
    calibrated = Calibration(temperature).probabilities(logits)
    assert (calibrated.argmax(axis=1) == numerics.probabilities(logits).argmax(axis=1)).all()


@pytest.mark.parametrize("classes", [2, 6])
def test_a_promised_coverage_holds_for_new_images(classes):
    """Of 300 images that it is promised by, in 200 repetitions: on average as promised, and not by naming all."""
    for coverage in (0.8, 0.95):
        covered, sizes = [], []
        for seed in range(200):
            logits, labels = simulated(800, classes, heat=1.0, seed=seed)
            shares = numerics.probabilities(logits)
            least = least_in_set(shares[np.arange(300), labels[:300]], coverage)
            named = shares[300:] >= least
            covered.append(named[np.arange(500), labels[300:]].mean())
            sizes.append(named.sum(axis=1).mean())
        assert coverage - 0.005 <= np.mean(covered) <= coverage + 0.02
        assert np.mean(sizes) < classes


def test_a_coverage_that_is_not_within_reach_names_all_classes():
    assert least_in_set(np.full(50, 0.9), 0.99) == 0
    assert least_in_set(np.full(50, 0.9), 0.95) == 0.9


def test_a_promised_accuracy_holds_for_new_images():
    """In at least 90% of 200 repetitions; and it is given for many of the images that it could be given for."""
    kept, given_shares = [], []
    for seed in range(200):
        logits, labels = simulated(3_000, 3, heat=1.0, seed=seed)
        shares = numerics.probabilities(logits)
        most, right = shares.max(axis=1), shares.argmax(axis=1) == labels
        least = least_probability(most[:600], right[:600], 0.9)
        answered = most[600:] >= least
        if answered.any():
            kept.append(right[600:][answered].mean() >= 0.9 - 0.02)  # 2,400 new images have their own chance
            given_shares.append(answered.mean())
    assert np.mean(kept) >= 0.9
    assert np.mean(given_shares) > 0.15


def in_groups(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Photos in groups of 1 to 20 that are answered alike: probabilities of the answers, whether they are right, and
    the groups."""
    sizes = rng.integers(1, 21, count)
    most = rng.uniform(0.6, 1, count)
    right = rng.random(count) < most
    return np.repeat(most, sizes), np.repeat(right, sizes), np.repeat(np.arange(count), sizes).tolist()


def test_a_promised_accuracy_holds_for_photos_of_new_groups():
    """In at least 90% of 150 repetitions; not where photos of a group are taken for as many witnesses."""
    kept: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        most, right, groups = in_groups(150, rng)
        new, new_right, _ = in_groups(4_000, rng)
        for aware, of_groups in kept.items():
            least = least_probability(most, right, 0.9, groups if aware else None)
            sure = new >= least
            of_groups.append(not sure.any() or bool(new_right[sure].mean() >= 0.9))
    assert np.mean(kept[True]) >= 0.9
    assert np.mean(kept[False]) < 0.85
    assert least_probability(np.linspace(0.6, 1, 400), np.ones(400, bool), 0.9, list(range(400))) == 0, "of one photo"


def test_a_promised_coverage_holds_for_photos_of_new_groups():
    """On average over 300 repetitions, for a photo of a new group."""
    covered = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(1, 30, 40)
        typical = rng.beta(4, 1.5, 41)  # of each group, the last one new: the probability of the right class
        groups = np.repeat(np.arange(40), sizes)
        of_label = np.clip(typical[groups] + rng.normal(0, 0.05, len(groups)), 0, 1)
        least = least_in_set(of_label, 0.9, groups.tolist())
        covered.append((np.clip(typical[-1] + rng.normal(0, 0.05, 50), 0, 1) >= least).mean())
    assert 0.88 <= np.mean(covered) <= 0.95


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from(LEVELS))
def test_groups_of_one_photo_are_no_groups(shares, level):
    names = [f"group {number}" for number in range(len(shares))]
    of_label, right = np.array(shares), np.array(shares) > 0.3
    assert least_in_set(of_label, level, names) == least_in_set(of_label, level)
    assert least_probability(of_label, right, level, names) <= NEVER


def test_an_accuracy_that_is_not_within_reach_is_not_promised():
    most, right = np.linspace(0.5, 1, 30), np.ones(30, bool)
    assert least_probability(most, right, 0.99) == NEVER
    assert least_probability(most, right, 0.8) < NEVER
    assert least_probability(np.linspace(0.5, 1, 5_000), np.ones(5_000, bool), 0.99) == 0


def test_answers_say_whether_they_are_sure():
    certainty = Calibration(1.0, {0.95: 0.8, 0.99: NEVER}, {0.9: 0.3})
    logits = np.log([[0.9, 0.06, 0.04], [0.6, 0.35, 0.05]])
    names = ("a", "b", "c")
    assert [answer.sure for answer in certainty.to_predictions(names)(logits)] == [True, False]
    assert [answer.sure for answer in certainty.to_predictions(names, accuracy=0.97)(logits)] == [False, False]
    named = certainty.to_predictions(names, coverage=0.85)(logits)
    assert [(answer.sure, answer.candidates) for answer in named] == [(True, ("a",)), (False, ("a", "b"))]
    assert [answer.sure for answer in Calibration().to_predictions(names)(logits)] == [True, True]


def test_where_nothing_can_be_guaranteed_nothing_is_sure():
    logits, names = np.log([[0.999, 0.001], [0.9, 0.1]]), ("a", "b")
    nothing = Calibration(1.0, dict.fromkeys(LEVELS, NEVER))
    assert nothing.usual_accuracy is None
    assert [answer.sure for answer in nothing.to_predictions(names)(logits)] == [False, False]
    a_little = Calibration(1.0, {0.8: 0.5, 0.9: 0.95, 0.95: NEVER, 0.99: NEVER})
    assert a_little.usual_accuracy == 0.9
    assert [answer.sure for answer in a_little.to_predictions(names)(logits)] == [True, False]
    more = Calibration(1.0, {0.8: 0.5, 0.9: 0.6, 0.95: 0.7, 0.99: 0.995})
    assert more.usual_accuracy == 0.95, "no stricter than usual, where nobody asks"


def test_a_class_of_a_few_photos_is_never_sure():
    logits, names = np.log([[0.999, 0.001], [0.001, 0.999]]), ("a", "b")
    certainty = Calibration(1.0, dict.fromkeys(LEVELS, 0.5), dict.fromkeys(LEVELS, 0.5), unsure=("b",))
    for settings in ({}, {"accuracy": 0.9}, {"coverage": 0.9}):
        assert [answer.sure for answer in certainty.to_predictions(names, **settings)(logits)] == [True, False]
    assert Calibration.from_json(certainty.to_json()) == certainty
    older = {key: value for key, value in certainty.to_json().items() if key != "unsure"}
    assert Calibration.from_json(older).unsure == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accuracy": 95}, "accuracy 95 was given; expected a share between 0 and 1"),
        ({"coverage": 0.0}, "coverage 0 was given"),
        ({"accuracy": 0.9999}, "at most 0.999 can be guaranteed"),
        ({"accuracy": 0.9, "coverage": 0.9}, "expected one of them"),
    ],
)
def test_promises_that_cannot_be_given(settings, message):
    certainty = Calibration(1.0, dict.fromkeys(LEVELS, 0.5), dict.fromkeys(LEVELS, 0.1))
    with pytest.raises(ModelError, match=message):
        certainty.to_predictions(("a", "b"), **settings)
    with pytest.raises(ModelError, match="No coverage can be guaranteed"):
        Calibration().to_predictions(("a", "b"), coverage=0.9)


def test_json_and_back():
    logits, labels = simulated(200, 3, heat=1.5, seed=5)
    certainty = fit_calibration(logits, labels)
    assert Calibration.from_json(certainty.to_json()) == certainty
    faults: list[Any] = [{}, {"temperature": 0, "accuracy": {}, "coverage": {}}, {"temperature": "hot"}, []]
    for damaged in faults:
        with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
            Calibration.from_json(damaged)


def test_a_calibrated_loss_knows_no_scale_of_logits():
    """As smoothed labels make logits too small, and overfitting too large, of the same answers."""
    logits, labels = simulated(4_000, 4, heat=1.0, seed=0)
    found = [calibrated_loss(scale * logits, labels, np.ones(4)) for scale in (0.3, 1.0, 3.0)]
    assert found == pytest.approx([found[1]] * 3, rel=1e-3)
    losses = numerics.cross_entropies(numerics.log_probabilities(logits), labels)
    assert found[1] == pytest.approx(losses.mean(), rel=1e-2)
    weights = np.array([1.0, 1.0, 1.0, 5.0])
    losses = numerics.cross_entropies(numerics.log_probabilities(logits / fit_temperature(logits, labels)), labels)
    assert calibrated_loss(logits, labels, weights) == pytest.approx(np.average(losses, weights=weights[labels]))
