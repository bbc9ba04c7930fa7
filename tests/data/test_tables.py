"""CSV -> Dataset and back: separators, missing columns, files and labels, and text of any kind."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.folder import list_images
from headstart.data.source import DataSource
from headstart.data.tables import write_splits
from headstart.errors import DatasetError
from support.small_collections import collection, load, picture


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


@pytest.mark.parametrize("write", [
    lambda name: name.replace("/", "\\"),
    lambda name: ".\\" + name.replace("/", "\\"),
    lambda name: "./" + name,
    lambda name: name.upper().replace("X/", "x/"),
    lambda name: name.removesuffix(".png"),
    lambda name: "C:\\Users\\me\\data\\" + name.replace("/", "\\"),
    lambda name: "/home/somebody/data/" + name,
    lambda name: "z/../" + name,
])  # fmt: skip
def test_paths_are_found_however_they_are_written(four, write):
    (four / "z").mkdir()
    rows = [f"{write(f'x/{number}.png')},{'ab'[number // 2]}" for number in range(4)]
    dataset = load(table(four, "\n".join(["path,label", *rows])))
    assert {Path(path).resolve() for path, *_ in dataset.rows()} == set((four / "x").iterdir())


@pytest.mark.parametrize(("on_disk", "listed"), [("NFD", "NFC"), ("NFC", "NFD")])
@pytest.mark.parametrize("absolute", [False, True])
def test_accents_are_found_in_either_form(tmp_path, on_disk, listed, absolute):
    name = "Rüde/é"
    collection(tmp_path / "p" / unicodedata.normalize(on_disk, name), {"a": 2, "b": 2})
    start = f"{tmp_path / 'p'}/" if absolute else ""
    rows = [f"{start}{unicodedata.normalize(listed, name)}/{'ab'[i // 2]}/{i}.png,{'ab'[i // 2]}" for i in range(4)]
    assert len(load(table(tmp_path / "p", "\n".join(["path,label", *rows])))) == 4


def test_two_files_that_differ_only_in_case_are_not_guessed(tmp_path):
    collection(tmp_path, {"x": 2})
    for name in ("a.png", "A.png"):
        picture(tmp_path / "x" / name, ord(name[0]))
    text = "path,label\nx/0.png,p\nx/1.png,q\nx/{},q\n"
    assert list_images(table(tmp_path, text.format("A.png"))).items[2].path.name == "A.png"
    with pytest.raises(DatasetError, match=r"no such file 'X/a.PNG'"):
        load(table(tmp_path, text.format("a.png") + "X/a.PNG,q\n"))


@pytest.mark.parametrize("text", [
    "sep=;\r\npath;label\r\nx/0.png;a\r\nx/1.png;a\r\nx/2.png;b\r\nx/3.png;b\r\n",
    "\npath,label\n,\nx/0.png,a\nx/1.png,a\n , \nx/2.png,b\nx/3.png,b\n,\n,\n\n",
    ",filename,class\n0,x/0.png,a\n1,x/1.png,a\n2,x/2.png,b\n3,x/3.png,b\n",
    "file_name,label\rx/0.png,a\rx/1.png,a\rx/2.png,b\rx/3.png,b\r",
    "path,a,b\nx/0.png,1,0\nx/1.png,1,0\nx/2.png,0,1\nx/3.png,0,1\n",
    "path,a,b,age\nx/0.png,1.0,0.0,9\nx/1.png,True,False,8\nx/2.png,0,1,7\nx/3.png,0,1,6\n",
])  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csvs_of_spreadsheets_and_competitions(four, text, encoding):
    (four / "list.csv").write_bytes(text.encode(encoding))
    dataset = load(four / "list.csv")
    assert dataset.class_names == ("a", "b")
    assert len(dataset) == 4


def test_the_ending_tsv(four):
    assert len(load(table(four, "path\tlabel\nx/0.png\ta\nx/1.png\ta\nx/2.png\tb\nx/3.png\tb\n", "list.tsv"))) == 4


def test_columns_of_any_name_can_be_said(four):
    rows = "\n".join(f"{number},x/{number}.png,{'ab'[number // 2]},{number % 2}" for number in range(4))
    listed = table(four, "id,Where,What,path\n" + rows)
    dataset = load(DataSource(str(listed), path_column="where", label_column="WHAT"))
    assert dataset.class_names == ("a", "b")
    with pytest.raises(DatasetError, match=r"no column 'kind' \(found: id, Where, What, path\)"):
        load(DataSource(listed, path_column="where", label_column="kind"))


def test_the_photos_may_be_elsewhere(tmp_path):
    collection(tmp_path / "photos", {"a": 3, "b": 3})
    dataset = load(tmp_path / "photos")
    (tmp_path / "lists").mkdir()
    write_splits(tmp_path / "lists" / "splits.csv", dataset.rows())
    (tmp_path / "photos").rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match="if the images are elsewhere now, say where: --image-root FOLDER"):
        load(tmp_path / "lists" / "splits.csv")
    found = load(DataSource(tmp_path / "lists" / "splits.csv", image_root=tmp_path / "moved"))
    assert [row[1:] for row in sorted(found.rows())] == [row[1:] for row in sorted(dataset.rows())]
    relative = table(tmp_path / "lists", "path,label\na/0.png,a\na/1.png,a\nb/3.png,b\nb/4.png,b\n")
    assert len(load(DataSource(relative, image_root=tmp_path / "moved"))) == 4


@pytest.mark.parametrize(("labels", "classes"), [
    (["0", "0.0", "1", "1.0"], ("0", "1")),
    (["0.0", "0.0", "1.0", "1.0"], ("0", "1")),
    (["01", "01", "1", "1"], ("01", "1")),
    (["0.5", "0.5", "1.50", "1.50"], ("0.5", "1.50")),
    (["v1.0", "v1.0", "1.0", "1.0"], ("1.0", "v1.0")),
])  # fmt: skip
def test_numbers_as_labels(four, labels, classes):
    text = "\n".join(["path,label", *(f"x/{number}.png,{label}" for number, label in enumerate(labels))])
    assert load(table(four, text)).class_names == classes


@pytest.mark.parametrize("labels", [
    ["a", "b", "a|b", "a"], ["a", "b", '"a, b"', "a"], ["a", "b", "b;a", "b"], ["a|x", "b", "a|y", "b"],
])  # fmt: skip
def test_several_labels_a_photo_need_to_be_said(four, labels):
    text = "\n".join(["path,label", *(f"x/{number}.png,{label}" for number, label in enumerate(labels))])
    with pytest.raises(DatasetError, match=r"looks like several labels per photo.* --multi-label"):
        load(table(four, text))
    with pytest.raises(DatasetError, match=r"line 2: several labels \(a, b\), where one is expected"):
        load(table(four, "path,a,b\nx/0.png,1,1\nx/1.png,1,0\n"))


def test_labels_with_signs_in_them_are_labels(four):
    labels = ["a|b", "c|d", '"New York, NY"', "x;y"]
    text = "\n".join(["path,label", *(f"x/{number}.png,{label}" for number, label in enumerate(labels))])
    assert (
        list_images(table(four, text)).layout
        == "a CSV of 4 classes with the columns 'path' (paths) and 'label' (labels)"
    )


def test_the_words_for_splits_are_those_of_folders(four):
    collection(four, {"x": 4}, start=4)
    words = ["train", "Training", "seg_train", "TRAIN", "dev", "valid", "testing", "test_set"]
    rows = [f"x/{number}.png,{'ab'[number % 2]},{word}" for number, word in enumerate(words)]
    listed = list_images(table(four, "\n".join(["path,label,subset", *rows])))
    assert [item.split for item in listed.items] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2
    rows = [f"x/{number}.png,{'ab'[number % 2]},{number > 5}" for number in range(8)]
    listed = list_images(table(four, "\n".join(["path,label,is_valid", *rows])))
    assert [item.split for item in listed.items] == ["train"] * 6 + ["validation"] * 2


@given(st.text(alphabet='path,label;\t\n\r" x/0.png|1sep=é', max_size=80), st.sampled_from(["", "path,label\n"]))
def test_any_text_is_read_or_refused(tmp_path_factory, text, head):
    folder = tmp_path_factory.getbasetemp() / "any"
    picture(folder / "x" / "0.png")
    (folder / "list.csv").write_text(head + text, "utf-8", newline="")
    try:
        listing = list_images(folder / "list.csv")
    except DatasetError:
        return
    assert all(item.path.is_file() and item.label for item in listing.items)


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
    (tmp_path / "x.csv").write_bytes(b"path,label\nx/0.png,K\xe4tzchen")
    with pytest.raises(DatasetError, match="cannot be read as UTF-8"):
        load(tmp_path / "x.csv")
