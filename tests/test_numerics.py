"""Logits -> probabilities: against scipy's softmax, at the ends of the range, and what is no number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.special import expit, log_softmax, softmax

from headstart import numerics
from headstart.errors import ModelError

logits_of_many = arrays(
    np.float64, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), elements=st.floats(-900, 900)
)


@pytest.mark.parametrize(("classes", "logits"), [(2, 1), (3, 3), (1000, 1000)])
def test_two_classes_need_one_logit(classes, logits):
    assert numerics.num_logits(classes) == logits


@settings(max_examples=50, derandomize=True)
@given(logits_of_many)
def test_many_classes_are_softmax(logits):
    np.testing.assert_allclose(numerics.probabilities(logits), softmax(logits, axis=1), rtol=1e-12)
    np.testing.assert_allclose(numerics.log_probabilities(logits), log_softmax(logits, axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(numerics.two_sided(logits), logits)


@settings(max_examples=50, derandomize=True)
@given(arrays(np.float32, st.tuples(st.integers(1, 5), st.just(1)), elements=st.floats(-80, 80, width=32)))
def test_one_logit_is_the_sigmoid_of_the_second_class(logits):
    expected = expit(logits.astype(np.float64))
    np.testing.assert_allclose(numerics.probabilities(logits), np.hstack([1 - expected, expected]), atol=1e-12)
    assert numerics.probabilities(logits).dtype == np.float64


def test_a_cross_entropy_is_the_logarithm_of_the_labels_probability():
    logarithms = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    losses = numerics.cross_entropies(logarithms, np.array([1, 2], np.int32))
    np.testing.assert_allclose(losses, -np.log([0.25, 0.8]))


@pytest.mark.parametrize("shape", [(4, 1), (4, 3), (4, 2, 2, 5)])
def test_numbers_are_fine_in_any_shape(shape):
    numerics.check_numbers(np.zeros(shape, np.float32), ["a.png"] * 4)
    numerics.check_numbers(np.zeros((0, *shape[1:])))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 1), (4, 2, 2, 5)])
def test_what_is_no_number_is_named(shape, number):
    values = np.zeros(shape, np.float32)
    values[[1, 3]] = number
    with pytest.raises(ModelError, match=r"for 2 of 4 images: 'b', 'd'\. Expected finite numbers"):
        numerics.check_numbers(values, ["a", "b", "c", "d"])
    with pytest.raises(ModelError, match=r"for 2 of 4 images\. Expected finite numbers"):
        numerics.check_numbers(values)
