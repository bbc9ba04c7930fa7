"""URLs, patterns of URLs and shards -> the photos that are meant."""

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from headstart.data.image_arguments import images_among
from headstart.data.shard_images import images_in
from headstart.errors import DatasetError, LocationError
from headstart.storage import locations


@pytest.fixture
def root(tmp_path: Path) -> str:
    """memory://..., with photos, a hidden one, and files that are none."""
    url = f"memory://{tmp_path.name}"
    for name in (
        "new/a.jpg",
        "new/b.txt",
        "new/x/c.PNG",
        "new/x/y/d.jpg",
        "new/.trash/e.jpg",
        "new/Thumbs.db",
        "old/f.jpg",
    ):
        locations.write(f"{url}/{name}", b"")
    return url


def found(root: str, place: str) -> list[str]:
    return [image.removeprefix(f"{root}/") for image in images_among([f"{root}/{place}"])[0]]


@pytest.mark.parametrize(("place", "expected"), [
    ("new/a.jpg", ["new/a.jpg"]),
    ("new", ["new/a.jpg", "new/x/c.PNG", "new/x/y/d.jpg"]),
    ("new/", ["new/a.jpg", "new/x/c.PNG", "new/x/y/d.jpg"]),
    ("new/*.jpg", ["new/a.jpg"]),
    ("new/**/*.jpg", ["new/a.jpg", "new/x/y/d.jpg"]),
    ("new/**", ["new/a.jpg", "new/x/c.PNG", "new/x/y/d.jpg"]),
    ("new/*/*", ["new/x/c.PNG"]),
    ("*/?.jpg", []), ("n*/x/*", ["new/x/c.PNG"]), ("**/f.jpg", ["old/f.jpg"]),
])  # fmt: skip
def test_urls_folders_and_patterns(root, place, expected):
    if expected:
        assert found(root, place) == expected
    else:
        with pytest.raises(DatasetError, match="No image matches"):
            found(root, place)


def test_a_path_that_was_a_url_is_one_again(root):
    assert images_among([Path(f"{root}/new/a.jpg")])[0] == [f"{root}/new/a.jpg"]


def test_what_is_no_photo_is_noted(root):
    assert images_among([f"{root}/new"])[1] == ["files that headstart does not read are left out: 1 .txt"]


def test_secrets_are_refused():
    with pytest.raises(LocationError, match="holds a password, a key or a signature") as refused:
        images_among(["https://me:hidden@example.org/photos/"])
    assert "hidden" not in str(refused.value)


def test_the_photos_of_a_tar(tmp_path):
    shard = tmp_path / "new-000.tar"
    with tarfile.open(shard, "w") as tar:
        for name in ("a.jpg", "a.cls", "x/b.png", "x/.c.png"):
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    expected = [f"{shard}#a.jpg", f"{shard}#x/b.png"]
    assert images_in(str(shard)) == images_among([shard])[0] == expected
    assert images_among([expected[0]])[0] == [expected[0]], "a photo in a shard can be named"
    url = f"memory://{tmp_path.name}"
    locations.write(f"{url}/new-000.tar", shard.read_bytes())
    assert images_among([f"{url}/*.tar"])[0] == [f"{url}/new-000.tar#a.jpg", f"{url}/new-000.tar#x/b.png"]
    with pytest.raises(DatasetError, match="There is no image below"):
        images_among([url])


def test_the_rows_of_a_parquet_file(tmp_path):
    images, paths = tmp_path / "images.parquet", tmp_path / "paths.parquet"
    pq.write_table(pa.table({"image": [{"bytes": b"", "path": "a.jpg"}] * 11, "label": [0] * 11}), images)
    pq.write_table(pa.table({"label": ["x"] * 4, "path": ["a.jpg", "s3://b/c.jpg", None, "/d.jpg"]}), paths)
    assert images_in(str(images))[::10] == [f"{images}#00", f"{images}#10"]
    assert images_in(str(paths)) == [f"{tmp_path}/a.jpg", "s3://b/c.jpg", "/d.jpg"]
    pq.write_table(pa.table({"label": ["x"]}), paths)
    with pytest.raises(DatasetError, match=r"holds no photos. Expected a tar of image files, or a Parquet file"):
        images_in(str(paths))


def test_shards_that_cannot_be_opened(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.tar' cannot be opened: No such file"):
        images_among([tmp_path / "gone.tar"])
    (tmp_path / "words.tar").write_text("words")
    with pytest.raises(DatasetError, match=r"words\.tar' cannot be read as a tar"):
        images_among([tmp_path / "words.tar"])
