"""RayExecutor: the features of a cluster are those of this machine."""

from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.features.executors.ray import RayExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from support.recording import Recorder

SPEC = FeatureSpec("efficientnet_lite0", 32, depths=True)


@pytest.fixture
def images(photos: Path) -> hs.Split:
    return hs.load_images(photos, listener=hs.Quiet())[0]


def shards(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npy"))


def test_the_features_of_a_cluster_are_those_of_this_machine(cluster, images, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "here"))
    here = FeatureExtractor(SPEC, listener=hs.Quiet()).features(images)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "there"))
    listener = Recorder()
    there = FeatureExtractor(SPEC, listener=listener, executor=RayExecutor()).features(images)
    every = np.arange(len(images))
    for ours, theirs in zip(here.take(every), there.take(every), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=2e-3, atol=2e-3)  # float16
    assert len(shards(tmp_path / "there" / "features")) == 2, "each core had a task"
    again = Recorder()
    FeatureExtractor(SPEC, listener=again, executor=RayExecutor()).features(images)
    assert again.progress == [], "nothing is computed a second time"
