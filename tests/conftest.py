"""What the tests share: real images (the solar cells of `elpv-dataset`), one small run that many look at, a tiny base.

What takes long is made once for all workers of pytest-xdist (`support/sharing.py`). Nothing here imports Keras,
TensorFlow or a browser before a test asks for it.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from support.shapes import check_shapes
from support.sharing import finished, made_once

# Before headstart is imported: nothing is read from, or written to, the user's own cache. All workers share one.
os.environ["HEADSTART_CACHE"] = (
    os.environ["HEADSTART_CACHE"]
    if "PYTEST_XDIST_WORKER" in os.environ
    else tempfile.mkdtemp(prefix="headstart-test-cache-")
)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The workers keep the cores busy. A library's threads that wait for a core, and for each other, turn in circles.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(name, "1")

settings.register_profile("headstart", deadline=None)  # busy cores are slow, and no fault of an example
settings.load_profile("headstart")
check_shapes()

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.data.tables import read_listing
from headstart.models.backbones import BACKBONES, DEFAULT
from support import tiny as tiny_base
from support.recording import Recorder
from support.sizes import SMALL

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.object_store import ObjectStore
    from support.plain_keras import PlainKeras
    from support.serving import Service

FORTY = {"defective": 40, "functional": 40}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


# The markers that `make quick` leaves out, by where a test lies, by what it asks for, and by what it names itself.
# Where a test does these things by the hands of another function, a decorator says so.
MARKED_FOLDERS = {"export": "export", "serving": "service", "test_docs.py": "docs"}
MARKED_FIXTURES = {
    "browser": "browser", "cluster": "process", "plain_keras": "process", "service": "service",
    "cropped": "training", "fast_run": "training", "other_run": "training",
}  # fmt: skip
MARKED_NAMES = {"subprocess": "process", "train": "training", "make_run": "training"}
RUNS = {"run", "tiny_run"}


def pytest_collection_finish() -> None:
    gc.freeze()  # what is imported by now stays, and need not be looked through again and again


def pytest_sessionfinish() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["HEADSTART_CACHE"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Give each test its markers, and put those of one backbone behind each other, so that it is built once.

    Those that look at a shared run come first, so that one worker trains while the other does not wait for it.
    """
    tests = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(tests).parts[0]
        fixtures = getattr(item, "fixturenames", ())
        marks = {MARKED_FOLDERS.get(place), *(MARKED_FIXTURES.get(name) for name in fixtures)}
        marks |= {MARKED_NAMES.get(name) for name in _names(getattr(item.function, "__code__", None))}
        marks.add("backbones" if _backbone(item) not in (None, DEFAULT) else None)
        for mark in sorted(mark for mark in marks if mark):
            item.add_marker(mark)
    rows: dict[str | None, int] = {name: number for number, name in enumerate(BACKBONES)}
    items.sort(key=lambda item: (not RUNS & set(item.fixturenames), rows.get(_backbone(item), -1)))  # else as they were


def _names(code: object) -> set[str]:
    """The names that a function uses, and those that are defined in it."""
    if not isinstance(code, CodeType):
        return set()
    return set(code.co_names).union(*map(_names, code.co_consts))


def _backbone(item: pytest.Function) -> str | None:
    """The row of BACKBONES that a test is about, if it is about one."""
    callspec = getattr(item, "callspec", None)
    name = callspec.params.get("name") if callspec else None
    return name if name in BACKBONES else None


@pytest.fixture(scope="session")
def solar_cells() -> Path:
    """A CSV of the 2,624 real images."""
    return get_solar_cells()


@pytest.fixture(scope="session")
def cells(solar_cells: Path) -> dict[str, list[Path]]:
    """The paths of the real images, by class."""
    by_class: dict[str, list[Path]] = {}
    for row in read_listing(solar_cells).rows:
        by_class.setdefault(row.label, []).append(Path(str(row.path)))
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
    return made_once(tmp_path_factory, "photos", lambda root: make_folder(root / "cells", FORTY)) / "cells"


