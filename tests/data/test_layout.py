"""Folders -> the layout that is understood: the classes and splits of well-known collections, and what is asked."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart as hs
from headstart.data.folder import Listing, list_images
from headstart.data.folder_tree import Tree
from headstart.data.layout import understand
from headstart.data.source import DataSource
from headstart.data.split_names import split_in
from headstart.errors import DatasetError
from support.recording import Recorder
from support.small_collections import collection, load, picture


def listed(root: Path, folders: list[str]) -> Listing:
    """A folder with three images in each of the folders below it, as it is listed."""
    collection(root, dict.fromkeys(folders, 3))
    return list_images(root)


def counts(listing: Listing) -> dict[str | None, set[str]]:
    """Split -> the classes there."""
    found: dict[str | None, set[str]] = {}
    for item in listing.items:
        found.setdefault(item.split, set()).add(item.label)
    return found


@pytest.mark.parametrize(("name", "split", "rest"), [
    ("train", "train", ()), ("Validation", "validation", ()), ("TEST", "test", ()), ("training_set", "train", ()),
    ("01_train", "train", ()), ("train2017", "train", ()), ("Train_Data", "train", ()), ("TrainImages", "train", ()),
    ("testset", "test", ()), ("dev", "validation", ()), ("eval", "validation", ()), ("testing", "test", ()),
    ("seg_train", "train", ("seg",)), ("asl_alphabet_test", "test", ("asl", "alphabet")), ("trainval", "train", ()),
    ("train_images", "train", ()), ("validação", "validation", ()), ("my-test-photos", "test", ()),
    ("trainer", None, ()), ("contest", None, ()), ("latest", None, ()), ("validity", None, ()),
    ("train_test", None, ()), ("devon", None, ()), ("", None, ()), ("猫", None, ()),
])  # fmt: skip
def test_split_words_are_found_in_names(name, split, rest):
    found = split_in(name)
    assert (found.split, found.rest) == (split, rest) if found else split is None


@given(st.text(max_size=12))
def test_any_name_is_read(name):
    found = split_in(name)
    assert found is None or found.split in ("train", "validation", "test")


@pytest.mark.parametrize(("train", "held_out", "split"), [
    ("seg_train", "seg_test", "test"),
    ("seg_train/seg_train", "seg_test/seg_test", "test"),
    ("asl_alphabet_train/asl_alphabet_train", "asl_alphabet_test/asl_alphabet_test", "test"),
    ("training_set/training_set", "test_set/test_set", "test"),
    ("train_images", "test_images", "test"),
    ("train/images", "test/images", "test"),
    ("train/images", "test", "test"),
    ("train/photos of june", "test/photos of july", "test"),
    ("train/whatever", "test", "test"),
    ("data/train", "data/test", "test"),
    ("archive/data/Train", "archive/data/Valid", "validation"),
    ("train", "dev", "validation"),
    ("train", "eval", "validation"),
    ("training", "testing", "test"),
    ("01_train", "02_val", "validation"),
    ("TrainData", "ValidationData", "validation"),
    ("my_train", "kaggle_test", "test"),
    ("train2017", "val2017", "validation"),
    ("training/train", "training/test", "test"),
    ("test project/train", "test project/test", "test"),
])  # fmt: skip
def test_split_folders_are_known_and_wrappers_looked_through(tmp_path, train, held_out, split):
    folders = [f"{part}/{name}" for part in (train, held_out) for name in ("cats", "dogs")]
    listing = listed(tmp_path / "p", folders)
    assert counts(listing) == {"train": {"cats", "dogs"}, split: {"cats", "dogs"}}
    assert "each with the same 2 class folders (cats and dogs)" in listing.layout


def test_a_split_may_lack_classes(tmp_path):
    listing = listed(tmp_path / "p", ["train/cats", "train/dogs", "test/cats"])
    assert counts(listing) == {"train": {"cats", "dogs"}, "test": {"cats"}}
    listing = listed(tmp_path / "q", ["train/images/cats", "train/images/dogs", "test/images/cats"])
    assert counts(listing) == {"train": {"cats", "dogs"}, "test": {"cats"}}


@pytest.mark.parametrize(
    "unlabelled", ["test", "test/test", "test/unknown", "test1/test1", "seg_pred/seg_pred", "pred"]
)
def test_photos_to_be_answered_are_no_class(tmp_path, unlabelled):
    """As competitions have them: their class is to be found out."""
    listing = listed(tmp_path / "p", ["seg_train/cats", "seg_train/dogs", "seg_test/cats", "seg_test/dogs", unlabelled])
    if unlabelled.startswith("test"):
        listing = listed(tmp_path / "q", ["train/cats", "train/dogs", unlabelled])
    assert {item.label for item in listing.items} == {"cats", "dogs"}
    assert any("3 images outside any class folder are left out" in note for note in listing.notes)


@pytest.mark.parametrize("folders", [
    ["bullet train", "bus"],
    ["freight_train", "passenger_train"],
    ["test tube", "training shoe"],
    ["crash_test/usa", "freight_train/japan"],
    ["steam_train/small", "bus/large"],
    ["valid", "invalid"],
    ["control", "test"],
    ["unknown", "cats"],
    ["cats/images", "dogs/images"],
    ["dogs/beagle", "dogs/poodle", "cats/siamese"],
    ["sick/patient1", "sick/patient2", "well/patient3", "well/patient4"],
])  # fmt: skip
def test_classes_that_are_called_like_something_else_stay_classes(tmp_path, folders):
    listing = listed(tmp_path / "p", folders)
    assert {item.label for item in listing.items} == {folder.split("/")[0] for folder in folders}
    assert {item.split for item in listing.items} == {None}


def test_splits_inside_of_the_class_folders(tmp_path):
    folders = [f"{name}/{split}" for name in ("cats", "dogs") for split in ("train", "val")]
    listing = listed(tmp_path / "p", folders)
    assert counts(listing) == {"train": {"cats", "dogs"}, "validation": {"cats", "dogs"}}
    assert listing.layout == "2 class folders (cats and dogs), each with its own split folders"


@pytest.mark.parametrize("top", ["p", "copy", "Cats and dogs"])
def test_a_collection_that_holds_a_copy_of_itself(tmp_path, top):
    root = collection(tmp_path / "p", {"cats": 3, "dogs": 3})
    for path in sorted(root.rglob("*.png")):
        picture(root / top / path.relative_to(root), int(path.stem))
    listing = list_images(root)
    assert len(listing.items) == 6
    assert f"'{top}' holds the images of the folders beside it once more, and is left out" in listing.notes
    picture(root / top / "cats" / "new.png", 99)
    with pytest.raises(DatasetError, match=r"folders with the names of those beside it \('cats' and 'dogs'\)"):
        list_images(root)


def test_a_copy_of_a_collection_with_splits_is_left_out(tmp_path):
    root = collection(tmp_path / "p", {f"{split}/{name}": 2 for split in ("train", "test") for name in "ab"})
    for path in sorted(root.rglob("*.png")):
        picture(root / "p" / path.relative_to(root), int(path.stem))
    assert counts(list_images(root)) == {"train": {"a", "b"}, "test": {"a", "b"}}


@pytest.mark.parametrize(("collected", "flat"), [
    ("Garbage classification", "images"), ("Garbage classification", "other"), ("garbage", "test"), ("data", "old"),
    ("garbage", "unlabelled photos"),
])  # fmt: skip
def test_where_a_collection_lies_beside_a_flat_folder_it_is_asked(tmp_path, collected, flat):
    root = collection(tmp_path / "p", {f"{collected}/{name}": 3 for name in ("glass", "metal", "paper")} | {flat: 3})
    with pytest.raises(DatasetError, match=r"'glass', 'metal' and 'paper'\. Which are the classes\?.*--class-level 2"):
        list_images(root)
    listing = list_images(hs.DataSource(root, class_level=2))
    assert counts(listing)[None] == {"glass", "metal", "paper"}
    assert any("3 images outside any class folder" in note for note in listing.notes)


def test_a_class_may_be_divided(tmp_path):
    root = collection(tmp_path / "p", {"dogs/beagle": 3, "dogs/poodle": 3, "cats": 3})
    assert counts(list_images(root))[None] == {"dogs", "cats"}


def test_where_all_classes_hold_the_same_folders_it_is_asked(tmp_path):
    cameras = [f"camera{number}/{name}" for number in range(3) for name in ("cats", "dogs")]
    root = tmp_path / "p"
    with pytest.raises(
        DatasetError, match=r"names: 'cats' and 'dogs'.*-level 1 .*'camera0'.*-level 2 if they are 'cats'"
    ):
        listed(root, cameras)
    assert counts(list_images(DataSource(root, class_level=2))) == {None: {"cats", "dogs"}}
    assert counts(list_images(DataSource(root, class_level=1))) == {None: {"camera0", "camera1", "camera2"}}
    with pytest.raises(DatasetError, match=r"'north' and 'south' .*-level 2 .*-level 3 if they are 'cats'"):
        listed(tmp_path / "q", [f"{split}/{site}/{name}" for split in ("train", "val")
                                for site in ("north", "south") for name in ("cats", "dogs")])  # fmt: skip
    with pytest.raises(DatasetError, match="Which are the classes"):
        listed(tmp_path / "r", ["p1/healthy", "p1/ill", "p2/healthy", "p3/ill", "p3/healthy"])


@pytest.mark.parametrize("beside", [["docs"], ["raw/cats", "raw/dogs"], ["B/train/cats", "B/test/cats"]])
def test_split_folders_inside_of_what_would_be_a_class_are_asked_about(tmp_path, beside):
    folders = [f"A/{split}/{name}" for split in ("train", "test") for name in ("cats", "dogs")]
    with pytest.raises(DatasetError, match=r"the split folders 'test' and 'train' in 'A'.*DATA .'.*/A'.*-level 3"):
        listed(tmp_path / "p", folders + beside)
    assert counts(list_images(tmp_path / "p" / "A")) == {"train": {"cats", "dogs"}, "test": {"cats", "dogs"}}


def test_images_and_masks_are_no_classes(tmp_path):
    with pytest.raises(DatasetError, match=r"'images' and 'masks': images and their masks"):
        listed(tmp_path / "p", ["images", "masks"])
    with pytest.raises(DatasetError, match=r"one label for a whole photo"):
        listed(tmp_path / "q", ["train/images", "train/labels", "val/images", "val/labels"])
    assert len(listed(tmp_path / "r", ["mask", "no mask"]).items) == 6


def test_dates_below_a_class_belong_to_it(tmp_path):
    folders = [f"{name}/2024-0{month}" for name in ("cats", "dogs") for month in (1, 2, 3)]
    assert counts(listed(tmp_path / "p", folders)) == {None: {"cats", "dogs"}}
    assert counts(listed(tmp_path / "q", ["cats/2023", "cats/2024"])) == {None: {"cats"}}
    assert counts(listed(tmp_path / "r", ["test/cats/2023", "test/cats/2024"])) == {"test": {"cats"}}


def test_class_level_keeps_the_splits_above(tmp_path):
    folders = [f"{split}/{site}/{name}" for split in ("train", "val") for site in ("n", "s") for name in ("a", "b")]
    collection(tmp_path / "p", dict.fromkeys(folders, 2))
    listing = list_images(DataSource(tmp_path / "p", class_level=3))
    assert counts(listing) == {"train": {"a", "b"}, "validation": {"a", "b"}}
    assert listing.layout == "2 class folders (a and b) at level 3, with splits at level 1"


@pytest.mark.parametrize("level", [0, 3])
def test_a_level_without_folders_is_refused(tmp_path, level):
    collection(tmp_path / "p", {"a/x": 2, "b/x": 2})
    with pytest.raises(DatasetError, match=f"no images in folders at level {level}; expected 1 to 2"):
        list_images(DataSource(tmp_path / "p", class_level=level))


def test_the_layout_is_said_before_anything_else(tmp_path):
    listener = Recorder()
    folders = [f"archive/data/{split}/{name}" for split in ("train", "val", "test_set/test_set") for name in "abcdef"]
    hs.load_dataset(collection(tmp_path / "p", dict.fromkeys(folders, 2)), listener=listener)
    assert listener.lines[0] == (
        "Layout: train/, val/ (validation) and test_set/test_set/ (test), each with the same 6 class folders "
        "(a, b, c, d, e and f), inside 'archive/data'."
    )


def test_names_that_differ_in_what_nobody_sees_are_asked_about(tmp_path):
    for number, twins in enumerate([("dogs", "dogs "), ("dogs", " Dogs"), ("big dogs", "big  dogs"), ("a", "a\u200b")]):
        with pytest.raises(DatasetError, match="differ only in upper and lower case, or in spaces"):
            load(collection(tmp_path / str(number), dict.fromkeys(twins, 3)))


def test_folders_of_the_system_and_of_headstart_are_no_classes(tmp_path):
    root = collection(tmp_path / "p", {"a": 3, "b": 3, "$RECYCLE.BIN/a": 2, "System Volume Information": 1,
                                       "lost+found": 1, "__MACOSX/a": 2, "LOST.DIR": 1})  # fmt: skip
    assert list_images(root).notes == ()
    collection(root, {"run/plots": 2, "next.partial/plots": 2, "findings/pictures": 2, "a/why": 2}, start=50)
    for name in ("run/classifier.json", "findings/inspection.html", "a/why/.headstart-explanations"):
        (root / name).touch()
    listing = list_images(root)
    assert {item.label for item in listing.items} == {"a", "b"}
    assert len(listing.items) == 6
    for name, what in (("run", "a classifier"), ("next.partial", "an unfinished run"), ("findings", "an inspection"),
                       ("a/why", "a folder of explanations")):  # fmt: skip
        assert f"'{root / name}' is {what} that headstart wrote, and is left out" in listing.notes
    with pytest.raises(DatasetError, match="is a classifier that headstart wrote, no collection"):
        list_images(root / "run")


names = st.sampled_from(["train", "test", "val", "a", "b", "images", "seg_train", "seg_test", "2024-01", "x"])


@settings(max_examples=200)
@given(st.lists(st.lists(names, max_size=4).map(tuple), min_size=1, max_size=12))
def test_any_tree_is_understood_or_refused(folders):
    """Every image has the class of a folder that it is in, and a split is never a class beside another split."""
    tree = Tree(Path(), [(*folder, f"{number}.png") for number, folder in enumerate(folders)])
    try:
        layout = understand(tree, Path("p"))
    except DatasetError:
        return
    assert layout.places
    for folder, place in layout.places.items():
        assert place.label in folder
    labels = {place.label for place in layout.places.values()}
    splits = {found.split for label in labels if (found := split_in(label))}
    assert len(splits) < 2 or not all(map(split_in, labels))
