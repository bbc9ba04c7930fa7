"""`imagefolder` with metadata files, as Hugging Face's hub has it: columns, splits by folder, what is wrong with it."""

import json
import shutil
from pathlib import Path

import pytest

from headstart.data.folder import list_images
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from support.small_collections import collection, load

LABELS = ["cat", "dog"]


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    """train/0.png to train/7.png and test/8.png to test/11.png, in no class folders."""
    collection(tmp_path, {"train": 8})
    collection(tmp_path, {"test": 4}, start=8)
    return tmp_path


def rows(start: int, end: int, **more: object) -> list[dict]:
    return [{"file_name": f"{number}.png", "label": LABELS[number % 2], **more} for number in range(start, end)]


def write(file: Path, content: list[dict]) -> None:
    match file.suffix:
        case ".jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
        case ".csv":
            lines = [",".join(content[0]), *(",".join(map(str, row.values())) for row in content)]
            file.write_text("\n".join(lines), "utf-8")
        case ".parquet":
            pyarrow = pytest.importorskip("pyarrow")
            from pyarrow import parquet

            parquet.write_table(pyarrow.Table.from_pylist(content), file)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_splits_are_folders_with_a_metadata_file_each(flat, ending):
    write(flat / "train" / f"metadata.{ending}", rows(0, 8))
    write(flat / "test" / f"metadata.{ending}", rows(8, 12))
    dataset = load(flat)
    assert dataset.class_names == ("cat", "dog")
    assert {Path(path).name for path in dataset.test.paths} == {f"{number}.png" for number in range(8, 12)}
    assert len(dataset.train) + len(dataset.validation) == 8
    assert f"2 metadata files (metadata.{ending}) of 2 classes" in list_images(flat).layout


def test_one_file_at_the_top_names_photos_by_their_folders(flat):
    write(flat / "metadata.csv", [
        row | {"file_name": f"{folder}/{row['file_name']}"}
        for folder, start, end in (("train", 0, 8), ("test", 8, 12))
        for row in rows(start, end)
    ])  # fmt: skip
    dataset = load(flat)
    assert (len(dataset.test), len(dataset)) == (4, 12)
    zipped = shutil.make_archive(str(flat.parent / f"{flat.name}-zipped"), "zip", flat)
    assert len(load(Path(zipped)).test) == 4


def test_a_column_of_splits_counts_more_than_folders_and_labels_may_have_another_name(flat):
    content = rows(0, 8, split="train")
    content[0]["split"] = content[1]["split"] = "val"
    write(flat / "train" / "metadata.jsonl", [{**row, "animal": row.pop("label"), "box": [1, 2]} for row in content])
    listing = list_images(DataSource(flat, label_column="animal"))
    assert sorted(item.split or "" for item in listing.items) == ["train"] * 6 + ["validation"] * 2
    assert listing.notes == ("4 images that the metadata do not list are left out (such as '10.png')",)


def test_without_labels_in_it_the_folders_are_the_classes(tmp_path):
    collection(tmp_path, {"cats": 4, "dogs": 4})
    write(tmp_path / "metadata.jsonl", [{"file_name": "cats/0.png", "text": "a cat"}])
    assert load(tmp_path).class_names == ("cats", "dogs")


@pytest.mark.parametrize(("text", "message"), [
    ('{"file_name": "0.png", "label": "cat"\n', "metadata.jsonl' is not valid JSON, at line 1"),
    ('{"file_name": "0.png", "label": "cat"}\n[1]\n', "metadata.jsonl', line 2: expected an object, such as"),
    ('{"file_name": "9.png", "label": "cat"}\n', "train/metadata.jsonl, line 1: no such file 'train/9.png'"),
    ('{"file_name": "0.png", "label": null}\n', "train/metadata.jsonl, line 1: no label"),
    ('\n{"label": "cat"}\n{"file_name": "0.png", "label": "cat"}', "train/metadata.jsonl, line 2: no path"),
])  # fmt: skip
def test_what_is_wrong_is_said(flat, text, message):
    (flat / "train" / "metadata.jsonl").write_text(text, "utf-8")
    with pytest.raises(DatasetError, match=message):
        list_images(flat)


def test_labels_in_some_files_alone_are_refused(flat):
    write(flat / "train" / "metadata.csv", rows(0, 8))
    write(flat / "test" / "metadata.csv", [{"file_name": f"{number}.png", "text": "?"} for number in range(8, 12)])
    with pytest.raises(DatasetError, match=r"train/metadata.csv' has a column of labels, and '.*test/metadata.csv'"):
        list_images(flat)
