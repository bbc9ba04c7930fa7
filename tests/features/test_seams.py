"""A second engine, a second executor and a listener each take one new class: here they are, of a few lines."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.data.images import read_image
from headstart.errors import CancelledError
from headstart.events import Advanced, Event, Task
from headstart.features.extractor import FeatureExtractor
from headstart.features.shards import ShardTask, compute_shard
from headstart.features.spec import FeatureSpec
from support.recording import Recorder

SPEC = FeatureSpec("mobilenet_v2", 32)


class NumPyEngine:
    """An engine that is a NumPy function: the mean of each channel, repeated, and the image as a feature map."""

    identity = "numpy"
    batch_size = 3
    output_shapes = ((3,), (32, 32, 3))

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
        for images in batches:
            floats = images.astype(np.float32)
            yield [floats.mean(axis=(1, 2)), floats]


class ProcessExecutor:
    """An executor of processes, each of which opens the engine for itself."""

    def map(self, function: Callable, tasks: Iterable) -> Iterator:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield from pool.map(function, tasks)


@pytest.fixture
def images(photos: Path, tmp_path, monkeypatch) -> hs.Split:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 4))


def test_an_engine_that_is_a_function(images):
    extractor = FeatureExtractor(SPEC, engine=NumPyEngine(), listener=hs.Quiet())
    features = extractor.features(images)
    pixels = np.stack([read_image(path, 32) for path in images.paths])
    np.testing.assert_allclose(features[:], pixels.mean(axis=(1, 2)), rtol=1e-3)
    np.testing.assert_array_equal(extractor.feature_maps(pixels[:5]), [pixels[:5]])
    again = FeatureExtractor(SPEC, engine=NumPyEngine(), listener=(listener := Recorder()))
    np.testing.assert_array_equal(again.features(images)[:], features[:])
    assert listener.events == [], "they are kept under the engine's identity, and nothing is computed"


@pytest.mark.process
def test_an_executor_of_processes(images, tmp_path, monkeypatch):
    """Tasks are plain data, so that a process does what this one would; the shards are the same."""
    here = FeatureExtractor(SPEC, listener=hs.Quiet()).features(images)[:]
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another"))
    monkeypatch.setattr("headstart.features.extractor.SHARD_IMAGES", 8)
    listener = Recorder()
    extractor = FeatureExtractor(SPEC, listener=listener, executor=ProcessExecutor())
    np.testing.assert_array_equal(extractor.features(images)[:], here)
    assert len(list((tmp_path / "another" / "features").rglob("*.npy"))) == 3
    steps = [event.done for event in listener.events if isinstance(event, Advanced) and event.task is Task.EXTRACT]
    assert steps == [0, 8, 16, 20, 20]


def test_a_task_is_all_that_a_worker_needs(images, tmp_path):
    extractor = FeatureExtractor(SPEC, listener=hs.Quiet())
    task = ShardTask(SPEC, extractor.compute, images.paths[:4], images.digests[:4], None)
    shard = compute_shard(task)
    assert shard.file is None
    assert shard.records is not None
    expected = extractor.features(images.take(range(4)))[:]
    np.testing.assert_allclose(shard.records["tensor_0"].astype(np.float32), expected, rtol=1e-3)


def test_a_listener_that_cancels(images):
    """Long work asks it, and stops at the next batch; what is written is whole."""

    class Cancelling:
        def __init__(self) -> None:
            self.seen: list[Event] = []

        def emit(self, event: Event) -> None:
            self.seen.append(event)

        def cancelled(self) -> bool:
            return len(self.seen) > 3

    listener = Cancelling()
    with pytest.raises(CancelledError):
        FeatureExtractor(SPEC, engine=NumPyEngine(), listener=listener).features(images)
    assert isinstance(listener.seen[-1], Advanced)
    assert listener.seen[-1].is_over
    assert 0 < listener.seen[-1].done < len(images)


@pytest.mark.parametrize(
    "change",
    [{"image_size": 64}, {"resizing": "crop"}, {"view": "mirrored"}, {"precision": "bfloat16"}, {"cut": "fine_tuning"},
     {"backbone": "mobilenet"}],
)  # fmt: skip
def test_each_field_of_a_spec_is_part_of_its_key(change, tmp_path, monkeypatch):
    from dataclasses import replace

    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    assert replace(SPEC, **change).folder("numpy") != SPEC.folder("numpy")
    assert SPEC.folder("numpy") != SPEC.folder("keras-3-tensorflow-auto")
    assert replace(SPEC, weights="random").folder("numpy") is None
