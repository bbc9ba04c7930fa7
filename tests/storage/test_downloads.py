"""Downloads, against a local server and a port where none listens: cache, damage, and no network."""

import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import headstart as hs
from headstart.data import samples
from headstart.errors import DatasetError, DownloadError, MissingExtraError, WeightsError
from headstart.models.weights import load_base

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on loopback, and the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, format, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}", folder
        httpd.shutdown()


def photos_zip(file: Path, make_folder, tmp_path: Path, count: int = 3) -> Path:
    root = make_folder(tmp_path / f"photos{count}", {"train/cats": count, "train/dogs": count})
    with zipfile.ZipFile(file, "w") as archive:
        for path in root.rglob("*.png"):
            archive.write(path, path.relative_to(root.parent))
    return file


def test_download_is_counted_unpacked_and_kept(server, keras_home, make_folder, tmp_path, capsys):
    url, folder = server
    photos_zip(folder / "cats.zip", make_folder, tmp_path)
    path = samples.get_cats_and_dogs(url=f"{url}/cats.zip", count=6)
    assert len(hs.load_dataset(path, listener=hs.Quiet())) == 6
    (folder / "cats.zip").unlink()  # the second time it comes from the cache
    assert samples.get_cats_and_dogs(url=f"{url}/cats.zip", count=6) == path
    output = capsys.readouterr()
    assert output.out == "", "standard output is for results"
    assert f"Downloading {url}/cats.zip" in output.err
    assert len(output.err.splitlines()) == 2, "no progress bar where there is no terminal"


def test_download_that_was_cut_short_is_fetched_again(server, keras_home, make_folder, tmp_path):
    url, folder = server
    archive = photos_zip(folder / "cats.zip", make_folder, tmp_path)
    (keras_home / "datasets").mkdir(parents=True)
    (keras_home / "datasets" / "cats.zip").write_bytes(archive.read_bytes()[:1000])
    path = samples.get_cats_and_dogs(url=f"{url}/cats.zip", count=6)
    assert len(list(path.rglob("*.png"))) == 6


def test_download_of_something_else_is_refused(server, keras_home, make_folder, tmp_path):
    url, folder = server
    photos_zip(folder / "few.zip", make_folder, tmp_path, count=2)
    (folder / "page.zip").write_text("<html>Please log in</html>")
    for name in ("few.zip", "page.zip"):
        with pytest.raises(DownloadError, match=r"gave something other than a zip of 3,000 photos"):
            samples.get_cats_and_dogs(url=f"{url}/{name}")


def test_a_damaged_archive_in_the_cache_is_fetched_again(server, keras_home, make_folder, tmp_path):
    url, folder = server
    archive = photos_zip(folder / "cats.zip", make_folder, tmp_path)
    data = bytearray(archive.read_bytes())
    data[200:260] = b"\0" * 60  # in the middle of an image: the table of contents is whole
    (keras_home / "datasets").mkdir(parents=True)
    (keras_home / "datasets" / "cats.zip").write_bytes(data)
    path = samples.get_cats_and_dogs(url=f"{url}/cats.zip", count=6)
    assert len(hs.load_dataset(path, listener=hs.Quiet())) == 6


def test_download_with_a_path_that_leaves_it(server, keras_home, tmp_path):
    url, folder = server
    with zipfile.ZipFile(folder / "evil.zip", "w") as archive:
        archive.writestr("../../evil.png", b"x")
    with pytest.raises(DatasetError, match="points outside of the archive"):
        samples.get_cats_and_dogs(url=f"{url}/evil.zip", count=1)
    assert not list(tmp_path.rglob("evil.png"))


def test_no_network_is_said_in_one_line(server, keras_home):
    url, _ = server
    for address, reason in ((f"{NOBODY}/x.zip", "refused"), (f"{url}/missing.zip", "not found|404")):
        with pytest.raises(DownloadError, match=rf"(?i)could not be downloaded \(.*({reason})") as caught:
            samples.get_cats_and_dogs(url=address)
        assert "\n" not in str(caught.value)


def test_no_network_for_weights_names_both_ways_out(keras_home, monkeypatch):
    from keras.src.applications import mobilenet_v3

    monkeypatch.setattr(mobilenet_v3, "BASE_WEIGHT_PATH", f"{NOBODY}/")
    with pytest.raises(WeightsError, match=r"Connect to the internet once .* --weights FILE"):
        load_base("mobilenet_v3_small", 64)


def test_solar_cells(solar_cells):
    dataset = hs.load_dataset(solar_cells, listener=hs.Quiet())
    assert dataset.class_names == ("defective", "functional")
    labels = [label for _, label, _, _ in dataset.rows()]
    # the published table: 1,508 cells at probability 0 and 295 at 1/3; 106 at 2/3 and 715 at 1
    assert (labels.count("functional"), labels.count("defective")) == (1803, 821)
    assert len(dataset) == 2624
    assert dataset.unreadable == ()


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'headstart\[demo\]'"):
        samples.get_solar_cells()


def test_unknown_sample():
    with pytest.raises(DatasetError, match="Choose one of: cats-and-dogs, solar-cells"):
        hs.sample_path("birds")
