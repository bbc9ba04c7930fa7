"""Two classifiers compared: McNemar's test by its formula, and words that say what it means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from headstart.evaluation.comparison import compare


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200))
def test_the_exact_test_by_its_formula(pairs):
    first, second = np.array(pairs).T
    found = compare(first, second)
    fewer, uneven = (
        min(found.between.only_first, found.between.only_second),
        found.between.only_first + found.between.only_second,
    )
    expected = min(1.0, 2 * binom.cdf(fewer, uneven, 0.5)) if uneven else 1.0
    assert found.between.p == pytest.approx(expected, rel=1e-9)
    assert found.first.correct - found.second.correct == found.between.only_first - found.between.only_second
    assert compare(second, first).between.p == pytest.approx(found.between.p)


def test_words():
    alike = np.array([True] * 90 + [False] * 10)
    better = np.array([True] * 100)
    assert compare(alike, alike).verdict.startswith("Not distinguishable")
    assert compare(alike, better).verdict.startswith(
        "The second is better: only the second is correct on 10, only the first on 0 of 100"
    )
    assert compare(better, alike).verdict.startswith("The first is better")
    one_more = alike.copy()
    one_more[-1] = True
    assert compare(alike, one_more).verdict.startswith("Not distinguishable")
    with pytest.raises(Exception, match=r"(?i)same images|type-check"):  # checked types refuse it first
        compare(alike, better[:-1])
