"""A few numbers that say what all depths say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features.blocks import USUAL_WEIGHT, Blocks
from headstart.features.compact import COMPONENTS, SAMPLE, Compact

SIZES = (20, 10, 10, 30, 30)


@given(st.integers(2, 60), st.integers(0, 99))
def test_few_images_lose_nothing(count, seed):
    """Distances between them are those of the weighed features."""
    rng = np.random.default_rng(seed)
    features = (rng.normal(size=(count, sum(SIZES))) * rng.uniform(0.1, 10, sum(SIZES))).astype(np.float32)
    found = Compact.of(features, SIZES, seed=0)(features)
    blocks = Blocks.of([features], SIZES)
    weighed = (features - blocks.mean) * blocks.weighed(USUAL_WEIGHT)
    assert found.shape[1] <= count
    np.testing.assert_allclose(found @ found.T, weighed @ weighed.T, atol=1e-3 * np.abs(weighed @ weighed.T).max())


def test_many_images_keep_the_largest_components():
    rng = np.random.default_rng(0)
    sizes = (600, 300, 300)
    features = rng.normal(size=(SAMPLE + 200, sum(sizes))).astype(np.float32)
    features[:, :3] *= 50  # what they differ by
    compact = Compact.of(features, sizes, seed=0)
    found = compact(features)
    assert found.shape == (SAMPLE + 200, COMPONENTS)
    assert np.isfinite(found).all()
    again = Compact.of(features, sizes, seed=0)(features)
    np.testing.assert_array_equal(again, found)
    largest = np.abs(np.corrcoef(np.c_[features[:, :3], found[:, -3:]].T)[:3, 3:]).max(axis=0)
    assert (largest > 0.5).all()


def test_the_last_layer_alone():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 20)).astype(np.float32)
    found = Compact.of(features, (20,), seed=0)(features)
    centred = features - features.mean(axis=0)
    share = found @ found.T / (centred @ centred.T)
    np.testing.assert_allclose(share, share[0, 0], rtol=1e-2)


@pytest.mark.parametrize("count", [1, 3])
def test_images_that_are_all_alike(count):
    features = np.full((count, sum(SIZES)), 2.0, np.float32)
    assert np.isfinite(Compact.of(features, SIZES, seed=0)(features)).all()
    assert len(Compact.of(features, SIZES, seed=0)(features[:0])) == 0
