"""Folders -> Dataset: the layouts, what is ignored, what is refused and with which words, and how splits are drawn."""

import csv
import os
import shutil
import sys
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.data import loading
from headstart.data.loading import load_images
from headstart.data.tables import write_splits
from headstart.errors import CancelledError, DatasetError
from headstart.events import Message, Task
from headstart.statistics import wilson
from support.recording import Recorder
from support.small_collections import QUIET, collection, load, picture, png, split_of, zipped


def test_class_folders_are_split_in_proportion(tmp_path):
    dataset = load(collection(tmp_path / "photos", {"zebra": 100, "ant": 20}))
    assert dataset.class_names == ("ant", "zebra")
    sizes = {name: np.bincount(split.labels).tolist() for name, split in dataset.splits().items()}
    assert sizes == {"train": [14, 70], "validation": [3, 15], "test": [3, 15]}
    paths = [path for path, *_ in dataset.rows()]
    assert len(set(paths)) == 120
    assert all(Path(path).is_absolute() and Path(path).parent.name == label for path, label, *_ in dataset.rows())


def test_the_tutorials_layout_gives_the_tutorials_numbers(tmp_path):
    """2,000 and 1,000 images, zipped as the tutorial's archive is: 63, 26 and 6 batches of 32."""
    folders = ["train/cats"] * 1000 + ["train/dogs"] * 1000 + ["validation/cats"] * 500 + ["validation/dogs"] * 500
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("cats_and_dogs_filtered/vectorize.py", "print()")
        for number, folder in enumerate(folders):
            archive.writestr(f"cats_and_dogs_filtered/{folder}/{number}.png", png(number))
    dataset = load(tmp_path / "t.zip")
    assert dataset.class_names == ("cats", "dogs")
    assert [len(split) for split in dataset.splits().values()] == [2000, 808, 192]
    assert [-(-len(split) // 32) for split in dataset.splits().values()] == [63, 26, 6]
    assert np.bincount(dataset.test.labels).tolist() == [96, 96]
    assert any("1 .py" in note for note in dataset.notes)


def test_given_splits_are_kept(tmp_path):
    root = collection(tmp_path / "p", {"Train/a": 4, "Train/b": 4, "val/a": 3, "val/b": 3, "TEST/a": 2, "TEST/b": 2})
    dataset = load(root)
    assert [len(split) for split in dataset.splits().values()] == [8, 6, 4]
    assert all("/val/" in path for path in dataset.validation.paths)


def test_a_test_folder_without_validation(tmp_path):
    dataset = load(collection(tmp_path / "p", {"train/a": 20, "train/b": 20, "test/a": 2, "test/b": 2}))
    assert [len(split) for split in dataset.splits().values()] == [34, 6, 4]


def test_classes_may_be_called_like_splits(tmp_path):
    assert load(collection(tmp_path / "p", {"train": 5, "bus": 5})).class_names == ("bus", "train")
    mixed = collection(tmp_path / "q", {"train": 3, "train/old": 3, "bus/x": 5})
    assert load(mixed).class_names == ("bus", "train")
    with pytest.raises(DatasetError, match="beside them, bus"):
        load(collection(tmp_path / "r", {"train/a": 3, "train/b": 3, "validation/a": 3, "validation/b": 3, "bus/x": 5}))


def test_split_folders_are_never_taken_for_classes(tmp_path):
    """One stray image, or a test folder without classes, must not train a classifier of 'train or test?'."""
    given = {"train/a": 4, "train/b": 4, "val/a": 3, "val/b": 3}
    stray = load(collection(tmp_path / "p", given | {"train": 1, "val": 2}))
    assert (stray.class_names, len(stray.train)) == (("a", "b"), 8)
    assert any("3 images outside any class folder" in note for note in stray.notes)
    unlabelled = load(collection(tmp_path / "q", {"train/a": 9, "train/b": 9, "test": 5}))
    assert unlabelled.class_names == ("a", "b")
    assert any("5 images outside any class folder" in note for note in unlabelled.notes)
    named = load(collection(tmp_path / "r", {"train_set/a": 4, "train_set/b": 4, "eval/a": 2, "eval/b": 2}))
    assert len(named.train) == 8
    with pytest.raises(DatasetError, match="beside them, holdout"):
        load(collection(tmp_path / "s", {"train/a": 3, "train/b": 3, "holdout/a": 3, "holdout/b": 3}))
    with pytest.raises(DatasetError, match="no class folders in them"):
        load(collection(tmp_path / "t", {"train": 3, "test": 3}))


def test_a_wrapper_folder_is_seen_through(tmp_path):
    root = collection(tmp_path / "p", {"download/photos/cats": 4, "download/photos/dogs": 4})
    picture(root / "cover.png", 90)
    picture(root / "download" / "cover.png", 91)
    assert load(root).class_names == ("cats", "dogs")


def test_a_class_never_vanishes_without_a_word(tmp_path):
    root = collection(tmp_path / "p", {"a": 60, "c": 60})
    (root / "b").mkdir()
    for number in range(3):
        (root / "b" / f"{number}.jpg").write_text("no image")
    with pytest.raises(DatasetError, match=r"None of the 3 files of the class 'b' .* can be read"):
        load(root)
    shutil.rmtree(root / "b")
    (root / "d").mkdir()
    (root / "d" / "x.txt").write_bytes(b"x")
    assert any("folders without images are not classes: 'd'" in note for note in load(root).notes)


@pytest.mark.parametrize(("name", "found"), [
    ("x.CR2", "raw file"), ("x.psd", "Photoshop"), ("x.mp4", "video"), ("x.pdf", "PDF"),
])  # fmt: skip
def test_a_class_of_pictures_of_another_kind_is_an_error(tmp_path, name, found):
    root = collection(tmp_path / "p", {"a": 4, "b": 4})
    (root / "c" / "more").mkdir(parents=True)
    (root / "c" / "more" / name).write_bytes(b"x")
    with pytest.raises(DatasetError, match=rf"'c'.*'{name}', one of 1, is .*{found}.* move the folder elsewhere"):
        load(root)
    for number in range(2):  # beside photos, as cameras write both, it is left out
        picture(root / "c" / f"{number}.png", 90 + number)
    assert load(root).class_names == ("a", "b", "c")


def test_a_class_of_heic_photos_without_their_decoder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    root = collection(tmp_path / "p", {"a": 4, "b": 4})
    (root / "c").mkdir()
    (root / "c" / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(DatasetError, match=r"class 'c' .*can be read[^$]*HEIC photo.*headstart\[heif\]"):
        load(root)


@pytest.mark.parametrize("name", ["{}", "{}.png?w=640", "{}.png_large", "{}.1", "{}.image"])
def test_photos_without_the_ending_of_an_image_are_known_by_their_first_bytes(tmp_path, name):
    root = collection(tmp_path / "p", {"a": 6, "b": 6})
    for file in (root / "a").iterdir():
        file.rename(file.with_name(name.format(file.stem)))
    (root / "a" / "README").write_text("words")
    (root / "a" / "thumbnail.thm").write_bytes(next((root / "b").iterdir()).read_bytes())
    dataset = load(root)
    assert dataset.class_names == ("a", "b")
    assert len(dataset) == 12
    assert dataset.unreadable == ()


def test_names_that_are_no_text(tmp_path):
    root = collection(tmp_path / "p", {"a": 20, "b": 20})
    shutil.copy(root / "a" / "0.png", root / "a" / os.fsdecode(b"caf\xe9.png"))
    dataset = load(root)
    assert len(dataset) == 40
    assert [bad.reason for bad in dataset.unreadable] == ["has a name that is not Unicode text; rename it"]
    write_splits(tmp_path / "splits.csv", dataset.rows())


def test_classes_that_only_look_alike_when_folded_are_two(tmp_path):
    assert load(collection(tmp_path / "p", {"Maße": 3, "Masse": 3})).class_names == ("Masse", "Maße")


def test_folders_below_a_class_belong_to_it(tmp_path):
    dataset = load(collection(tmp_path / "p", {"cats/2019/may": 4, "cats": 4, "dogs/x/y/z": 4}))
    assert dataset.class_names == ("cats", "dogs")
    assert len(dataset) == 12


def test_hidden_files_and_those_of_the_system_are_ignored(tmp_path):
    root = collection(tmp_path / "p", {"a": 4, "b": 4, "__MACOSX/a": 2, ".hidden": 2, "@eaDir/x": 2})
    for name in ("a/.DS_Store", "a/Thumbs.db", "b/desktop.ini", "b/._1.png", "a/.x.png"):
        (root / name).write_bytes(b"x")
    dataset = load(root)
    assert len(dataset) == 8
    assert dataset.unreadable == ()
    assert dataset.notes == ()


def test_other_files_are_left_out_and_said(tmp_path):
    root = collection(tmp_path / "p", {"a": 4, "b": 4})
    for name in ("a/IMG.cr2", "a/IMG2.cr2", "b/notes.txt"):
        (root / name).write_bytes(b"x")
    picture(root / "loose.png", 99)
    notes = " ".join(load(root).notes)
    assert "2 .cr2" in notes
    assert "1 .txt" in notes
    assert "loose.png" in notes


def test_unicode_and_spaces(tmp_path):
    root = collection(tmp_path / "mes photos", {"Löwenzahn gelb": 4, "猫": 4, "cão 🐶": 4})
    picture(root / "Löwenzahn gelb" / "ein Bild (1).PNG", 50)
    dataset = load(root)
    assert dataset.class_names == tuple(sorted(["Löwenzahn gelb", "猫", "cão 🐶"]))
    assert len(dataset) == 13


def test_accents_written_in_two_ways_are_one_class(tmp_path):
    one, two = unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")
    root = collection(tmp_path / "p", {f"train/{one}": 4, "train/b": 4, f"validation/{two}": 4, "validation/b": 4})
    assert load(root).class_names == ("b", one)


def test_links_that_loop_are_entered_once(tmp_path):
    root = collection(tmp_path / "p", {"a": 4, "b": 4})
    (root / "a" / "again").symlink_to(root, target_is_directory=True)
    (root / "b" / "self").symlink_to(root / "b", target_is_directory=True)
    collection(tmp_path / "elsewhere", {"c": 4}, start=20)
    (root / "a" / "link").symlink_to(root / "b", target_is_directory=True)
    (root / "c").symlink_to(tmp_path / "elsewhere" / "c", target_is_directory=True)
    dataset = load(root)
    assert dataset.class_names == ("a", "b", "c")
    assert len(dataset) == 16, "the images of b are also those of a, by the link"


def test_unreadable_files_are_listed_and_the_rest_is_used(tmp_path):
    root = collection(tmp_path / "p", {"a": 30, "b": 30})
    (root / "a" / "words.jpg").write_text("no image")
    (root / "a" / "empty.png").touch()
    data = picture(tmp_path / "x.png", 7).read_bytes()
    (root / "b" / "short.png").write_bytes(data[: len(data) // 2])
    (root / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    dataset = load(root)
    assert len(dataset) == 60
    assert {Path(bad.path).name: bad.reason.split()[0] for bad in dataset.unreadable} == {
        "words.jpg": "is", "empty.png": "is", "short.png": "is", "gone.png": "cannot",
    }  # fmt: skip


def test_too_many_unreadable_files_stop_it(tmp_path):
    root = collection(tmp_path / "p", {"a": 30, "b": 30})
    for number in range(7):
        (root / "a" / f"{number}.jpg").write_text("no image")
    with pytest.raises(DatasetError, match=r"7 of 67 files .* more than 10%"):
        load(root)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "missing", r"'.*missing' does not exist"),
        (lambda p: p / ("x" * 300), "not a valid path"),
        (lambda p: (p / "empty").mkdir() or p / "empty", "holds no images .*found: nothing"),
        (lambda p: (p / "file.txt").write_text("x") and p / "file.txt", "neither a folder nor a zip nor a CSV"),
        (lambda p: collection(p / "flat", {".": 3}), "holds 3 images, but no class folders"),
        (lambda p: collection(p / "one", {"cats": 3}), "one class, 'cats'; a classifier needs at least two"),
        (lambda p: collection(p / "single", {"cats": 3, "dogs": 1}), "'dogs' .* holds 1 readable image; a split needs"),
        (
            lambda p: collection(p / "case", {"cats": 3, "Cats": 3}),
            "'Cats' and 'cats', which differ only in upper and lower",
        ),
        (
            lambda p: collection(p / "new", {"train/a": 3, "train/b": 3, "validation/a": 3, "validation/c": 3}),
            "has the class 'c' in validation, but no readable image of it in train",
        ),
        (lambda p: collection(p / "nt", {"validation/a": 3, "validation/b": 3}), "no images in 'train'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(tmp_path, make, message):
    with pytest.raises(DatasetError, match=message):
        load(make(tmp_path))


def test_fractions(tmp_path):
    root = collection(tmp_path / "p", {"a": 50, "b": 50})
    assert [len(s) for s in load(root, test_fraction=0).splits().values()] == [84, 16, 0]
    assert [len(s) for s in load(root, validation_fraction=0.2, test_fraction=0.4).splits().values()] == [40, 20, 40]
    for wrong in (
        {"test_fraction": 1.5},
        {"test_fraction": 0.9},
        {"validation_fraction": -0.1},
        {"test_fraction": 0.5, "validation_fraction": 0.5},
    ):
        with pytest.raises(DatasetError, match=r"were given: expected 0 or more, and together at most 0.9"):
            load(root, **wrong)


def test_small_classes_keep_an_image_on_each_side(tmp_path):
    dataset = load(collection(tmp_path / "p", {"two": 2, "three": 3, "many": 40}))
    per_split = {name: np.bincount(split.labels, minlength=3).tolist() for name, split in dataset.splits().items()}
    assert dataset.class_names == ("many", "three", "two")
    assert per_split["train"][1:] == [1, 1]
    assert per_split["validation"][1:] == [1, 1]
    assert per_split["test"][1:] == [1, 0]
    assert any("test holds no image of two" in note for note in dataset.notes)


def test_splits_depend_on_names_and_seed_only(tmp_path):
    first = collection(tmp_path / "one", {"a": 40, "b": 40})
    shutil.copytree(first, tmp_path / "other place")  # created in another order
    again = tmp_path / "third"
    for path in sorted(first.rglob("*.png"), reverse=True):
        (again / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, again / path.parent.name)
    expected = split_of(load(first, seed=5))
    assert split_of(load(tmp_path / "other place", seed=5)) == expected
    assert split_of(load(again, seed=5)) == expected
    assert split_of(load(zipped(first, tmp_path / "z.zip"), seed=5)) == expected
    assert split_of(load(first, seed=6)) != expected


def test_copies_of_an_image_stay_on_one_side(tmp_path):
    root = collection(tmp_path / "p", {"a": 30, "b": 30})
    for number in range(0, 60, 2):
        folder = "a" if number < 30 else "b"
        for copy in range(3):
            shutil.copy(root / folder / f"{number}.png", root / ("b" if copy == 2 else folder) / f"{number}-{copy}.png")
    for seed in range(5):
        sides: dict[str, set[str]] = {}
        for _, _, split, digest in load(root, seed=seed).rows():
            sides.setdefault(digest, set()).add(split)
        assert all(len(side) == 1 for side in sides.values())


def test_copies_across_given_splits_are_said(tmp_path):
    root = collection(tmp_path / "p", {"train/a": 4, "train/b": 4, "validation/a": 4, "validation/b": 4})
    shutil.copy(root / "train/a/0.png", root / "validation/a/copy.png")
    collection(root, {"test/a": 2, "test/b": 2}, start=40)
    shutil.copy(root / "validation/b/13.png", root / "test/b/copy.png")
    notes = " ".join(load(root).notes)
    assert "1 image in validation is byte for byte also in train" in notes
    assert "1 image in test is byte for byte also in validation" in notes


def test_sample_keeps_the_proportions(tmp_path):
    dataset = load(collection(tmp_path / "p", {"many": 690, "few": 310}))
    some = dataset.sample(300, seed=1)
    assert abs(len(some) - 300) <= 3
    for of_some, of_all in zip(some.splits().values(), dataset.splits().values(), strict=True):
        assert abs(of_some.labels.mean() - of_all.labels.mean()) < 0.02
        assert abs(len(of_some) - 0.3 * len(of_all)) <= 1
    assert set(some.test.paths) <= set(dataset.test.paths)
    assert some.rows() == dataset.sample(300, seed=1).rows()
    assert some.rows() != dataset.sample(300, seed=2).rows()
    assert dataset.sample(10_000) is dataset
    few = dataset.sample(8)
    assert all(set(split.labels) == {0, 1} for split in few.splits().values()), "no class and no split is lost"


# Progress and cancellation


def test_reading_reports_its_progress_in_small_steps(tmp_path):
    listener, root = Recorder(), collection(tmp_path / "p", {"a": 40, "b": 40})
    (root / "a" / "words.jpg").write_text("no image")
    hs.load_dataset(root, listener=listener)
    assert [(event.task, event.done, event.total, event.is_over) for event in listener.progress] == [
        (Task.READ, done, 81, is_over)
        for done, is_over in ((0, False), (32, False), (64, False), (81, False), (81, True))
    ]
    assert isinstance(listener.events[-1], Message)


def test_reading_that_is_cancelled_reads_little_more(tmp_path, monkeypatch):
    root = collection(tmp_path / "p", {"a": 500, "b": 500})
    read, original = [], loading.read_image
    monkeypatch.setattr(loading, "read_image", lambda data, size: read.append(data) or original(data, size))
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    listener = Recorder(cancel_after=2)
    with pytest.raises(CancelledError):
        hs.load_dataset(root, listener=listener)
    assert [(event.done, event.is_over) for event in listener.progress] == [(0, False), (32, False), (32, True)]
    assert len(read) <= loading.STEP + loading.AHEAD + 1


# Images to measure on


def test_load_images_takes_what_cannot_be_trained_on(tmp_path):
    images, splits = load_images(collection(tmp_path / "p", {"a": 1}), listener=QUIET)
    assert (len(images), splits, images.class_names) == (1, (None,), ("a",))
    root = collection(tmp_path / "q", {"train/a": 2, "train/b": 2, "test/a": 1})
    images, splits = load_images(root, listener=QUIET)
    assert splits.count("test") == 1
    assert len(images) == 5


def test_loading_changes_nothing(tmp_path):
    root = collection(tmp_path / "p", {"a": 4, "b": 4})

    def state() -> dict[Path, tuple]:
        return {p: (p.read_bytes() if p.is_file() else None, p.stat().st_mtime_ns) for p in root.rglob("*")}

    before = state()
    load(root)
    assert state() == before


# Copies that are not byte for byte


def in_fours(images: hs.Split, drawn: np.ndarray) -> list[int]:
    """As if 0.png to 3.png, 4.png to 7.png, ... were copies of one photo each."""
    return [int(Path(path).stem) // 4 for path in images.paths]


def test_groups_are_kept_on_one_side_of_what_is_drawn(tmp_path):
    listener = Recorder()
    root = collection(tmp_path / "photos", {"a": 20, "b": 20})
    dataset = hs.load_dataset(root, groups=in_fours, test_fraction=0.2, listener=listener)
    split = split_of(dataset)
    for start in range(0, 40, 4):
        assert len({split[f"{number}.png"] for number in range(start, start + 4)}) == 1
    assert [len(part) for part in dataset.splits().values()] == [24, 8, 8]
    assert "10 groups of copies, 40 images in all: each group is kept on one side of the splits." in listener.lines


def test_copies_across_given_splits_are_noted(tmp_path):
    listener = Recorder()
    root = collection(tmp_path / "photos", {"train/a": 10, "train/b": 10, "validation/a": 4, "test/b": 2})
    dataset = hs.load_dataset(root, groups=in_fours, listener=listener)
    assert dataset.notes == ("validation holds no image of b, so nothing is measured there",
                             "test holds no image of a, so nothing is measured there")  # fmt: skip
    dataset = hs.load_dataset(root, groups=lambda images, drawn: [0 for _ in images.paths], listener=listener)
    assert dataset.notes[0] == (
        "4 images in validation are nearly the same as others in train (such as 'validation/a/20.png'), which makes "
        "the accuracy there look better than it is"
    )
    assert len([note for note in dataset.notes if "nearly the same" in note]) == 3
    assert not any("one side" in line for line in listener.lines)


def test_where_all_are_copies_of_one_photo_there_is_a_validation_all_the_same(tmp_path):
    root = collection(tmp_path / "photos", {"a": 10, "b": 10})
    dataset = load(root, groups=lambda images, drawn: [0 for _ in images.paths])
    assert len(dataset.validation) == 4
    assert any("nearly the same as others in train" in note for note in dataset.notes)


@pytest.fixture
def patients(tmp_path, cells) -> Path:
    """Six photos each of twelve patients, in two classes; their names say whose they are."""
    for number in range(72):
        label = "defective" if number // 6 % 2 else "functional"
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(cells[label][number], folder / f"p{number // 6:02}_{number % 6}.png")
    return tmp_path / "photos"


def sides(dataset: hs.Dataset) -> dict[str, set[str]]:
    """Patient -> the splits in which photos of it are."""
    found: dict[str, set[str]] = {}
    for name, split in dataset.splits().items():
        for path in split.paths:
            found.setdefault(Path(path).name[:3], set()).add(name)
    return found


def test_groups_are_on_one_side_by_a_pattern_and_by_a_column(patients, tmp_path):
    torn = hs.load_dataset(patients, seed=0, listener=hs.Quiet())
    assert any(len(names) > 1 for names in sides(torn).values())
    listener = Recorder()
    source = hs.DataSource(patients, group_by=r"(p\d+)_")
    found = hs.load_dataset(source, seed=0, listener=listener)
    assert all(len(names) == 1 for names in sides(found).values())
    assert {len(split) % 6 for split in found.splits().values()} == {0}
    assert "the images come in 12 groups that belong together" in "\n".join(listener.lines)
    assert len(np.unique(found.train.photos)) == len(found.train) // 6

    rows = [(path, label, group) for path, label, _, _, group in found.rows()]
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient"), *rows])
    again = hs.load_dataset(tmp_path / "table.csv", seed=0, listener=hs.Quiet())
    assert sides(again).keys() == sides(found).keys()
    assert all(len(names) == 1 for names in sides(again).values())
    (tmp_path / "table.csv").write_text((tmp_path / "table.csv").read_text("utf-8").replace("patient", "ward"), "utf-8")
    named = hs.load_dataset(hs.DataSource(tmp_path / "table.csv", group_column="ward"), seed=0, listener=hs.Quiet())
    assert sides(named) == sides(again)


def test_a_split_that_is_given_and_tears_groups_apart_is_noted(patients, tmp_path):
    rows = [
        (file, file.parent.name, "train" if file.stem.endswith(("0", "1", "2", "3")) else "validation", file.name[:3])
        for file in sorted(patients.rglob("*.png"))
    ]
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split", "group"), *rows])
    found = hs.load_dataset(tmp_path / "table.csv", seed=0, test_fraction=0, listener=hs.Quiet())
    assert any(note.startswith("24 images in validation are of a group that is also in train") for note in found.notes)


def test_a_run_keeps_its_groups(patients, tiny, tmp_path):
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    source = hs.DataSource(patients, group_by=r"(p\d+)_")
    run = hs.make_run(source, tmp_path / "run", recipe=recipe, backbone=tiny, image_size=32, listener=hs.Quiet())
    again = hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet())
    assert len(set(again.train.groups)) == len(again.train) // 6
    accuracy = run.metrics["test"]["accuracy"]
    independent = wilson(accuracy["correct"], accuracy["count"])
    assert accuracy["high"] - accuracy["low"] > independent.high - independent.low
    assert "95% intervals count groups" in (run.folder / "report.html").read_text("utf-8")
