"""What the tests share: real images (the solar cells of `elpv-dataset`), and one small run that many look at."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

# Before headstart is imported: nothing is read from, or written to, the user's own cache. All workers share one.
os.environ["HEADSTART_CACHE"] = (
    os.environ["HEADSTART_CACHE"]
    if "PYTEST_XDIST_WORKER" in os.environ
    else tempfile.mkdtemp(prefix="headstart-test-cache-")
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.data.tables import read_listing
from support.serving import Service
from support.sizes import SMALL

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def pytest_sessionfinish() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["HEADSTART_CACHE"], ignore_errors=True)


@pytest.fixture(scope="session")
def solar_cells() -> Path:
    """A CSV of the 2,624 real images."""
    return get_solar_cells()


@pytest.fixture(scope="session")
def cells(solar_cells: Path) -> dict[str, list[Path]]:
    """The paths of the real images, by class."""
    by_class: dict[str, list[Path]] = {}
    for path, _, label, _ in read_listing(solar_cells):
        by_class.setdefault(label, []).append(path)
    return by_class


@pytest.fixture(scope="session")
def make_folder(cells: dict[str, list[Path]]):
    """make_folder(root, {"class": n, ...}) copies n real images into each class folder; odd classes get defects."""

    def make(root: Path, classes: dict[str, int], *, skip: int = 0) -> Path:
        sources = (cells["functional"], cells["defective"])
        taken = [skip, skip]
        for number, (name, count) in enumerate(classes.items()):
            folder = root / name
            folder.mkdir(parents=True, exist_ok=True)
            which = number % 2
            for path in sources[which][taken[which] : taken[which] + count]:
                shutil.copy(path, folder / path.name)
            taken[which] += count
        return root

    return make


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, make_folder) -> Path:
    """A folder of two class folders with 40 real images each."""
    return make_folder(tmp_path_factory.mktemp("photos") / "cells", {"defective": 40, "functional": 40})


@pytest.fixture(scope="session")
def recipe() -> hs.Recipe:
    """The tutorial's recipe with two epochs in each phase."""
    return hs.RECIPES["tutorial"].with_epochs(2)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, photos: Path, recipe: hs.Recipe) -> hs.Run:
    """A finished run on `photos`."""
    out = tmp_path_factory.mktemp("runs") / "cells"
    return hs.make_run(photos, out, recipe=recipe, image_size=SMALL, seed=3, listener=hs.Quiet())


@pytest.fixture(scope="session")
def classifier(run: hs.Run) -> hs.Classifier:
    return hs.load(run.folder)


@pytest.fixture(scope="session")
def service(run: hs.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of that run, and of a copy of it with other names for its classes, with small limits."""
    other = shutil.copytree(run.folder, tmp_path_factory.mktemp("other") / "run")
    card = json.loads((other / "classifier.json").read_text("utf-8"))
    (other / "classifier.json").write_text(json.dumps(card | {"class_names": ["broken", "whole"]}), "utf-8")
    limits = ("--max-megabytes", 1, "--max-megapixels", 4, "--max-files", 12)
    with Service(f"cells={run.folder}", f"other={other}", *limits) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def keras_home(tmp_path: Path) -> Iterator[Path]:
    from keras.src.backend import config  # Keras has no public way to move its cache in a running process

    before = config._KERAS_DIR
    config._KERAS_DIR = str(tmp_path / "keras")
    (tmp_path / "keras").mkdir()
    yield tmp_path / "keras"
    config._KERAS_DIR = before
