"""Targets go with their images, whatever is picked of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from headstart.data.dataset import Split
from headstart.data.targets import Kind, Targets

NAMES = ("ant", "bee", "fly")


def split_of(labels: np.ndarray, given_targets: Targets | None = None) -> Split:
    texts = tuple(map(str, range(len(labels))))
    return Split(texts, labels, texts, NAMES, given_targets=given_targets)


@given(st.lists(st.integers(0, 2), min_size=1))
def test_labels_are_targets_of_one_and_zeros(labels: list[int]) -> None:
    split = split_of(np.array(labels))
    assert split.kind is Kind.EXCLUSIVE
    assert split.targets.values.dtype == np.float32
    assert_array_equal(split.targets.values.sum(axis=1), 1)
    assert_array_equal(split.targets.values.argmax(axis=1), labels)


@given(st.permutations(range(4)), st.integers(0, 4))
def test_given_targets_go_with_their_images(order: list[int], count: int) -> None:
    values = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], np.float32)
    split = split_of(np.arange(4), Targets(values, Kind.MULTI_LABEL))
    some = split.take(order[:count])
    assert some.kind is Kind.MULTI_LABEL
    assert_array_equal(some.targets.values, values[order[:count]])
    assert_array_equal(some.targets.values.sum(axis=1), some.labels)
