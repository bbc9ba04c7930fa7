"""Folds stay as they are while labels change, and hold copies together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.features.linear_head import FOLDS
from headstart.studio.folds import NO_FOLD, extended

LABELS = st.lists(st.integers(-1, 3), min_size=1, max_size=60)


@settings(max_examples=60)
@given(LABELS, LABELS, st.integers(0, 5))
def test_photos_stay_in_their_folds_and_copies_stay_together(first: list[int], second: list[int], seed: int):
    count = min(len(first), len(second))
    groups = np.random.default_rng(seed).integers(0, max(count // 2, 1), count)
    before, after = np.array(first[:count]), np.array(second[:count])
    folds = extended(np.full(count, NO_FOLD), before, groups, seed=seed)
    later = extended(folds, after, groups, seed=seed)
    for found, labels in ((folds, before), (later, after)):
        labelled = labels >= 0
        for group in np.unique(groups[labelled]):
            assert len(np.unique(found[labelled & (groups == group)])) == 1
        assert set(found.tolist()) <= {NO_FOLD, *range(FOLDS)}
    again = extended(folds, before, groups, seed=seed)
    np.testing.assert_array_equal(folds, again)


def test_a_class_is_spread_evenly():
    labels = np.repeat([0, 1, 2], [53, 20, 7])
    folds = extended(np.full(80, NO_FOLD), labels, np.arange(80), seed=0)
    for label in range(3):
        sizes = np.bincount(folds[labels == label], minlength=FOLDS)
        assert sizes.max() - sizes.min() <= 1


def test_a_new_class_of_a_few_photos_is_known_to_most_heads():
    labels = np.zeros(100, np.int64)
    folds = extended(np.full(100, NO_FOLD), labels, np.arange(100), seed=0)
    some = np.flatnonzero(folds == 2)[:3]
    labels[some] = 1
    assert len(np.unique(extended(folds, labels, np.arange(100), seed=0)[some])) == 3
