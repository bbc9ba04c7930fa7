"""Several labels per photo are read the same however a table has them, and a table that does not say so is refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from pyarrow import parquet

import headstart as hs
from headstart import commands
from headstart.data import label_sets
from headstart.data.label_sets import NOTHING, label_of, names_in, text_of
from headstart.data.source import DataSource
from headstart.data.targets import Kind
from headstart.errors import DatasetError
from support.small_collections import collection, load

LABELS = [{"ant", "bee"}, {"ant"}, {"bee"}, set(), {"ant", "bee", "fly"}, {"fly"}] * 4
NAMES = ["ant", "bee", "fly"]


def several(path: Path) -> DataSource:
    return DataSource(path, multi_label=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return collection(tmp_path / "photos", {"x": len(LABELS)})


def joined(folder: Path) -> Path:
    lines = [f"x/{number}.png,{' | '.join(sorted(labels))}" for number, labels in enumerate(LABELS)]
    return written(folder / "joined.csv", ["path,labels", *lines])


def one_hot(folder: Path) -> Path:
    lines = [
        f"x/{number}.png,{','.join(str(int(name in labels)) for name in NAMES)}" for number, labels in enumerate(LABELS)
    ]
    return written(folder / "one_hot.csv", [f"path,{','.join(NAMES)}", *lines])


def rows(folder: Path) -> Path:
    lines = [f"x/{number}.png,{name}" for number, labels in enumerate(LABELS) for name in labels or [""]]
    return written(folder / "rows.csv", ["path,label", *lines])


def lists(folder: Path) -> Path:
    """Parquet, as of several labels it has them."""
    table = pa.table(
        {"path": [f"x/{number}.png" for number in range(len(LABELS))], "labels": list(map(sorted, LABELS))}
    )
    parquet.write_table(table, folder / "lists.parquet")
    return folder / "lists.parquet"


def metadata(folder: Path) -> Path:
    lines = [
        f'{{"file_name": "x/{number}.png", "label": {str(sorted(labels)).replace(chr(39), chr(34))}}}'
        for number, labels in enumerate(LABELS)
    ]
    written(folder / "metadata.jsonl", lines)
    return folder


def written(file: Path, lines: list[str]) -> Path:
    file.write_text("\n".join(lines), "utf-8")
    return file


@pytest.mark.parametrize("form", [joined, one_hot, rows, lists, metadata])
def test_all_forms_say_the_same(folder, form):
    dataset = load(several(form(folder)))
    assert dataset.class_names == tuple(NAMES)
    assert dataset.kind is Kind.MULTI_LABEL
    found = {}
    for split in dataset.splits().values():
        for path, row in zip(split.paths, split.targets.values, strict=True):
            found[int(Path(path).stem)] = {name for name, is_there in zip(NAMES, row, strict=True) if is_there}
    assert found == dict(enumerate(LABELS))


def test_the_table_of_a_run_is_read_again(folder, tmp_path):
    dataset = load(several(joined(folder)))
    lines = [",".join(row) for row in dataset.rows()]
    again = load(several(written(tmp_path / "splits.csv", ["path,label,split,hash", *lines])))
    assert again.rows() == dataset.rows()
    for name, split in again.splits().items():
        assert_array_equal(split.targets.values, dataset.splits()[name].targets.values)
    assert {label for _, label, *_ in dataset.rows()} == {text_of(labels) for labels in LABELS}


def test_a_part_of_it_keeps_its_targets(folder):
    dataset = load(several(joined(folder)))
    sample = dataset.sample(12)
    assert len(sample) < len(dataset)
    assert sample.kind is Kind.MULTI_LABEL
    assert set(sample.rows()) <= set(dataset.rows())


@pytest.mark.parametrize(("form", "message"), [
    (joined, "has no column 'label'.*--multi-label, if a photo may have several labels, in 'labels'"),
    (one_hot, r"12 faulty lines.*--multi-label(.*\n)*.*line 2: several labels \(ant, bee\), where one is expected"),
    (rows, r"--multi-label(.*\n)*.*has several labels \('(ant|bee)' and '(ant|bee)'\), where one is expected"),
    (metadata, "looks like several labels per photo.* --multi-label|no label"),
])  # fmt: skip
def test_without_the_option_the_message_names_it(folder, form, message):
    with pytest.raises(DatasetError, match=message):
        load(form(folder))


@pytest.mark.parametrize(("text", "message"), [
    ("path,label\nx/0.png,a\nx/1.png,b\nx/2.png,b\n", "exactly one label, so its labels are.*Leave --multi-label"),
    ("path,label\nx/0.png,a\nx/1.png,\nx/2.png,a\n", "has one label, 'a'.*at least two.*such as 'a' and 'other'"),
    ("path,label\nx/0.png,\nx/1.png,\n", "has no label; several"),
    ("path,label\nx/0.png,a|b\nx/1.png,b\nx/2.png,B|a\n", "'B' and 'b', which differ only in upper and lower case"),
    ("path,label,split\nx/0.png,a|b,train\nx/0.png,b,test\n", "line 3: 'x/0.png' is of the split 'test', and in"),
    ("path,a|b,c\nx/0.png,1,0\nx/1.png,1,1\n", r"the label 'a\|b'\. '\|' separates labels"),
    ("path,label\nx/0.png,a|b\nx/1.png,a\nx/2.png,\n", "'b' in '.*' holds 1 readable image"),
    ("path,label\nx/0.png,a|b\nx/1.png,b\nx/2.png,_other\n", "label '_other', which has no meaning with --multi-label"),
    ("path,label\nx/0.png,a|b\nx/1.png,a\nx/2.png,a\n", "gives all photos the label 'a', so there is nothing to tell"),
    ("path,label\nx/nowhere.png,a|b\n", "no such file 'x/nowhere.png'"),
])  # fmt: skip
def test_what_cannot_be_read_so_is_said(folder, text, message):
    with pytest.raises(DatasetError, match=message):
        load(several(written(folder / "list.csv", [text])))


def test_folders_give_one_label(folder):
    with pytest.raises(DatasetError, match=r"is a folder, and folders give each photo one label\. Several"):
        load(several(folder))


def test_a_quick_look_has_about_as_many_images_and_each_label(folder):
    data = load(several(joined(folder)))
    few = data.sample(12)
    assert 9 <= len(few) <= 15
    assert few.kind is Kind.MULTI_LABEL
    assert (few.train.targets.values > 0).any(axis=0).all()


def test_images_are_aligned_with_a_classifier(folder):
    images, _ = hs.load_images(several(joined(folder)), listener=hs.Quiet())
    found = label_sets.aligned(images, ["fly", "wasp", "bee", "ant"])
    assert_array_equal(found.targets.values[:, [3, 2, 0]], images.targets.values)
    assert not found.targets.values[:, 1].any()
    with pytest.raises(DatasetError, match="have the label 'ant', which the classifier does not know; it knows 'bee'"):
        label_sets.aligned(images, ["bee", "fly"])


@given(st.sets(st.text(st.characters(exclude_characters="|"), min_size=1).map(str.strip).filter(bool)))
def test_names_and_texts(names: set[str]):
    if names == {NOTHING}:
        return
    assert set(names_in(text_of(names))) == names
    assert set(names_in(label_of(names))) == names
    assert label_of(names), "an empty label means that nobody has looked at the photo"


def test_targets_are_zero_and_one(folder):
    values = load(several(one_hot(folder))).train.targets.values
    assert values.dtype == np.float32
    assert set(np.unique(values)) == {0.0, 1.0}


@pytest.mark.parametrize("command", [commands.labels, commands.diff, commands.backbones])
def test_what_does_not_know_several_labels_says_so(folder, command):
    with pytest.raises(DatasetError, match=r"has several labels per photo.* cannot work with yet"):
        command(several(joined(folder)))
