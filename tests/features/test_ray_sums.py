"""The head of a cluster, by sums over shards that stay where they lie, is that of this machine."""

from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.features.depth_head import solve_depths
from headstart.features.executors import ray_sums
from headstart.features.executors.ray import RayExecutor
from headstart.features.executors.ray_sums import RaySums, sums_on
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Rows, rows_of
from headstart.features.spec import FeatureSpec
from headstart.features.sums import PieceSums
from support.cluster import add_node

SPEC = FeatureSpec("efficientnet_lite0", 32, depths=True)
VIEWS = ("original", "mirrored")
COUNTS = np.array([1.0, 2.0])


@pytest.fixture
def images(photos: Path, monkeypatch) -> hs.Split:
    monkeypatch.setattr("headstart.features.extractor.SHARD_IMAGES", 9)
    monkeypatch.setattr(ray_sums, "IN_MEMORY", 0)
    images = hs.load_images(photos, listener=hs.Quiet())[0]
    return images.take(np.random.default_rng(0).permutation(len(images))[:70])  # not in the order of the shards


def views_of(images: hs.Split, executor: RayExecutor) -> list[Rows]:
    extractor = FeatureExtractor(SPEC, listener=hs.Quiet(), executor=executor)
    return [rows_of(extractor.features(images, view=view)) for view in VIEWS]


def assert_equal_sums(views: list[Rows], images: hs.Split, executor: RayExecutor) -> None:
    rng, numbers = np.random.default_rng(1), views[0][:0].shape[1]
    kernel, bias = rng.normal(0, 1e-2, (numbers, 1)).astype(np.float32), rng.normal(size=1)
    with (
        PieceSums(views, images.labels, COUNTS).at_work() as here,
        sums_on(executor, views, images.labels, COUNTS) as there,
    ):
        assert isinstance(there, RaySums)
        assert there.rows == here.rows
        for ours, theirs in zip(here.moments(), there.moments(), strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-9)
        for ours, theirs in zip(here.loss(kernel, bias), there.loss(kernel, bias), strict=True):
            np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-4)


def test_the_sums_of_a_cluster_are_those_of_this_machine(cluster, images, tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    executor = RayExecutor("ray", str(tmp_path / "store"))
    monkeypatch.setattr("headstart.features.executors.ray.TREE", 2)
    assert_equal_sums(views_of(images, executor), images, executor)


def test_shards_that_were_computed_before_there_was_a_store(cluster, images, tmp_path, monkeypatch):
    """They are copied to its URL, where other machines find them."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    before = FeatureExtractor(SPEC, listener=hs.Quiet()).features(images)
    executor = RayExecutor("ray", (tmp_path / "store").as_uri())
    views = views_of(images, executor)
    np.testing.assert_array_equal(views[0][:][:, : before[:].shape[1]], before[:])
    assert_equal_sums(views, images, executor)


def test_the_head_of_a_cluster_is_that_of_this_machine(cluster, images, monkeypatch):
    executor, sizes = RayExecutor(), SPEC.block_sizes
    views = views_of(images, executor)
    for name, few in (("VALIDATED", 40), ("IN_GRAM", 0), ("IN_MEMORY", 0)):
        monkeypatch.setattr(f"headstart.features.depth_head.{name}", few)
    settings = {"seed": 2, "class_weights": COUNTS, "photos": images.photos}
    here = solve_depths(views, sizes, images.labels, 2, **settings)
    with sums_on(executor, views, images.labels, COUNTS) as sums:
        there = solve_depths(views, sizes, images.labels, 2, sums=sums, **settings)
    assert (here.C, here.weight) == (there.C, there.weight)
    np.testing.assert_array_equal(there.kernel, here.kernel)  # to the last bit, as it is the same processor
    np.testing.assert_array_equal(there.bias, here.bias)


def test_a_machine_that_is_lost_while_it_sums(cluster, images):
    executor = RayExecutor()
    views = views_of(images, executor)
    node = add_node(cluster)
    with sums_on(executor, views, images.labels, COUNTS) as sums:
        assert sums
        before = sums.moments()
        cluster.remove_node(node, allow_graceful=False)
        for ours, theirs in zip(before, sums.moments(), strict=True):
            np.testing.assert_array_equal(theirs, ours)
