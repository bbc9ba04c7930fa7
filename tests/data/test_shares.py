"""Labels that are probabilities: what a table says of them, whatever its lines and their order, and what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from headstart.data.collection import class_names_of, split_of
from headstart.data.folder import list_images
from headstart.data.items import Item, Items
from headstart.data.shares import WeighedLine, most_probable, normalised, read_shares
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from support.correcting import correct
from support.recording import Recorder
from support.small_collections import collection, load

WEIGHTS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e6), min_size=1)


def table(folder: Path, *lines: str, header: str = "path,label,weight") -> Path:
    """A table that lists x/0.png to x/19.png of a folder, of which each line of `lines` names some."""
    collection(folder, {"x": 20})
    file = folder / "table.csv"
    file.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return file


def votes(*of_each: str) -> list[str]:
    """Lines for x/0.png, x/1.png, ...: "a2 b1" is two votes for a, and one for b."""
    return [f"x/{place}.png,{vote[0]},{vote[1:]}" for place, each in enumerate(of_each) for vote in each.split()]


@given(WEIGHTS)
def test_shares_add_up_to_one_and_the_largest_weight_has_the_largest(weights):
    shares = normalised(weights)
    if not any(weights.values()):
        assert not shares
        return
    assert_allclose(sum(share for _, share in shares), 1, atol=1e-6)
    assert all(share > 0 for _, share in shares)
    assert weights[most_probable(shares)] >= max(weights.values()) * (1 - 1e-6)
    assert [name for name, _ in shares] == sorted(name for name, _ in shares)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(1, 9)), min_size=7), st.randoms())
def test_the_order_of_lines_does_not_matter(listed, random):
    lines = [
        WeighedLine(str(place), str(photo), name, str(weight)) for place, (photo, name, weight) in enumerate(listed)
    ]
    found, faults = read_shares(lines, "a table")
    random.shuffle(lines)
    assert not faults
    assert read_shares(lines, "a table") == (found, [])


@given(st.lists(WEIGHTS.map(normalised).filter(bool), min_size=1))
def test_labels_are_the_largest_of_their_targets(shares):
    """Of items one by one, and of those in columns; a label alone is a target of one."""
    items = [
        Item(Path(f"{n}.png"), f"{n}.png", most_probable(each), None, shares=each if len(each) > 1 else None)
        for n, each in enumerate(shares)
    ]
    names = class_names_of(items)
    for listed in (items, Items.of(items), Items.of(items)[:]):
        split = split_of(listed, ["00" * 32] * len(items), names)
        assert split.is_soft == any(len(each) > 1 for each in shares)
        assert_array_equal(split.targets.values.argmax(axis=1), split.labels)
        assert_allclose(split.targets.values.sum(axis=1), 1, atol=1e-6)
    assert list(Items.of(items)) == items


def test_votes_of_several_experts(tmp_path):
    """Whole photos of one class beside shared ones; a vote a line counts as well as a count; a class that is named in
    no most probable label is refused."""
    lines = votes(*["a3"] * 8, *["b1 b1 a1"] * 4, *["b5"] * 8)
    dataset = load(table(tmp_path, *lines))
    assert dataset.class_names == ("a", "b")
    rows = {Path(path).name: row for s in dataset.splits().values() for path, row in zip(s.paths, s.truth, strict=True)}
    assert_allclose(rows["0.png"], [1, 0])
    assert_allclose(rows["9.png"], [1 / 3, 2 / 3], atol=1e-7)
    assert dataset.train.truth.dtype == np.float32
    assert any("4 of 20 photos are probabilities" in note for note in dataset.notes)
    some = dataset.train.take([2, 0])
    assert_array_equal(some.truth, dataset.train.truth[[2, 0]])


def test_the_probability_of_the_label_of_two_classes(tmp_path):
    lines = [f"x/{n}.png,{'ok' if n < 10 else 'broken'},{0.25 if n == 0 else 0.75}" for n in range(20)]
    found = list_images(table(tmp_path, *lines, header="path,label,probability"))
    assert "'probability' (weights of the labels)" in found.layout
    assert found.items[0].label == "broken"
    assert found.items[0].shares == (("broken", 0.75), ("ok", 0.25))
    assert found.items[1].shares == (("broken", 0.25), ("ok", 0.75))


def test_a_weight_that_is_none_is_not_used(tmp_path):
    """One line per photo, and what each photo weighs: as before there were weights of labels."""
    lines = [f"x/{n}.png,{'ab'[n % 2]},{350 + n}" for n in range(20)]
    file = table(tmp_path, *lines)
    found = list_images(file)
    assert "not used: 'weight'" in found.layout
    assert not any(item.shares for item in found.items)
    assert not load(file).train.is_soft
    with pytest.raises(DatasetError, match=r"line 2: the weight '350', where a number from 0 to 1, the probability"):
        list_images(DataSource(file, weight_column="weight"))


def test_how_sure_an_answer_was_is_no_weight_of_a_label(tmp_path):
    """The predictions.csv of a run is a collection, too."""
    lines = [f"x/{n}.png,{'ab'[n % 2]},a,0.9" for n in range(20)]
    found = list_images(table(tmp_path, *lines, header="path,label,answer,probability"))
    assert not any(item.shares for item in found.items)


def test_two_spellings_of_a_name_are_one_class(tmp_path):
    names = "caf\u00e9", "cafe\u0301"
    lines = [f"x/{n}.png,{name},1" for n in range(20) for name in names] + [
        f"x/{n}.png,tea,{n % 2 * 6 + 1}" for n in range(20)
    ]
    data = load(table(tmp_path, *lines))
    assert data.class_names == ("caf\u00e9", "tea")
    assert data.train.truth.sum(axis=1) == pytest.approx(1)
    assert data.train.truth[:, 0] == pytest.approx(np.where(data.train.labels == 0, 2 / 3, 2 / 9))


def test_whole_numbers_are_names_of_shares_too(tmp_path):
    lines = [f"x/{n}.png,{name},{weight}" for n in range(20) for name, weight in (("0.0", 1), ("1.0", n % 3))]
    found = list_images(table(tmp_path, *lines))
    assert found.items[2].shares is not None
    assert [name for name, _ in found.items[2].shares] == ["0", "1"]
    assert {item.label for item in found.items} == {"0", "1"}


def test_a_corrected_label_is_all_of_the_photo(tmp_path):
    file = table(tmp_path, *votes(*["a2 b1"] * 10, *["b2 a1"] * 10))
    first = load(file).train.paths[0]
    correct(file, [Path(first).name], "b", root=tmp_path)
    split = load(file).train
    assert_array_equal(split.truth[list(split.paths).index(first)], [0, 1])
    assert split.truth.max(axis=1).min() < 1


@pytest.mark.parametrize(("lines", "message"), [
    (votes("a1 b-1", *["b1"] * 19), r"line 3: the weight '-1', where a number, 0 or more, is expected"),
    (votes("a1 bnan", *["b1"] * 19), "line 3: the weight 'nan'"),
    (votes("a1 binf", *["b1"] * 19), "line 3: the weight 'inf'"),
    (votes("a1 bmany", *["b1"] * 19), "line 3: the weight 'many'"),
    (votes("a1 b", *["b1"] * 19), "line 3: the weight ''"),
    (votes("a0 b0", *["b1"] * 19), "line 2: all weights of the photo are 0"),
    (votes(*["a3 c1"] * 10, *["b1"] * 10), "gives 'c' shares of photos, but the largest share of none"),
    (votes(*["a3 b1"] * 20), "gives 'b' shares of photos, but the largest share of none"),
    ([line.replace(",c,", ",_other,") for line in votes(*["a3 c1"] * 10, *["b1"] * 10)], "gives '_other' a share"),
])  # fmt: skip
def test_faulty_weights(tmp_path, lines, message):
    with pytest.raises(DatasetError, match=message):
        load(table(tmp_path, *lines))


@pytest.mark.parametrize(("lines", "message"), [
    ([f"x/{n}.png,a,0.5" for n in range(20)], "the one class 'a': that does not say what the other class is called"),
    ([f"x/{n}.png,{'abc'[n % 3]},0.5" for n in range(20)], "3 classes: that does not say which classes have the rest"),
    ([f"x/{n}.png,{'ab'[n % 2]},1.5" for n in range(20)], "the weight '1.5', where a number from 0 to 1"),
])  # fmt: skip
def test_one_line_a_photo_is_of_two_classes(tmp_path, lines, message):
    with pytest.raises(DatasetError, match=message):
        load(DataSource(table(tmp_path, *lines), weight_column="weight"))


def test_lines_of_a_photo_are_of_one_split_and_one_group(tmp_path):
    header = "path,label,weight,split,group"
    lines = ["x/0.png,a,1,train,g", "x/0.png,b,1,test,g", "x/1.png,a,1,train,g", "x/1.png,b,1,train,h"]
    with pytest.raises(DatasetError) as refused:
        list_images(table(tmp_path, *lines, header=header))
    assert "line 3: 'x/0.png' is of the split 'test', and in an earlier line of 'train'; expected one" in str(
        refused.value
    )
    assert "line 5: 'x/1.png' is of the group 'h'" in str(refused.value)


def test_a_weight_column_that_is_missing_or_of_a_folder(tmp_path):
    file = table(tmp_path, *votes(*["a1"] * 20))
    with pytest.raises(DatasetError, match=r"no column 'votes'.*--weight-column NAME"):
        list_images(DataSource(file, weight_column="votes"))
    with pytest.raises(DatasetError, match=r"is no CSV, but --weight-column is given"):
        list_images(DataSource(tmp_path / "x", weight_column="votes"), Recorder())
