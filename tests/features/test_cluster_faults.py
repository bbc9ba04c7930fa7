"""What goes wrong on a cluster: lost machines, a killed driver, machines that do not suit, a store that is full."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import headstart as hs
from headstart import cluster as headstart_cluster
from headstart.cluster import check_machines
from headstart.errors import ClusterError, ImageError, MissingExtraError
from headstart.features.executors.ray import RayExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.features.store import digests_of
from support.cluster import LOG, add_node, slowly, wait_until, without_an_extra

SPEC = FeatureSpec("efficientnet_lite0", 32, depths=True)
DRIVER = """
import sys
import headstart as hs
import headstart.features.extractor as module
from headstart.features.executors.ray import RayExecutor
from support.cluster import slowly
from features.test_cluster_faults import SPEC
module.SHARD_IMAGES, module.compute_shard = 4, slowly
images, _ = hs.load_images(sys.argv[1], listener=hs.Quiet())
executor = RayExecutor(sys.argv[2], sys.argv[3])
module.FeatureExtractor(SPEC, listener=hs.Quiet(), executor=executor).features(images)
"""


@pytest.fixture
def images(photos: Path) -> hs.Split:
    return hs.load_images(photos, listener=hs.Quiet())[0]


@pytest.fixture
def here(images) -> np.ndarray:
    return FeatureExtractor(SPEC, listener=hs.Quiet()).features(images)[:]


@pytest.fixture
def small_tasks(monkeypatch):
    monkeypatch.setattr("headstart.features.extractor.SHARD_IMAGES", 4)
    monkeypatch.setattr("headstart.features.extractor.compute_shard", slowly)


def features(images: hs.Split, store: object, address: str = "ray") -> np.ndarray:
    executor = RayExecutor(address, str(store))
    return FeatureExtractor(SPEC, listener=hs.Quiet(), executor=executor).features(images)[:]


def shards(store: Path) -> list[Path]:
    return sorted(store.rglob("*.npy"))


def assert_each_image_once(store: Path, images: hs.Split) -> None:
    found = [digest for file in shards(store) for digest in digests_of(np.load(file))]
    assert sorted(found) == sorted(set(images.digests))


def test_machines_that_are_killed(cluster, images, here, small_tasks, tmp_path):
    """Three, at random moments: what they had is done again by others, and nothing is there twice."""
    nodes, rng = [add_node(cluster) for _ in range(3)], random.Random(5)
    moments = sorted(rng.randint(1, 15) for _ in nodes)

    def kill() -> None:
        for node, moment in zip(nodes, moments, strict=True):
            wait_until(lambda: len(shards(tmp_path)) >= moment)  # noqa: B023 - used before the next
            cluster.remove_node(node, allow_graceful=False)

    killer = Thread(target=kill)
    killer.start()
    found = features(images, tmp_path)
    killer.join()
    np.testing.assert_allclose(found, here, rtol=2e-3, atol=2e-3)
    assert_each_image_once(tmp_path, images)


@pytest.mark.process
def test_a_driver_that_is_killed(cluster, images, here, small_tasks, photos, tmp_path):
    """Started again, it goes on: only what each of the two cores was at is done twice, and nothing is there twice."""
    command = [sys.executable, "-c", DRIVER, photos, cluster.address, tmp_path]
    driver = subprocess.Popen([str(part) for part in command])
    wait_until(lambda: len(shards(tmp_path)) >= 3)
    driver.kill()
    driver.wait()
    time.sleep(1)  # for its tasks to end
    kept = len(shards(tmp_path))
    assert kept < 10
    np.testing.assert_allclose(features(images, tmp_path), here, rtol=2e-3, atol=2e-3)
    assert_each_image_once(tmp_path, images)
    [log] = tmp_path.rglob(LOG)
    times = Counter(log.read_text("utf-8").split())
    assert sum(times.values()) - len(times) <= 2 * 4
    assert len(shards(tmp_path)) == 20, "those that the first one made were used"


def test_a_store_at_a_url(cluster, images, here, tmp_path, monkeypatch):
    """Tasks write there, and what is needed is copied into the cache of the driver: once."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    url = (tmp_path / "store").as_uri()
    np.testing.assert_allclose(features(images, url), here, rtol=2e-3, atol=2e-3)
    assert_each_image_once(tmp_path / "store", images)
    assert [file.name for file in shards(tmp_path / "store")] == [file.name for file in shards(tmp_path / "cache")]
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))
    monkeypatch.setattr("headstart.features.extractor.compute_shard", None)  # nothing is computed
    np.testing.assert_allclose(features(images.take(range(40)), url), here[:40], rtol=2e-3, atol=2e-3)


def test_a_store_that_cannot_be_written(cluster, images, tmp_path):
    (tmp_path / "features").write_text("in the way", "utf-8")
    with pytest.raises(ClusterError, match=r"cannot be kept in the store .* \(Not a directory\).* --store"):
        features(images, tmp_path)


def test_an_image_that_changed_is_named(cluster, images, tmp_path):
    changed = tmp_path / "changed.png"
    changed.write_bytes(Path(images.paths[0]).read_bytes())
    wrong = hs.Split((str(changed),), images.labels[1:2], images.digests[1:2], images.class_names)
    with pytest.raises(ImageError, match=r"changed\.png"):
        features(wrong, tmp_path)


def test_machines_that_lack_something(cluster, monkeypatch):
    check_machines.cache_clear()
    with pytest.raises(ClusterError, match=r"do not suit: .* has no there-is-no-such-package.*pip install"):
        check_machines("ray", ("there-is-no-such-package",))
    with pytest.raises(ClusterError, match="does not see the folder '/nowhere'"):
        check_machines("ray", (), "/nowhere")
    monkeypatch.setattr(headstart_cluster, "version", lambda name: "0.0.1")
    with pytest.raises(ClusterError, match=r"has headstart .* \(here: 0.0.1\)"):
        check_machines("ray")
    check_machines.cache_clear()


def test_a_machine_without_an_extra_is_named(cluster):
    with pytest.raises(MissingExtraError, match=r"The machine '.+' of the cluster says: install it"):
        list(RayExecutor().map(without_an_extra, [1, 2]))


@pytest.mark.process
def test_another_version_of_ray(cluster):
    code = "import ray, sys; ray.__version__ = '2.1.0'; from headstart.cluster import connect; connect(sys.argv[1])"
    found = subprocess.run([sys.executable, "-c", code, cluster.address], capture_output=True, text=True, check=False)
    assert "ClusterError" in found.stderr
    assert "Version mismatch" in found.stderr
