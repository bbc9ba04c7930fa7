"""Iterative stratification: groups stay together, and each label has its share on each side."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from headstart.data.stratification import draw_share, folds


@st.composite
def labelled(draw) -> tuple[np.ndarray, np.ndarray]:
    """Targets, and groups of a few images."""
    count, labels = draw(st.integers(2, 60)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    return rng.random((count, labels)) < draw(st.floats(0.05, 0.9)), rng.integers(0, max(2, count // 2), count)


@given(labelled(), st.floats(0.05, 0.6), st.integers(0, 9))
def test_groups_stay_together(given_, fraction, seed):
    targets, groups = given_
    drawn = draw_share(targets, groups, fraction, seed)
    for group in np.unique(groups):
        assert len(set(drawn[groups == group])) == 1
    assert_array_equal(drawn, draw_share(targets, groups, fraction, seed), "the same seed gives the same")


@given(labelled(), st.floats(0.05, 0.6), st.integers(0, 9))
def test_each_label_has_its_share(given_, fraction, seed):
    targets, _ = given_
    drawn = draw_share(targets, np.arange(len(targets)), fraction, seed)
    rarest = int(targets.sum(axis=0).argmin())
    of_rarest, count = int(drawn[targets[:, rarest]].sum()), int(targets[:, rarest].sum())
    if count >= 2:  # the rarest label is shared out first, and so exactly
        assert of_rarest == min(max(round(count * fraction), 1), count - 1)
    if count == 1:
        assert of_rarest == 0, "what is left is trained on"


def test_shares_of_many_images_are_close():
    rng = np.random.default_rng(0)
    targets = rng.random((3_000, 12)) < np.geomspace(0.5, 0.01, 12)
    drawn = draw_share(targets, np.arange(3_000), 0.15, 0)
    assert abs(drawn.mean() - 0.15) < 0.01
    assert np.abs(targets[drawn].sum(axis=0) - 0.15 * targets.sum(axis=0)).max() <= 3
    by_chance = rng.random(3_000) < 0.15
    assert np.abs(targets[by_chance].sum(axis=0) - 0.15 * targets.sum(axis=0)).max() > 3


@given(labelled(), st.integers(2, 5), st.integers(0, 9))
def test_folds_are_a_partition(given_, count, seed):
    targets, groups = given_
    parts = folds(targets, groups, count, seed)
    if parts:
        assert_array_equal(np.sort(np.concatenate([out for _, out in parts])), np.arange(len(targets)))
    for train, out in parts:
        assert not set(groups[train]) & set(groups[out])
        assert len(train) + len(out) == len(targets)
