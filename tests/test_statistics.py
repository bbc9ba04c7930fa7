"""McNemar's test against published numbers. Intervals and percentages are tested with the metrics they belong to."""

import numpy as np
import pytest

from headstart.statistics import Interval, disagreement, wilson


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


def test_answers_for_other_images_are_refused():
    with pytest.raises((ValueError, TypeError)):  # the one of NumPy, or the other of the checked shapes
        disagreement(np.ones(3, bool), np.ones(4, bool))


def test_an_interval_in_words_and_as_json():
    interval = wilson(989, 1000)
    assert str(interval) == "98.9% (98.0% to 99.4%; 989 of 1,000)"
    assert Interval(**interval.to_json()) == interval
    with pytest.raises(ValueError, match="A count of 0 has no proportion: expected at least 1"):
        wilson(0, 0)
