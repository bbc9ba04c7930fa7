"""CSV -> Dataset and back: separators, missing columns, files and labels, and text of any kind."""

import csv
from pathlib import Path

import pytest

from headstart.data.tables import write_splits
from headstart.errors import DatasetError
from support.small_collections import collection, load


def table(folder: Path, text: str, name: str = "list.csv") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


@pytest.fixture
def four(tmp_path: Path) -> Path:
    collection(tmp_path, {"x": 4})
    return tmp_path


@pytest.mark.parametrize("text", [
    "path,label\nx/0.png,a\nx/1.png,a\nx/2.png,b\nx/3.png,b\n",
    "﻿label;path;remark\na;x/0.png;\na;x/1.png;good, really\nb;x/2.png;\nb;x/3.png;\n",
    " Path\tLabel\r\nx/0.png\ta\r\nx/1.png\ta\r\nx/2.png\tb\r\nx/3.png\tb\r\n",
    'path,label\n"x/0.png","a"\nx/1.png,a\n\nx/2.png,b\nx/3.png,b',
])  # fmt: skip
def test_csv(four, text):
    dataset = load(table(four, text))
    assert dataset.class_names == ("a", "b")
    assert len(dataset) == 4


def test_csv_with_splits_and_its_round_trip(four):
    collection(four, {"y": 4}, start=10)
    rows = [f"x/{i}.png,a,{s}" for i, s in enumerate(["train", "train", "val", "test"])]
    rows += [
        f"{four}/y/{i}.png,b,{s}" for i, s in zip(range(10, 14), ["train", "Train", "validation", "test"], strict=True)
    ]
    dataset = load(table(four, "path,label,split\n" + "\n".join(rows)))
    assert [len(split) for split in dataset.splits().values()] == [4, 2, 2]
    write_splits(four / "splits.csv", dataset.rows())
    assert sorted(load(four / "splits.csv").rows()) == sorted(dataset.rows())
    with (four / "splits.csv").open() as file:
        assert next(csv.reader(file)) == ["path", "label", "split", "hash"]


@pytest.mark.parametrize(("text", "message"), [
    ("", "is empty"),
    ("path,label\n", "lists no images"),
    ("place,label\nx/0.png,a\n", r"no column 'path' \(found: place, label\)\. Say .* --path-column NAME"),
    ("a,b\n1,2\n", "no column 'path' and no column 'label'"),
    ("path,label\nx/0.png,a\nx/9.png,b\n", "line 3: no such file 'x/9.png'"),
    ("path,label\nx/0.png,\nx/1.png,b\n", "line 2: no label"),
    ("path,label\n,a\nx/1.png,b\n", "line 2: no path"),
    ("path,label\nx/0.png,a\nx/0.png,a\n", "line 3: 'x/0.png' is listed twice"),
    ("path,label\nx/0.png,a\n./x/0.png,b\n", "line 3: './x/0.png' has several labels .'a' and 'b'.*one is expected"),
    ("path,label,split\nx/0.png,a,holdout\nx/1.png,b,train\n", "unknown split 'holdout' .expected train, v"),
    ("path,label,split\nx/0.png,a,train\nx/1.png,b,\n", "not for 1 of 2"),
    ("path,label\n\n\nx/9.png,a\n", "line 4: no such file"),
    ('path,label\nx/0.png,"a\n' + "x/1.png,b\n" * 20_000, "not a valid CSV|no such file"),
])  # fmt: skip
def test_faulty_csv(four, text, message):
    with pytest.raises(DatasetError, match=message):
        load(table(four, text))


def test_labels_with_odd_separators_survive_the_round_trip(four):
    odd = 'a\u2028b\x85 "c", d'
    (four / "list.csv").write_text("path,label\n")
    with (four / "list.csv").open("a", newline="") as file:
        csv.writer(file).writerows([(f"x/{i}.png", odd if i < 2 else "plain") for i in range(4)])
    dataset = load(four / "list.csv")
    assert odd in dataset.class_names
    write_splits(four / "splits.csv", dataset.rows())
    assert sorted(load(four / "splits.csv").rows()) == sorted(dataset.rows())


def test_csv_that_is_no_text(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00path")
    with pytest.raises(DatasetError, match="cannot be read as UTF-8"):
        load(tmp_path / "x.csv")
