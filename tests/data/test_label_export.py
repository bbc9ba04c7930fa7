"""Labels that are exported are a collection with the same labels; imported, they are what they were."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from headstart.data.corrections import EXCLUDED, Correction
from headstart.data.folder import list_images
from headstart.data.label_export import COPIES, CSV, LINKS, export_labels
from headstart.data.label_import import read_labels
from headstart.data.loading import Collection, read_collection, read_photos
from headstart.data.source import DataSource
from headstart.errors import CancelledError, DatasetError, RunError
from headstart.listeners.quiet import Quiet
from support.correcting import correct, journal_of
from support.recording import Recorder
from support.small_collections import QUIET, collection, picture, zipped


@pytest.fixture
def photos(tmp_path) -> Path:
    root = collection(tmp_path / "photos", {"cats": 6, "dogs": 6})
    picture(root / "cats" / "old" / "0.png", 500)  # another photo of the same name
    correct(root, ["1.png", "2.png"], "birds")
    correct(root, ["7.png"], EXCLUDED)
    return root


def read(data: Path | DataSource) -> Collection:
    return read_collection(list_images(data), QUIET)


def labels(found: Collection) -> Counter[tuple[str, str, str | None]]:
    return Counter((d, item.label, item.split) for d, item in zip(found.digests, found.items, strict=True))


@pytest.mark.parametrize("form", [CSV, LINKS, COPIES])
def test_what_is_exported_is_a_collection_with_the_same_labels(photos, tmp_path, form):
    before, content = read(photos), {path: path.read_bytes() for path in photos.rglob("*.png")}
    out = tmp_path / ("labels.csv" if form == CSV else "out")
    export_labels(before, out, form, QUIET)
    assert labels(read(out)) == labels(before)
    assert {path: path.read_bytes() for path in photos.rglob("*.png")} == content
    if form != CSV:
        assert all(path.is_symlink() == (form == LINKS) for path in out.rglob("*.png"))
        assert {path.name for path in out.iterdir()} == {"cats", "dogs", "birds"}


@pytest.mark.parametrize("form", [CSV, COPIES])
def test_splits_of_the_collection_are_exported(tmp_path, form):
    for name, start in (("train", 0), ("validation", 100), ("test", 200)):
        collection(tmp_path / "p" / name, {"cats": 3, "dogs": 3}, start)
    correct(tmp_path / "p", ["0.png", "200.png"], "dogs")
    out = tmp_path / ("labels.csv" if form == CSV else "out")
    export_labels(read(tmp_path / "p"), out, form, QUIET)
    assert labels(read(out)) == labels(read(tmp_path / "p"))


def test_a_csv_beside_the_photos_can_be_moved_with_them(photos, tmp_path):
    export_labels(read(photos), tmp_path / "labels.csv", CSV, QUIET)
    with (tmp_path / "labels.csv").open() as file:
        assert all(row["path"].startswith("photos/") for row in csv.DictReader(file))
    before = labels(read(photos))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    photos.rename(moved / "photos")
    (tmp_path / "labels.csv").rename(moved / "labels.csv")
    assert labels(read(moved / "labels.csv")) == before


def test_what_cannot_be_exported_is_refused_and_leaves_nothing(photos, tmp_path):
    found, before = read(photos), set(tmp_path.rglob("*"))
    for out, form, error, message in (
        (tmp_path / "x", "parquet", DatasetError, "Choose one of: csv, links, copies"),
        (tmp_path / "x", CSV, DatasetError, r"does not end in \.csv"),
        (photos / "out", COPIES, RunError, "where the photos are"),
        (photos, LINKS, RunError, "photos"),
        (Path("/proc/out"), COPIES, RunError, "cannot be written"),
    ):
        with pytest.raises(error, match=message):
            export_labels(found, out, form, QUIET)
    with pytest.raises(CancelledError):
        export_labels(found, tmp_path / "out", COPIES, Recorder(cancel_after=1))
    assert set(tmp_path.rglob("*")) == before


def test_classes_that_folders_cannot_hold_are_exported_as_a_csv(photos, tmp_path):
    """Classes "train" and "test" would be read as splits; "a/b" and "a_b" would be one folder."""
    correct(photos, [f"{number}.png" for number in range(12)], "test")
    journal_of(photos).record([Correction(d, "", "cats", "train") for d in read(photos).digests[:4]])
    with pytest.raises(DatasetError, match="--form csv"):
        export_labels(read(photos), tmp_path / "out", COPIES, QUIET)
    journal_of(photos).undo()
    journal_of(photos).undo()
    correct(photos, [f"{number}.png" for number in range(8, 12)], "a/b")
    correct(photos, ["3.png"], "a_b")
    with pytest.raises(DatasetError, match="--form csv"):
        export_labels(read(photos), tmp_path / "out", COPIES, QUIET)
    export_labels(read(photos), tmp_path / "out.csv", CSV, QUIET)
    assert labels(read(tmp_path / "out.csv")) == labels(read(photos))
    journal_of(photos).undo()
    listener = Recorder()
    export_labels(read(photos), tmp_path / "out", COPIES, listener)
    assert "Note: the folder of 'a/b' is called 'a_b'." in listener.lines


def test_links_cannot_lead_into_a_zip(photos, tmp_path):
    archive = zipped(photos, tmp_path / "photos.zip")
    with pytest.raises(DatasetError, match="--form copies"):
        export_labels(read(archive), tmp_path / "out", LINKS, QUIET)
    export_labels(read(archive), tmp_path / "out", COPIES, QUIET)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 13


def test_a_collection_without_labels_has_nothing_to_export(tmp_path):
    picture(tmp_path / "p" / "1.png")
    found = read_collection(list_images(tmp_path / "p", unlabelled=True), QUIET)
    with pytest.raises(DatasetError, match="nothing to export"):
        export_labels(found, tmp_path / "x.csv", CSV, QUIET)


def imported(table: Path, data: Path) -> tuple[int, int, int]:
    source = DataSource(data)
    photos, _ = read_photos(list_images(source, unlabelled=True), Quiet())
    found = read_labels(table, photos, journal_of(data).labels, source)
    journal_of(data).record(found.corrections)
    return len(found.corrections), found.same, found.unknown


def test_exported_labels_are_imported_again(photos, tmp_path):
    before = labels(read(photos))
    export_labels(read(photos), tmp_path / "labels.csv", CSV, QUIET)
    assert imported(tmp_path / "labels.csv", photos) == (0, 12, 0)
    (tmp_path / "photos.headstart.db").unlink()
    assert imported(tmp_path / "labels.csv", photos) == (2, 10, 0)
    correct(photos, ["7.png"], EXCLUDED)
    assert labels(read(photos)) == before


def test_paths_start_from_the_csv_or_from_the_collection(photos, tmp_path):
    (tmp_path / "notes").mkdir()
    table = tmp_path / "notes" / "labels.csv"
    table.write_text("file,class\ncats/3.png,fish\ndogs/8.png,dogs\n")
    assert imported(table, photos) == (1, 1, 0)
    for number, name in enumerate(("a.png", "b.png")):
        picture(tmp_path / "notes" / name, 900 + number)
    table.write_text("file,class\n../photos/cats/4.png,fish\na.png,fish\nb.png,fish\n")
    assert imported(table, photos) == (1, 0, 2)
    assert Counter(item.label for item in read(photos).items)["fish"] == 2
    table.write_text("file,class\na.png,fish\n")
    with pytest.raises(DatasetError, match=r"None of the 1 photos.*such as 'a\.png'"):
        imported(table, photos)
    table.write_text("file,class\nnowhere.png,fish\n")
    with pytest.raises(DatasetError, match="no such file"):
        imported(table, photos)


def test_photos_without_labels_get_them_from_a_csv(tmp_path):
    for number in range(6):
        picture(tmp_path / "p" / f"{number}.png", number)
    table = tmp_path / "labels.csv"
    table.write_text("path,label\n" + "".join(f"p/{n}.png,{'ab'[n % 2]}\n" for n in range(4)))
    assert imported(table, tmp_path / "p") == (4, 0, 0)
    assert Counter(item.label for item in read(tmp_path / "p").items) == {"a": 2, "b": 2}


def test_a_photo_that_is_reached_by_a_link_is_the_same(photos, tmp_path):
    (tmp_path / "link").symlink_to(photos)
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nlink/cats/3.png,fish\n")
    assert imported(table, photos) == (1, 0, 0)
