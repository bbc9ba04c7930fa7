"""A collection at a URL is the collection in a folder: the same layouts, labels, splits, answers, and checks."""

import shutil
from pathlib import Path

import pytest

import headstart as hs
from headstart.commands.labels import labels
from headstart.data import loading
from headstart.data.corrections_file import corrections_file
from headstart.data.folder import list_images
from headstart.errors import DatasetError, ImageError, LocationError, RunError
from headstart.storage import locations
from headstart.storage.filesystems import filesystem
from headstart.storage.locations import delete, read, write

SMALL_CLASSES = {"cell one": 6, "two": 6}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def few(make_folder, tmp_path):
    return make_folder(tmp_path / "few", SMALL_CLASSES)


@pytest.fixture
def at(object_store, tmp_path):
    """at(folder): the URL of a copy of it in the object store."""
    return lambda folder: object_store.put_folder(folder, f"{tmp_path.name}/{folder.name}")


def rows(dataset, root):
    """As in splits.csv, with paths below the root."""
    return [(path.removeprefix(f"{root}/"), *rest) for path, *rest in dataset.rows()]


def load(source, **settings):
    return hs.load_dataset(hs.DataSource(source, **settings), listener=hs.Quiet())


@pytest.mark.parametrize("splits", [(), ("train", "test"), ("wrapper/train", "wrapper/validation")])
def test_a_url_is_read_as_the_folder_is(make_folder, tmp_path, at, splits):
    root = tmp_path / "photos"
    for number, split in enumerate(splits or ("",)):
        make_folder(root / split, SMALL_CLASSES, skip=6 * number)
    (root / ".hidden").mkdir()
    (root / ".hidden" / "x.jpg").write_bytes(b"no photo")
    (root / "notes.txt").write_text("no photo")
    url = at(root)
    here, there = load(root), load(url)
    assert rows(there, url) == rows(here, root)
    assert there.notes == here.notes
    assert any("1 .txt" in note for note in there.notes)


def test_what_headstart_wrote_beside_the_photos_is_left_out(few, at):
    (few / "run" / "plots").mkdir(parents=True)
    (few / "run" / "classifier.json").write_text("{}")
    shutil.copy(next((few / "two").iterdir()), few / "run" / "plots" / "a.png")
    url = at(few)
    listing = list_images(hs.DataSource(url))
    assert {item.label for item in listing.items} == set(SMALL_CLASSES)
    assert f"'{url}/run' is a classifier that headstart wrote, and is left out" in listing.notes


def test_what_was_read_is_not_fetched_again(few, at, monkeypatch):
    url = at(few)
    first = load(url)
    fetched = []
    read_object = locations.read_object
    monkeypatch.setattr(
        locations, "read_object", lambda opened, path: fetched.append(f"s3://{path}") or read_object(opened, path)
    )
    assert load(url).rows() == first.rows()
    assert fetched == []
    changed, other = first.train.paths[:2]
    write(changed, read(other))
    fetched.clear()
    again = load(url)
    assert fetched == [changed]
    assert (
        dict(zip(again.train.paths, again.train.digests, strict=True)).get(changed, first.train.digests[1])
        == (first.train.digests[1])
    )


def test_photos_that_vanish_or_are_broken_are_named(make_folder, tmp_path, at, monkeypatch):
    url = at(make_folder(tmp_path / "many", {"a": 20, "b": 20}))
    listing = list_images(hs.DataSource(url))
    gone, broken = (str(item.path) for item in (listing.items[3], listing.items[30]))
    delete(gone)
    write(broken, b"\xff\xd8\xff and no more")
    collection = loading.collect(listing, hs.Quiet())
    assert len(collection.items) == 38
    reasons = {file.path: file.reason for file in collection.unreadable}
    assert reasons.keys() == {gone, broken}
    assert reasons[gone] == "cannot be opened: there is no such object"
    assert "damaged" in reasons[broken]
    for item in listing.items[4:9]:
        delete(str(item.path))
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))  # else what was read counts, as it was listed
    with pytest.raises(DatasetError, match="7 of 40 files"):
        loading.collect(listing, hs.Quiet())


def test_a_photo_that_changes_after_it_was_read_is_not_used(few, at):
    dataset = load(at(few))
    path, digest = dataset.train.paths[0], dataset.train.digests[0]
    write(path, read(dataset.train.paths[1]))
    from headstart.data.images import read_again

    with pytest.raises(ImageError, match="has other content now"):
        read_again(path, 32, digest=digest)


