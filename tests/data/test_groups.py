"""Groups that the user names: found in names, kept on one side, counted by intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data import splits
from headstart.data.groups import PARENT_FOLDER, group_names, joined
from headstart.errors import DatasetError

NAMES = ["sick/p1_1.jpg", "sick/p1_2.jpg", "sick/p2_1.jpg", "well/p3_1.jpg", "well/p1_9.jpg", "well/other.jpg"]
LABELS = [name.split("/")[0] for name in NAMES]


def test_a_pattern_finds_them_also_across_classes():
    found, notes = group_names(NAMES, LABELS, r"(p\d+)_", "photos")
    assert found == ["p1", "p1", "p2", "p3", "p1", "well/other.jpg"]
    assert notes == [
        r"1 of 6 images have no group by --group-by '(p\d+)_' (such as 'well/other.jpg'): each of them counts as a "
        "group of its own"
    ]
    assert group_names(NAMES[:5], LABELS[:5], r"p\d", "photos")[0] == [f"p{number}" for number in (1, 1, 2, 3, 1)]
    two, _ = group_names(["a/x1-y2.png", "a/x1-y3.png", "b/x2-y2.png"], ["a", "a", "b"], r"(x\d)-(y\d)", "photos")
    assert two == ["x1 y2", "x1 y3", "x2 y2"]


def test_folders_are_groups_but_for_those_of_classes():
    names = ["sick/anna/1.jpg", "sick/bert/1.jpg", "well/anna/1.jpg", "well/carl/2.jpg", "well/3.jpg", "4.jpg"]
    labels = ["sick", "sick", "well", "well", "well", "well"]
    found, notes = group_names(names, labels, PARENT_FOLDER, "photos")
    assert found == ["anna", "bert", "anna", "carl", "well/3.jpg", "4.jpg"]
    assert notes[0].startswith("2 of 6 images have no group by --group-by 'parent-folder'")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("(p", "is not a valid regular expression"),
        ("nothing", "finds 0 groups among the 6 images of 'photos' .*at least 3 are needed"),
        ("jpg", "finds 1 group among"),
        (PARENT_FOLDER, "finds 0 groups"),
    ],
)
def test_rules_that_find_no_groups(rule, message):
    with pytest.raises(DatasetError, match=message):
        group_names(NAMES, LABELS, rule, "photos")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40))
def test_joined_groups_are_the_finest_that_keep_both(pairs):
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    found = joined(first, second)
    for names in (first, second):
        for name in set(names):
            assert len({group for group, each in zip(found, names, strict=True) if each == name}) == 1
    # coarser than it has to be it is not: what no chain of equal names connects has different numbers
    reached = {index: {index} for index in range(len(pairs))}
    for _ in pairs:
        for index in reached:
            reached[index] = {
                other
                for other in range(len(pairs))
                if any(first[other] == first[each] or second[other] == second[each] for each in reached[index])
            }
    for index, others in reached.items():
        assert {other for other in reached if found[other] == found[index]} == others


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), min_size=1, max_size=60), st.integers(0, 5))
def test_groups_of_several_labels_stay_together(images, seed):
    labels, groups = [label for label, _ in images], [group for _, group in images]
    wanted = {"a": 10, "b": 10}
    picked = splits.draw([f"{n:03}" for n in range(len(images))], labels, groups, wanted=wanted, seed=seed)
    for group in set(groups):
        assert len({bool(picked[index]) for index, each in enumerate(groups) if each == group}) == 1
