"""Without labels: how many answers are right, and whether photos have changed. On answers whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.evaluation.drift import CLASSES, CONFIDENCE, KINDS, LEVEL, NOVELTY, WINDOW, Answered, p_values
from headstart.evaluation.label_shift import class_shares, estimate

# how often photos of three classes are given each answer
RATES = np.array([[0.95, 0.04, 0.01], [0.10, 0.85, 0.05], [0.02, 0.18, 0.80]])


def held_out(rng: np.random.Generator, sizes: tuple[int, ...] = (80, 60, 60)) -> np.ndarray:
    return np.stack([rng.multinomial(size, row) for size, row in zip(sizes, RATES, strict=True)])


def test_shares_and_accuracy_follow_a_planted_shift():
    shares = np.array([0.1, 0.2, 0.7])
    [found] = class_shares(RATES[None], (shares @ RATES)[None], np.full(3, 1 / 3))
    np.testing.assert_allclose(found, shares, atol=1e-3)
    estimated = estimate(np.round(RATES * 5000).astype(int), np.round(shares @ RATES * 20_000).astype(int))
    assert estimated.accuracy == pytest.approx(shares @ RATES.diagonal(), abs=2e-3)
    assert estimated.high - estimated.low < 0.03


def test_the_truth_is_in_the_interval_as_often_as_it_says():
    rng, inside, widths = np.random.default_rng(0), [], []
    for _ in range(100):
        shares = rng.dirichlet(np.ones(3))
        counts = rng.multinomial(WINDOW, shares)
        answers = np.stack([rng.multinomial(count, row) for count, row in zip(counts, RATES, strict=True)])
        found = estimate(held_out(rng), answers.sum(axis=0), seed=int(rng.integers(10**9)))
        inside.append(found.low <= answers.diagonal().sum() / WINDOW <= found.high)
        widths.append(found.high - found.low)
    assert np.mean(inside) >= 0.9  # of 95%: 100 trials have a standard deviation of 2 points
    assert np.mean(widths) < 0.25


def test_the_plain_held_out_accuracy_would_miss_it():
    """What a service could say without looking: that is what the estimate is for."""
    shares = np.array([0.05, 0.05, 0.9])
    truth, before = shares @ RATES.diagonal(), RATES.diagonal().mean()
    found = estimate(np.round(RATES * 200).astype(int), np.round(shares @ RATES * 500).astype(int))
    assert abs(found.accuracy - truth) < abs(before - truth) / 2


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(2, 8), st.integers(1, 300), st.integers(0, 1_000))
def test_whatever_was_counted_it_is_a_share(classes, count, seed):
    """Also where a class has no held-out photo, or an answer was never given."""
    rng = np.random.default_rng(seed)
    confusion = rng.integers(0, 4, (classes, classes)) * rng.integers(0, 2, (classes, 1))
    found = estimate(confusion, rng.multinomial(count, rng.dirichlet(np.ones(classes))), seed=seed)
    assert 0 <= found.low <= found.accuracy <= found.high <= 1
    assert found.shares.min() >= 0
    assert found.shares.sum() == pytest.approx(1)


def window(rng: np.random.Generator, count: int, shares=(0.5, 0.3, 0.2), sure=8.0, unfamiliar=0.03) -> Answered:
    return Answered(rng.multinomial(count, shares), rng.beta(sure, 1, count), rng.binomial(count, unfamiliar), count)


@pytest.mark.parametrize(("kind", "change"), [
    (NOVELTY, {"unfamiliar": 0.15}),
    (CLASSES, {"shares": (0.2, 0.3, 0.5)}),
    (CONFIDENCE, {"sure": 4.0}),
])  # fmt: skip
def test_a_change_is_an_alarm_of_its_kind_alone(kind, change):
    rng = np.random.default_rng(1)
    found = p_values(window(rng, 300), window(rng, WINDOW, **change))
    assert [each for each in KINDS if found[each] < LEVEL] == [kind]


def test_a_month_without_a_change_has_no_alarm():
    """10,000 photos a day; for each month, other held-out photos. (benchmarks/drift.py: with real ones.)"""
    rng, alarms = np.random.default_rng(2), 0
    for _ in range(20):
        before = window(rng, 300)
        for _ in range(30):  # a twentieth of the month's windows: 20 months are one
            alarms += sum(p < LEVEL for p in p_values(before, window(rng, WINDOW)).values())
    assert alarms <= 1


def test_what_cannot_be_told_is_no_alarm():
    nothing = Answered(np.zeros(3, int), np.zeros(0), 0, 0)
    some = window(np.random.default_rng(3), 50)
    assert p_values(nothing, some) == p_values(some, nothing) == dict.fromkeys(KINDS, 1.0)