def test_a_store_that_fails_ends_the_reading_and_loses_no_photo_in_silence(few, at, monkeypatch):
    url = at(few)
    opened, _ = filesystem(url)

    def refused(*_, **__):
        error = PermissionError("expired")
        error.response = {"Error": {"Code": "ExpiredToken"}}  # pyright: ignore[reportAttributeAccessIssue]
        raise error

    listing = list_images(hs.DataSource(url))
    monkeypatch.setattr(opened, "cat_file", refused)
    monkeypatch.setattr(locations, "read_object", lambda *_: None)  # it could not read either
    with pytest.raises(LocationError, match="ExpiredToken"):
        loading.collect(listing, hs.Quiet())


@pytest.mark.parametrize(("url", "words"), [
    ("s3://no-such-bucket/photos", "no such bucket"), ("s3://bucket/no-such", "does not exist"),
    ("memory://no-such", "does not exist"), ("s3://bucket/none.zip", "does not exist"),
])  # fmt: skip
def test_urls_of_nothing(object_store, url, words):
    with pytest.raises(DatasetError, match=words):
        load(url)


def test_a_zip_at_a_url_is_unpacked_once(few, object_store, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    zipped = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", few))
    url = f"{object_store.url}/{tmp_path.name}/photos.zip"
    write(url, zipped.read_bytes())
    first = load(url)
    assert [row[1:] for row in first.rows()] == [row[1:] for row in load(zipped).rows()]
    with object_store.requests() as requests:
        assert load(url).rows() == first.rows()
    assert not any("GET" in line for line in requests), "it is not fetched again"
    write(f"{url}.zip", zipped.read_bytes()[:-200])
    with pytest.raises(DatasetError, match="damaged zip"):
        load(f"{url}.zip")


def test_a_damaged_tar_at_a_url_is_no_fault_of_the_store(object_store, tmp_path):
    url = f"{object_store.url}/{tmp_path.name}/photos.tar"
    write(url, b"no tar at all" * 100)
    with pytest.raises(DatasetError, match="cannot be read as a tar"):
        load(url)


# Tables of URLs


def urls_of(folder, url):
    return [(f"{url}/{path.relative_to(folder).as_posix()}", path.parent.name) for path in sorted(folder.glob("*/*"))]


@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("form", ["csv", "relative.csv", "parquet"])
def test_tables_of_urls(few, at, tmp_path, form, where):
    import pyarrow as pa
    from pyarrow import parquet

    url = at(few)
    listed = urls_of(few, url)
    if form == "relative.csv":
        listed = [(path.removeprefix(f"{url}/"), label) for path, label in listed]
    file = (tmp_path if form != "relative.csv" else few) / f"table.{form.rpartition('.')[2]}"
    if form == "parquet":
        urls, names = zip(*listed, strict=True)
        parquet.write_table(pa.table({"image_url": urls, "label": names}), file)
    else:
        file.write_text("path,label\n" + "".join(f"{path},{label}\n" for path, label in listed))
    data = f"{url}/{file.name}" if where == "there" else str(file)
    if where == "there":
        write(data, file.read_bytes())
    root = few if (form, where) == ("relative.csv", "here") else url
    table, folder = load(data), load(few)
    assert {row[:2] + row[3:] for row in rows(table, root)} == {row[:2] + row[3:] for row in rows(folder, few)}


def test_secrets_in_a_table_are_refused_and_not_told(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("path,label\nhttps://host/a.jpg?X-Amz-Signature=geheim,a\nhttps://host/b.jpg,b\n")
    with pytest.raises(LocationError, match="environment") as caught:
        load(table)
    assert "geheim" not in str(caught.value)


def test_labels_of_a_url_are_corrected_in_the_users_folder(few, at, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    source = hs.DataSource(at(few))
    file = corrections_file(source)
    assert file is not None
    assert file.is_relative_to(tmp_path / "own")
    photo = next(item for item in list_images(source).items if item.label == "two")
    table = tmp_path / "own.csv"
    table.write_text(f"path,label\n{photo.path},cell one\n")
    labels(source, table=table, listener=hs.Quiet())
    counts = {label: sum(row[1] == label for row in load(source.path).rows()) for label in SMALL_CLASSES}
    assert counts == {"cell one": 7, "two": 5}
    labels(source, export=tmp_path / "copies", form="copies", listener=hs.Quiet())
    assert len(list((tmp_path / "copies" / "cell one").iterdir())) == 7
    with pytest.raises(DatasetError, match="copies"):
        labels(source, export=tmp_path / "links", form="links", listener=hs.Quiet())


def test_a_studio_is_for_photos_on_this_machine(object_store):
    with pytest.raises(DatasetError, match="at a URL"):
        _ = hs.DataSource("s3://bucket/photos").local_path


def test_a_run_may_lie_anywhere_where_photos_are_at_a_url(tmp_path, few, at):
    from headstart.data.own_output import check_outside

    check_outside(few / "run", at(few))
    with pytest.raises(RunError):
        check_outside(few / "run", few)
