"""Collections whose labels the user has corrected: which labels count, which splits photos have, what is refused."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import headstart as hs
from headstart.data import corrections_file as places
from headstart.data.assignment import draw_splits
from headstart.data.corrections import EXCLUDED, OWN
from headstart.data.folder import list_images
from headstart.data.items import Item
from headstart.data.label_state import differing, state_id
from headstart.data.loading import Collection, load_images, read_collection
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from support.correcting import correct, journal_of
from support.small_collections import QUIET, collection, load, picture, split_of, zipped


@pytest.fixture
def photos(tmp_path) -> Path:
    return collection(tmp_path / "photos", {"cats": 20, "dogs": 20, "junk": 3})


def labels_of(dataset: hs.Dataset) -> dict[str, str]:
    """File name -> label."""
    return {Path(path).name: label for path, label, *_ in dataset.rows()}


def read(data: Path | DataSource) -> Collection:
    return read_collection(list_images(data), QUIET)


def test_the_corrected_labels_count_and_every_photo_keeps_its_split(photos):
    before = load(photos)
    correct(photos, ["0.png", "1.png"], "dogs")
    correct(photos, ["2.png"], EXCLUDED)
    correct(photos, ["40.png", "41.png", "42.png"], "kittens")
    after = load(photos)
    assert after.class_names == ("cats", "dogs", "kittens")
    wanted = (
        labels_of(before)
        | {"0.png": "dogs", "1.png": "dogs"}
        | dict.fromkeys(("40.png", "41.png", "42.png"), "kittens")
    )
    del wanted["2.png"]
    assert labels_of(after) == wanted
    splits = split_of(before)
    del splits["2.png"]
    assert split_of(after) == splits
    assert (after.labels.changed, after.labels.excluded, after.labels.step) == (5, 1, 3)
    assert any(f"labels {after.labels.state}" in note for note in after.notes)


def test_without_corrections_and_after_undoing_all_it_is_as_before(photos):
    before = load(photos)
    correct(photos, ["0.png"], "dogs")
    assert load(DataSource(photos, corrections=False)).rows() == before.rows()
    assert load(DataSource(photos, corrections=False)).labels.state == ""
    journal_of(photos).undo()
    again = load(photos)
    assert again.rows() == before.rows()
    assert again.labels.state == ""


def test_corrections_may_lie_elsewhere(photos, tmp_path):
    elsewhere = DataSource(photos, corrections=tmp_path / "mine" / "labels.db")
    correct(elsewhere, ["0.png"], "dogs")
    assert labels_of(load(elsewhere))["0.png"] == "dogs"
    assert labels_of(load(photos))["0.png"] == "cats"
    assert elsewhere.settings() == {"corrections": str(tmp_path / "mine" / "labels.db")}
    assert DataSource(photos).settings() == {}
    assert DataSource(photos, corrections=False).settings() == {"corrections": False}


CORRECTION = st.tuples(
    st.sets(st.integers(0, 22), min_size=1, max_size=6),
    st.sampled_from(["cats", "dogs", "birds", EXCLUDED, OWN]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(CORRECTION, min_size=1, max_size=4))
def test_no_correction_moves_a_photo_that_was_drawn_for_the_test(steps):
    """Nor any other, but where its class would have nothing to train on."""
    own = [
        Item(Path(f"{number}.png"), f"{number:02}.png", "dogs" if number % 2 else "cats", None) for number in range(23)
    ]
    groups = [number // 2 if number < 6 else number for number in range(23)]  # some copies
    before = draw_splits(own, groups, seed=0)
    labels = {number: label for numbers, label in steps for number in numbers if label != OWN}
    now = [
        Item(item.path, item.name, labels[number] or "", None, own=item.label)
        if labels.get(number, item.label) != item.label else item
        for number, item in enumerate(own)
    ]  # fmt: skip
    after = draw_splits(now, groups, seed=0)
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    for old, new in moved:
        assert new == "train"
        assert old in ("validation", "test")
    for label in {item.label for item in now} - {""}:
        assert any(item.label == label and split == "train" for item, split in zip(now, after, strict=True))
    for group in set(groups):
        assert len({split for split, each in zip(after, groups, strict=True) if each == group}) == 1


def test_splits_of_the_collection_are_kept(tmp_path):
    for name, start in (("train", 0), ("validation", 100), ("test", 200)):
        collection(tmp_path / "p" / name, {"cats": 6, "dogs": 6}, start)
    correct(tmp_path / "p", ["0.png", "100.png", "200.png"], "dogs")
    found = load(tmp_path / "p")
    assert {name: split_of(found)[name] for name in ("0.png", "100.png", "200.png")} == {
        "0.png": "train", "100.png": "validation", "200.png": "test",
    }  # fmt: skip
    assert any("1 test image has another label" in note for note in found.notes)


def test_a_merged_class_is_not_missed_and_a_last_one_is_refused(photos):
    correct(photos, ["40.png", "41.png", "42.png"], "cats")
    assert load(photos).class_names == ("cats", "dogs")
    correct(photos, [f"{number}.png" for number in range(20, 40)], "cats")
    with pytest.raises(DatasetError, match=r"one class, 'cats'.*headstart studio"):
        load(photos)
    correct(photos, ["0.png"], "birds")
    with pytest.raises(DatasetError, match=r"'birds'.*1 readable image"):
        load(photos)
    correct(photos, ["1.png", "2.png"], "Birds ")
    with pytest.raises(DatasetError, match="differ only in upper and lower case"):
        load(photos)


def test_copies_under_two_labels_get_one(photos):
    shutil.copy(photos / "cats" / "0.png", photos / "dogs" / "copy.png")
    correct(photos, ["0.png"], "dogs")
    assert {labels_of(load(photos))[name] for name in ("0.png", "copy.png")} == {"dogs"}
    assert load(photos).labels.changed == 1


def test_the_folder_changes_on_disk(photos):
    """Photos that are moved, renamed or copied keep their labels; one that is edited is another photo."""
    correct(photos, ["0.png", "1.png", "3.png", "4.png"], "dogs")
    state = load(photos).labels.state
    (photos / "cats" / "1.png").rename(photos / "cats" / "renamed.png")
    assert labels_of(load(photos))["renamed.png"] == "dogs"
    assert load(photos).labels.state == state
    (photos / "cats" / "0.png").rename(photos / "junk" / "0.png")
    assert labels_of(load(photos))["0.png"] == "dogs"
    picture(photos / "cats" / "3.png", 999)
    assert labels_of(load(photos))["3.png"] == "cats"
    (photos / "cats" / "4.png").unlink()
    found = load(photos)
    assert found.labels.changed == 2
    assert found.labels.state not in ("", state)
    (photos / "junk" / "0.png").rename(photos / "dogs" / "0.png")
    assert load(photos).labels.changed == 1, "the collection says now what the user said"


def test_of_a_zip_and_of_a_csv(photos, tmp_path):
    archive = zipped(photos, tmp_path / "photos.zip")
    correct(archive, ["0.png"], "dogs", root=photos)
    assert labels_of(load(archive))["0.png"] == "dogs"
    table = tmp_path / "list.csv"
    names = sorted(path.relative_to(tmp_path).as_posix() for path in photos.rglob("*.png"))
    table.write_text("path,label\n" + "".join(f"{name},{name.split('/')[1]}\n" for name in names))
    correct(table, ["0.png", "1.png"], "junk", root=photos)
    assert labels_of(load(table))["1.png"] == "junk"
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["list.csv.headstart.db", "photos.zip.headstart.db"]


def test_evaluation_and_inspection_read_the_same_labels(photos):
    correct(photos, ["0.png"], "junk")
    images, _ = load_images(photos, listener=QUIET)
    assert images.class_names[images.labels[[Path(path).name for path in images.paths].index("0.png")]] == "junk"
    assert "0.png" in [item.name.split("/")[1] for item in read(photos).items if item.label == "junk"]


def test_photos_without_labels_are_a_collection_once_some_are_labelled(tmp_path):
    loose = tmp_path / "loose"
    for number in range(120):
        picture(loose / f"{number:03}.png", number)
    with pytest.raises(DatasetError, match="no class folders"):
        load(loose)
    listing = list_images(loose, unlabelled=True)
    assert (len(listing.items), len(listing.unlabelled)) == (0, 120)
    correct(loose, ["000.png"], "a")
    with pytest.raises(DatasetError, match="one class, 'a'"):
        load(loose)
    correct(loose, ["001.png", "002.png", "003.png"], "a")
    correct(loose, ["004.png", "005.png", "006.png"], "b")
    few = load(loose)
    assert (len(few), few.labels.labelled, few.labels.unlabelled) == (7, 7, 113)
    for split in (few.train, few.validation):
        assert {split.class_names[label] for label in split.labels} == {"a", "b"}
    correct(loose, [f"{number:03}.png" for number in range(7, 110)], "a")
    many = load(loose)
    kept = [name for name, split in split_of(few).items() if split_of(many)[name] == split]
    assert len(kept) >= 5, "but where a class would have had nothing to validate on, each photo keeps its split"
    assert 0.5 < len(many.train) / len(many) < 0.9
    correct(loose, ["111.png", *kept[:1]], EXCLUDED)
    assert load(loose).labels.unlabelled == 9


def test_photos_beside_class_folders_are_labelled_too(photos):
    for number in range(5):
        picture(photos / f"new{number}.png", 500 + number)
    before = load(photos)
    assert any("5 images outside any class folder are left out" in note for note in before.notes)
    correct(photos, ["new0.png", "new1.png"], "cats")
    after = load(photos)
    assert len(after) == len(before) + 2
    splits = split_of(after)
    assert {name: splits[name] for name in split_of(before)} == split_of(before)
    assert any("3 photos without a label are left out" in note for note in after.notes)


def test_photos_that_are_labelled_beside_given_splits_are_trained_on(tmp_path):
    for name, start in (("train", 0), ("validation", 100), ("test", 200)):
        collection(tmp_path / "p" / name, {"cats": 6, "dogs": 6}, start)
    picture(tmp_path / "p" / "new.png", 900)
    correct(tmp_path / "p", ["new.png"], "dogs")
    assert split_of(load(tmp_path / "p"))["new.png"] == "train"


def test_patients_stay_together_where_photos_are_labelled(tmp_path):
    for number in range(60):
        picture(tmp_path / "p" / f"patient{number // 3}-{number}.png", number)
    source = DataSource(tmp_path / "p", group_by="(patient[0-9]+)")
    names = [path.name for path in (tmp_path / "p").iterdir()]
    correct(source, names[:30], "a")
    correct(source, names[30:], "b")
    sides: dict[str, set[str]] = {}
    for _, _, split, _, group in load(source).rows():
        sides.setdefault(group, set()).add(split)
    assert len(sides) == 20
    assert all(len(splits) == 1 for splits in sides.values())


def test_the_file_of_corrections_is_no_part_of_a_collection(photos):
    correct(photos / "cats", ["0.png"], "dogs")
    assert (photos / "cats.headstart.db").is_file()
    assert load(photos).notes == ()


def test_a_link_has_the_corrections_of_what_it_leads_to(photos, tmp_path, monkeypatch):
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(photos)
    correct(link, ["0.png"], "dogs")
    assert labels_of(load(photos))["0.png"] == "dogs"
    monkeypatch.chdir(photos)
    assert places.corrections_file(DataSource(".")) == tmp_path / "photos.headstart.db"


def test_beside_photos_where_nothing_can_be_written_they_are_the_users(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(places.os, "access", lambda path, mode: False)
    correct(photos, ["0.png"], "dogs")
    assert not list(tmp_path.glob("*.db"))
    [file] = (tmp_path / "home").rglob("*.headstart.db")
    assert file.name.startswith("photos-")
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    assert labels_of(load(photos))["0.png"] == "dogs", "also once it can be written there"
    shutil.copy(file, tmp_path / "photos.headstart.db")
    with pytest.raises(DatasetError, match=r"two files of corrected labels.*--corrections FILE"):
        load(photos)
    assert labels_of(load(DataSource(photos, corrections=file)))["0.png"] == "dogs"


def test_a_state_of_labels_has_one_name():
    labels = {"1": "a", "2": None, "3": "b", "4": "c"}
    own = {"1": "b", "2": "b", "3": "b", "5": "a"}
    found = differing(labels, list(own), list(own.values()))
    assert found == {("1", "a"), ("2", None)}
    assert state_id(found) == state_id([("2", None), ("1", "a"), ("1", "a")])
    assert len(state_id(found)) == 12
    assert state_id([]) == ""
    assert len({state_id([("1", label)]) for label in ("a", "b", "", None)}) == 4