@pytest.fixture(scope="session")
def recipe() -> hs.Recipe:
    """The tutorial's recipe with two epochs in each phase."""
    return hs.RECIPES["tutorial"].with_epochs(2)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, photos: Path, recipe: hs.Recipe) -> hs.Run:
    """A finished run on `photos`. What was said meanwhile lies beside it."""

    def make(root: Path) -> None:
        listener = Recorder()
        hs.make_run(photos, root / "cells", recipe=recipe, image_size=SMALL, seed=3, listener=listener)
        (root / "said.txt").write_text("\n".join(listener.lines), "utf-8")

    return finished(made_once(tmp_path_factory, "runs", make) / "cells")


@pytest.fixture(scope="session")
def said(run: hs.Run) -> list[str]:
    """What that run told its listener, line by line."""
    return (run.folder.parent / "said.txt").read_text("utf-8").splitlines()


@pytest.fixture(scope="session")
def classifier(run: hs.Run) -> hs.Classifier:
    return hs.load(run.folder)


@pytest.fixture(scope="session")
def service(run: hs.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of that run, and of a copy of it with other names for its classes, with small limits."""
    from support.serving import Service

    other = shutil.copytree(run.folder, tmp_path_factory.mktemp("other") / "run")
    card = json.loads((other / "classifier.json").read_text("utf-8"))
    (other / "classifier.json").write_text(json.dumps(card | {"class_names": ["broken", "whole"]}), "utf-8")
    limits = ("--max-megabytes", 1, "--max-megapixels", 4, "--max-files", 12)
    with Service(f"cells={run.folder}", f"other={other}", *limits) as started:
        yield started


@pytest.fixture(scope="session")
def plain_keras() -> Iterator[PlainKeras]:
    """Keras in a process without headstart."""
    from support.plain_keras import PlainKeras

    started = PlainKeras()
    yield started
    started.stop()


# A tiny base


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_once(tmp_path_factory, "tiny", lambda root: tiny_base.write_weights(root / "tiny.weights.h5"))
    return folder / "tiny.weights.h5"


@pytest.fixture
def tiny(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a small base, much faster than MobileNetV2, in BACKBONES as long as a test lasts."""
    return tiny_base.register(monkeypatch, tiny_weights)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, photos: Path, recipe: hs.Recipe, tiny_weights: Path) -> hs.Run:
    """As `run`, of the tiny base. A test that opens it asks for `tiny`, too."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            name = tiny_base.register(patch, tiny_weights)
            settings = {"backbone": name, "image_size": tiny_base.SIZE, "seed": 3}
            hs.make_run(photos, root / "cells", recipe=recipe, listener=hs.Quiet(), **settings)

    return finished(made_once(tmp_path_factory, "tiny-runs", make) / "cells")


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A store on this machine, which s3:// leads to, see `support/object_store.py`."""
    from support.object_store import started

    with started() as found:
        yield found


@pytest.fixture(scope="session")
def running_cluster(object_store: ObjectStore) -> Iterator[Any]:
    """Its processes reach the object store as well."""
    from support.cluster import started

    with started() as found:
        yield found


@pytest.fixture
def cluster(running_cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of Ray on this machine, to which this process is connected, see `support/cluster.py`. No test waits for
    ever."""
    from support.cluster import WAITING, connected, within

    monkeypatch.setenv("RAY_ADDRESS", running_cluster.address)  # other workers of the tests have clusters of their own
    with within(5 * WAITING):
        connected(running_cluster)
        yield running_cluster


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    from keras.src.backend import config  # Keras has no public way to move its cache in a running process

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    before = config._KERAS_DIR
    config._KERAS_DIR = str(tmp_path / "keras")
    (tmp_path / "keras").mkdir()
    yield tmp_path / "keras"
    config._KERAS_DIR = before
