"""McNemar's test against published numbers. Intervals and percentages are tested with the metrics they belong to."""

import numpy as np
import pytest

from headstart.statistics import Interval, bootstrap, disagreement, proportion, share_of_groups, wilson


def answers(both: int, only_first: int, only_second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    counts = (both, only_first, only_second, neither)
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (12, 12, 1.0),
        (10, 2, 0.03857421875),  # 2 * (1 + 12 + 66) / 2**12
    ],
)
def test_the_exact_test(only_first, only_second, p):
    found = disagreement(*answers(50, only_first, only_second, 7))
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p == pytest.approx(p, rel=1e-12)
    assert found.is_distinguishable == (p < 0.05)
    other = disagreement(*answers(3, only_second, only_first, 900))
    assert other.p == pytest.approx(p, rel=1e-12), "neither the order nor images on which both agree matter"


def test_images_of_a_group_are_one_witness():
    first, second = answers(40, 12, 2, 6)
    alone = disagreement(first, second, range(60))
    assert alone == disagreement(first, second)
    assert alone.is_distinguishable
    of_one = disagreement(first, second, ["a"] * 40 + ["b"] * 12 + ["c"] * 2 + ["d"] * 6)
    assert (of_one.only_first, of_one.only_second, of_one.p) == (12, 2, 1.0), "one group for each, two say nothing"
    pairs = disagreement(first, second, [number // 2 for number in range(60)])
    assert pairs.p == pytest.approx(0.125), "six groups for the first, one for the second: 2 * (1 + 7) / 2**7"


def test_a_share_of_groups_is_as_if_each_group_were_one_image():
    assert share_of_groups(0.8, 50, ()) == wilson(40, 50)
    singles, pairs = (share_of_groups(0.8, 50, [number // size for number in range(50)]) for size in (1, 2))
    assert singles.low == pytest.approx(wilson(40, 50).low, abs=0.01)
    assert pairs.low == pytest.approx(wilson(20, 25).low, abs=0.02)
    assert pairs.low < singles.low
    assert (share_of_groups(0.8, 50, ["a"] * 50).low, share_of_groups(0.8, 50, ["a"] * 50).high) == (0, 1)


def test_answers_for_other_images_are_refused():
    with pytest.raises((ValueError, TypeError)):  # the one of NumPy, or the other of the checked shapes
        disagreement(np.ones(3, bool), np.ones(4, bool))


def test_an_interval_in_words_and_as_json():
    interval = wilson(989, 1000)
    assert str(interval) == "98.9% (98.0% to 99.4%; 989 of 1,000)"
    assert Interval(**interval.to_json()) == interval
    with pytest.raises(ValueError, match="A count of 0 has no proportion: expected at least 1"):
        wilson(0, 0)


def bounds(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_images_that_are_groups_of_one_are_nearly_independent():
    hits = np.arange(400) % 10 > 0
    alone, grouped = proportion(hits), proportion(hits, np.arange(400).tolist())
    assert alone == wilson(360, 400)
    assert (grouped.value, grouped.correct, grouped.count) == (alone.value, alone.correct, alone.count)
    assert bounds(grouped) == pytest.approx(bounds(alone), abs=0.003)


def test_where_all_of_a_group_are_alike_the_groups_count():
    hits = np.repeat(np.arange(20) % 10 > 0, 15)
    found = proportion(hits, np.repeat(np.arange(20), 15).tolist())
    assert found.low < wilson(18, 20).low + 0.02
    assert found.high > 0.97
    assert found.low < proportion(hits).low - 0.1
    right = proportion(np.ones(300, bool), [str(number % 5) for number in range(300)])
    assert right.value == right.high == 1
    assert right.low < wilson(5, 5).low, "none of five groups wrong"
    assert bounds(proportion(np.ones(300, bool), ["one"] * 300)) == (0, 1)
    with pytest.raises(ValueError, match="2 groups of 3 images"):
        proportion(np.ones(3, bool), ["a", "b"])


@pytest.mark.parametrize(("groups", "size", "share", "alike"), [(8, 20, 0.9, 0.3), (30, 8, 0.97, 0.3), (40, 6, 0.9, 0)])
def test_intervals_of_groups_hold_the_truth(groups, size, share, alike):
    """Drawn from a beta-binomial distribution with this correlation inside of groups."""
    rng, held, independent = np.random.default_rng(0), 0, 0
    for _ in range(300):
        of_groups = rng.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, groups) if alike else share
        place = np.repeat(np.arange(groups), rng.integers(size // 2, 2 * size, groups))
        hits = rng.random(len(place)) < np.broadcast_to(of_groups, groups)[place]
        found, naive = proportion(hits, place.tolist()), proportion(hits)
        held += found.low <= share <= found.high
        independent += naive.low <= share <= naive.high
    assert held >= 0.94 * 300
    assert held >= independent


def test_a_bootstrap_of_a_mean_is_as_wide_as_its_standard_error_says():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = bootstrap(lambda rows: values[rows].mean(), 400, lowest=-1e9, highest=1e9)
    error = values.std(ddof=1) / 20
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found == bootstrap(lambda rows: values[rows].mean(), 400, lowest=-1e9, highest=1e9)


def test_a_bootstrap_draws_whole_groups():
    """Ten copies of each of forty numbers say no more than these."""
    numbers = np.random.default_rng(1).normal(size=40)
    alone = bootstrap(lambda rows: numbers[rows].mean(), 40, lowest=-9, highest=9)
    copied, groups = np.repeat(numbers, 10), np.repeat(np.arange(40), 10).tolist()
    together = bootstrap(lambda rows: copied[rows].mean(), 400, groups, lowest=-9, highest=9)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)
    one = bootstrap(lambda rows: copied[rows].mean(), 400, ["one"] * 400, lowest=-9, highest=9)
    assert (one.low, one.high) == (-9, 9)
