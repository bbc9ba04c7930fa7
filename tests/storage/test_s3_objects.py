"""Objects of S3 are read by obstore, with what s3fs knows of the store; and as s3fs reads them."""

import pytest

from headstart.storage import s3_objects
from headstart.storage.filesystems import filesystem
from headstart.storage.locations import read, read_ahead, write

pytestmark = pytest.mark.process


@pytest.fixture
def opened(object_store):
    return filesystem(object_store.url)[0]


def test_an_object_is_what_s3fs_reads(object_store, opened):
    name = "odd names/ä + %20 #.jpg".replace("#", "=")
    write(f"{object_store.url}/{name}", b"\0photo" * 10_000)
    found = s3_objects.read_object(opened, f"bucket/{name}")
    assert found == opened.cat_file(f"bucket/{name}") == b"\0photo" * 10_000


def test_without_obstore_nothing_changes_but_the_time(object_store, opened, monkeypatch):
    places = [f"{object_store.url}/same/{number}" for number in range(5)]
    for number, place in enumerate(places):
        write(place, bytes([number]) * 1_000)
    found = list(read_ahead(places))
    monkeypatch.setattr(s3_objects, "HAS_OBSTORE", False)
    assert s3_objects.read_object(opened, "bucket/same/0") is None
    assert [read(place) for place in places] == found == [bytes([number]) * 1_000 for number in range(5)]


@pytest.mark.parametrize("path", ["bucket/no-such-key", "no-such-bucket/key"])
def test_what_cannot_be_read_is_left_to_s3fs(object_store, opened, path):
    assert s3_objects.read_object(opened, path) is None
    with pytest.raises(FileNotFoundError):
        opened.cat_file(path)


def test_credentials_are_those_of_s3fs(object_store, opened):
    found = s3_objects._Credentials(opened)()
    assert (found["access_key_id"], found["secret_access_key"], found["token"]) == ("testing", "testing", None)
