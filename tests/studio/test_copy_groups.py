"""Copies among some of the photos: who is not used joins nobody; nothing is looked for twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from headstart.studio.copy_groups import CopyGroups

COUNT = 12
PAIRS = st.sets(st.tuples(*[st.integers(0, COUNT - 1)] * 2), max_size=14)
USED = st.lists(st.sets(st.integers(0, COUNT - 1)), min_size=1, max_size=4)


def grouped(places: np.ndarray, pairs: set[tuple[int, int]]) -> np.ndarray:
    """What the pixels would say: a number for each place, the same where pairs among them connect."""
    at = {place: number for number, place in enumerate(places.tolist())}
    inside = [(at[first], at[second]) for first, second in pairs if first in at and second in at]
    rows, columns = zip(*inside, strict=True) if inside else ((), ())
    return connected_components(coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(at),) * 2))[1]


def same(groups: np.ndarray) -> list[list[bool]]:
    return (groups[:, None] == groups[None, :]).tolist()


@given(PAIRS, USED)
def test_groups_are_those_that_the_used_photos_have_alone(pairs: set[tuple[int, int]], several: list[set[int]]):
    asked = []

    def find(places: np.ndarray) -> np.ndarray:
        asked.append(frozenset(places.tolist()))
        return grouped(places, pairs)

    copies = CopyGroups(grouped(np.arange(COUNT), pairs), find)
    for each in several:
        used = np.array(sorted(each), np.int64)
        found = copies.among(used)
        assert same(found[used]) == same(grouped(used, pairs))
        others = np.setdiff1d(np.arange(COUNT), used)
        assert (found[others] == copies.all[others]).all()
        before = len(asked)
        copies.among(used)
        assert len(asked) == before, "it is known"


def test_no_photo_is_looked_at_where_all_are_used():
    copies = CopyGroups(np.array([0, 0, 1, 2, 2]), lambda places: np.zeros(1 // 0))
    assert copies.among(np.arange(5)).tolist() == [0, 0, 1, 2, 2]
    assert copies.among(np.array([0, 2, 3])).tolist() == [0, 0, 1, 2, 2], "one is used of each: it has nobody to join"
    assert copies.among(np.array([], np.int64)).tolist() == [0, 0, 1, 2, 2]
