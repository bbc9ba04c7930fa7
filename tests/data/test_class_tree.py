"""Nested folders as a hierarchy of classes: which classes there are then, and what is asked or refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headstart as hs
from headstart.data.class_tree import check_class_tree, notes_on_class_tree, parents_of
from headstart.data.folder import Listing, list_images
from headstart.data.source import DataSource
from headstart.errors import DatasetError
from support.small_collections import collection, load, picture

BIRDS = ["birds/robin", "birds/wren", "cats/tabby", "cats/siamese"]


def listed(root: Path, folders: list[str]) -> Listing:
    collection(root, dict.fromkeys(folders, 3))
    return list_images(DataSource(root, hierarchy=True))


def classes(listing: Listing) -> set[str]:
    return {item.label for item in listing.items}


@pytest.mark.parametrize(("folders", "expected"), [
    (BIRDS, set(BIRDS)),
    ([*BIRDS, "trash"], {*BIRDS, "trash"}),
    (["a/b/c", "a/b/d", "a/e", "f"], {"a/b/c", "a/b/d", "a/e", "f"}),
    ([f"archive/photos/{name}" for name in BIRDS], set(BIRDS)),
    (["birds/robin/2024-05", "birds/robin/2024-06", "birds/wren", "cats"], {"birds/robin", "birds/wren", "cats"}),
    (["birds/robin", "birds/wren", "cats", "_other/streets"], {"birds/robin", "birds/wren", "cats", "_other"}),
    (["a/x", "a/y", "b/x", "b/y"], {"a/x", "a/y", "b/x", "b/y"}),
])  # fmt: skip
def test_a_class_is_named_by_all_folders_down_to_it(tmp_path, folders, expected):
    listing = listed(tmp_path / "p", folders)
    assert classes(listing) == expected
    assert f"; as a hierarchy, {len(expected)} classes: " in listing.layout
    assert {item.split for item in listing.items} == {None}


def test_splits_lie_above_the_tree(tmp_path):
    folders = [f"{split}/{name}" for split in ("train", "validation", "test") for name in [*BIRDS, "trash"]]
    listing = listed(tmp_path / "p", folders)
    assert classes(listing) == {*BIRDS, "trash"}
    assert {item.split for item in listing.items} == {"train", "validation", "test"}


def test_without_the_option_nothing_changes_but_it_is_named(tmp_path):
    root = collection(tmp_path / "p", dict.fromkeys(BIRDS, 3))
    listing = list_images(root)
    assert classes(listing) == {"birds", "cats"}
    assert [note for note in listing.notes if "such as 'birds/robin' to 'birds'" in note and "--hierarchy" in note]
    dated = collection(tmp_path / "q", {"cats/2024-05": 3, "cats/2024-06": 3, "dogs/images": 3})
    assert not [note for note in list_images(dated).notes if "--hierarchy" in note]
    with pytest.raises(DatasetError, match=r"Which are the classes\?.*Or --hierarchy if both are"):
        list_images(collection(tmp_path / "r", dict.fromkeys(["a/x", "a/y", "b/x", "b/y"], 3)))


def test_a_dataset_knows_its_tree(tmp_path):
    root = collection(tmp_path / "p", dict.fromkeys([*BIRDS, "trash"], 6))
    data = load(DataSource(root, hierarchy=True))
    assert data.hierarchy
    assert data.class_names == tuple(sorted([*BIRDS, "trash"]))
    assert not load(root).hierarchy


def test_a_table_names_classes_by_paths(tmp_path):
    root = collection(tmp_path / "p", dict.fromkeys("ab", 6))
    rows = [f"{path.relative_to(tmp_path)},birds/{path.parent.name}" for path in sorted(root.rglob("*.png"))]
    picture(tmp_path / "c" / "1.png", 1)
    picture(tmp_path / "c" / "2.png", 2)
    (tmp_path / "t.csv").write_text("\n".join(["path,label", *rows, "c/1.png,cats", "c/2.png,cats"]))
    listing = list_images(DataSource(tmp_path / "t.csv", hierarchy=True))
    assert classes(listing) == {"birds/a", "birds/b", "cats"}
    assert listing.hierarchy


def test_photos_in_a_folder_of_class_folders_are_refused(tmp_path):
    root = collection(tmp_path / "p", dict.fromkeys([*BIRDS, "birds"], 6))
    with pytest.raises(
        DatasetError, match=r"6 photos are directly in 'birds', which also holds the classes 'birds/rob"
    ):
        load(DataSource(root, hierarchy=True))


def test_flat_folders_are_refused(tmp_path):
    root = collection(tmp_path / "p", {"cats": 6, "dogs": 6})
    with pytest.raises(DatasetError, match=r"the classes 'cats' and 'dogs', and none is in another.*Leave it out"):
        load(DataSource(root, hierarchy=True))


def test_one_level_cannot_be_both(tmp_path):
    root = collection(tmp_path / "p", dict.fromkeys(BIRDS, 3))
    with pytest.raises(DatasetError, match=r"--hierarchy .* and --class-level 2 .* were both given"):
        list_images(DataSource(root, hierarchy=True, class_level=2))


@pytest.mark.parametrize("name", ["birds//robin", "/robin", "birds/", "birds/ /robin"])
def test_a_path_without_a_name_is_refused(name):
    with pytest.raises(DatasetError, match="in which a name is empty"):
        check_class_tree({name: 3, "cats": 3}, "photos")


def test_what_may_surprise_is_noted(tmp_path):
    """One class alone in a parent; the same name in two parents."""
    listing = listed(tmp_path / "p", ["birds/robin", "cats/young", "cats/old", "dogs/young", "dogs/old"])
    assert any("'birds' holds one class only" in note for note in listing.notes)
    assert any("'cats/old' and 'dogs/old' are different classes, though" in note for note in listing.notes)
    assert any("; and 1 more names" in note for note in listing.notes)
    assert not notes_on_class_tree(BIRDS)


NAMES = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join), min_size=2, unique=True)


@given(NAMES)
def test_any_names_are_a_tree_or_are_refused(names):
    """Those of a tree are: there are parents, and no class is one."""
    parents = {parent for name in names for parent in parents_of(name)}
    if not parents or parents & set(names):
        with pytest.raises(DatasetError, match=r"none is in another|directly in"):
            check_class_tree(dict.fromkeys(names, 1), "photos")
    else:
        check_class_tree(dict.fromkeys(names, 1), "photos")


def test_the_source_says_it_only_where_it_was_said():
    assert "hierarchy" not in hs.DataSource("photos").settings()
    assert hs.DataSource("photos", hierarchy=True).settings() == {"hierarchy": True}
    assert hs.DataSource("photos", hierarchy=True).absolute().hierarchy
