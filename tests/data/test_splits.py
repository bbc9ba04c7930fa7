"""Drawing splits: properties that hold for any collection."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data import splits

collections = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), min_size=1, max_size=80)


@settings(derandomize=True)
@given(collections, st.floats(0, 0.9), st.integers(0, 5), st.randoms())
def test_draw(collection, fraction, seed, random):
    names = [f"{number:03}" for number in range(len(collection))]
    labels = [label for label, _ in collection]
    groups = [str(group) for _, group in collection]
    wanted = splits.fraction_of_each(labels, fraction, keep=1)
    picked = splits.draw(names, labels, groups, wanted=wanted, seed=seed)
    sides: dict[str, set[bool]] = {}
    for group, side in zip(groups, picked, strict=True):
        sides.setdefault(group, set()).add(bool(side))
    assert all(len(side) == 1 for side in sides.values()), "a group is torn apart"

    order = list(range(len(names)))
    random.shuffle(order)
    again = splits.draw(
        [names[i] for i in order], [labels[i] for i in order], [groups[i] for i in order], wanted=wanted, seed=seed
    )
    np.testing.assert_array_equal(again, picked[order], err_msg="the order of the files matters")


@settings(derandomize=True)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=200), st.floats(0, 0.9), st.integers(0, 3))
def test_single_images_are_drawn_exactly(labels, fraction, seed):
    names = [str(number) for number in range(len(labels))]
    wanted = splits.fraction_of_each(labels, fraction, keep=1)
    picked = splits.draw(names, labels, names, wanted=wanted, seed=seed)
    drawn = Counter(label for label, side in zip(labels, picked, strict=True) if side)
    for label, count in Counter(labels).items():
        assert drawn[label] == wanted.get(label, 0) <= count - 1
        if fraction > 0 and count > 1:
            assert drawn[label] >= 1
            assert abs(drawn[label] - count * fraction) <= 1


@settings(derandomize=True)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=200), st.data())
def test_proportional_adds_up(labels, data):
    total = data.draw(st.integers(0, len(labels)))
    shares = splits.proportional(labels, total)
    assert sum(shares.values()) == total
    for label, count in Counter(labels).items():
        assert abs(shares[label] - total * count / len(labels)) < 1


def test_size_of_test_moves_whole_batches():
    assert splits.size_of_test(1000) == 192  # the tutorial's 6 batches of 32
    assert splits.size_of_test(100) == 20
    assert splits.size_of_test(160) == 32
    assert splits.size_of_test(0) == 0


def test_of_large_groups_the_smallest_is_picked():
    """Three groups of 6, 4 and 5 images, and two images wanted: better four than none; but never all there are."""
    groups = ["first"] * 6 + ["second"] * 4 + ["third"] * 5
    names = [f"{number:02}" for number in range(15)]
    picked = splits.draw(names, ["a"] * 15, groups, wanted={"a": 2}, seed=0)
    assert {group for group, side in zip(groups, picked, strict=True) if side} == {"second"}
    assert not splits.draw(names, ["a"] * 15, ["one"] * 15, wanted={"a": 2}, seed=0).any()


@settings(max_examples=50, derandomize=True)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_round_robin_takes_from_each_class_in_turn(labels, seed):
    labels = np.array(labels)
    order = splits.round_robin(labels, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(labels)))
    taken = Counter()
    for index in order:
        taken[labels[index]] += 1
        assert all(
            taken[label] >= min(taken[labels[index]] - 1, (labels == label).sum()) for label in np.unique(labels)
        )
