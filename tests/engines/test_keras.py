"""KerasEngine, and what runs networks on a GPU: the outputs of Keras' own `predict`, in the order of the batches."""

import os
import subprocess
import sys
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart as hs
from headstart.engines import keras as engine
from headstart.engines.base import Compute, in_batches, regrouped, run_all
from headstart.engines.keras import KerasEngine
from headstart.events import Advance, Task
from headstart.features.executors.local import LocalExecutor
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.gpu import Library

OTHER = """
import sys
import numpy as np
from headstart.keras_backend import keras
from headstart.engines import keras as engine
from headstart.engines.base import Compute, in_batches, run_all
import headstart.gpu

backend = keras.backend.backend()
model = keras.Sequential([
    keras.Input((8, 8, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1), keras.layers.Conv2D(4, 3, activation="relu6"),
    keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling2D(),
])
engine.BATCH_SIZE_ON_GPU = 4
if backend == "torch":
    from headstart.engines.torch_network import TorchNetwork
    engine._on_gpu = lambda model, batch_size: TorchNetwork(model, batch_size, "cpu")
else:
    from headstart.engines.jax_network import JaxNetwork
    engine._on_gpu = lambda model, batch_size: JaxNetwork(model, "cpu")
images = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), dtype=np.uint8)
expected = model.predict(images.astype("float32"), verbose=0)
opened = engine.KerasEngine(model, Compute(device="gpu"))
assert opened.identity == f"keras-{keras.__version__}-{backend}-gpu-float32", opened.identity
model.set_weights([weights + 1 for weights in model.get_weights()])  # the engine has those that it was opened with
for _ in range(2):
    found, = run_all(opened, in_batches(images, 4), 11)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
print("done")
"""


@pytest.mark.process
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_what_runs_on_a_gpu_with_another_backend(backend):
    """On the processor: all but CUDA. Only where that library is installed, as `headstart[gpu]` does."""
    if find_spec(backend) is None:
        pytest.skip(f"needs {backend}, which the tests do without otherwise")
    environment = os.environ | {"KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, "-c", OTHER], capture_output=True, text=True, env=environment, check=False
    )  # fmt: skip
    assert result.stdout == "done\n", result.stderr


class Delayed:
    """What computes elsewhere, as a GPU does: what is started is there when it is asked for."""

    remark = "It is slow."

    def __init__(self, model, batch_size: int) -> None:
        self.model, self.batch_size, self.under_way, self.most = model, batch_size, 0, 0

    def start(self, images: np.ndarray):
        assert len(images) == self.batch_size, "each batch has one shape"
        self.under_way += 1
        self.most = max(self.most, self.under_way)

        def finish() -> list[np.ndarray]:
            self.under_way -= 1
            found = self.model.predict_on_batch(images)
            return [np.asarray(each) for each in (found if isinstance(found, list) else [found])]

        return finish


@pytest.fixture
def on_gpu(monkeypatch):
    """A GPU that is a processor, with TensorFlow as the backend."""
    from headstart import gpu

    monkeypatch.setattr(gpu, "library", lambda name: Library(name, "1", None))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(engine, "BATCH_SIZE_ON_GPU", 4)
    made: list[Delayed] = []
    monkeypatch.setattr(engine, "_on_gpu", lambda model, size: made.append(Delayed(model, size)) or made[-1])
    return made


def test_features_of_a_gpu_are_those_of_the_processor(on_gpu, photos, tmp_path, monkeypatch):
    """In shards side by side, in pieces, with a last batch that is shorter; and kept under a key of their own."""
    from support.recording import Recorder

    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    images = hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 2))
    spec = FeatureSpec("mobilenet_v2", 32)
    expected = FeatureExtractor(spec, listener=hs.Quiet()).features(images)[:]
    monkeypatch.setattr("headstart.features.extractor.SHARD_IMAGES", 9)
    extractor = FeatureExtractor(spec, compute=Compute(device="gpu"), listener=(listener := Recorder()))
    found = extractor.features(images)[:]
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)
    assert extractor.executor.side_by_side == 2  # pyright: ignore[reportAttributeAccessIssue]
    assert "It is slow." in listener.lines
    assert 1 < on_gpu[0].most <= 2 * (engine.UNDER_WAY + 1)
    assert on_gpu[0].under_way == 0
    again = FeatureExtractor(spec, compute=Compute(device="gpu"), listener=hs.Quiet())
    np.testing.assert_array_equal(again.features(images)[:], found)
    assert len(on_gpu) == 1, "nothing is opened for what is kept"


def test_a_predictor_on_a_gpu_gives_the_same_answers(on_gpu, tiny_run, cells):
    files = [*cells["functional"][:5], *cells["defective"][:2]]
    here, there = hs.Predictor(tiny_run.folder), hs.Predictor(tiny_run.folder, device="gpu", listener=hs.Quiet())
    assert there.batch_size == 4
    for one, other in zip(here.predict(files), there.predict(files), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
    places = here.explain(files[0]).places
    np.testing.assert_allclose(there.explain(files[0]).places, places, atol=1e-3 * np.abs(places).max())


def test_without_a_device_batches_are_computed_in_turn(tiny_run):
    model = hs.load(tiny_run.folder).model
    images = np.random.default_rng(0).integers(0, 256, (35, *model.input.shape[1:]), dtype=np.uint8)
    opened = KerasEngine(model)
    assert (opened.batch_size, opened.identity.rpartition("-")[2]) == (32, "auto")
    (found,) = run_all(opened, in_batches(images, 32), 35)
    np.testing.assert_allclose(found, model.predict(images, verbose=0), rtol=1e-4, atol=1e-5)


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 7))
def test_regrouping_keeps_every_image_in_its_order(sizes, batch_size):
    images = np.arange(sum(sizes), dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(3, axis=3)
    groups = np.split(images, np.cumsum(sizes)[:-1]) if sizes else []
    batches = list(regrouped(iter(groups), batch_size))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert all(len(batch) > 0 for batch in batches)
    np.testing.assert_array_equal(np.concatenate([images[:0], *batches]), images)


def test_batches_are_passed_on_as_they_are():
    batches = [np.zeros((4, 2, 2, 3), np.uint8) for _ in range(3)]
    assert all(
        found is batch or found.base is batch for found, batch in zip(regrouped(batches, 4), batches, strict=True)
    )


def test_tasks_side_by_side_come_back_in_their_order():
    together = threading.Barrier(2, timeout=10)

    def work(number: int) -> int:
        together.wait()  # passes only if two work at the same time
        return number * number

    assert list(LocalExecutor(2).map(work, range(6))) == [0, 1, 4, 9, 16, 25]


@settings(max_examples=5)
@given(st.integers(2, 8))
def test_steps_from_many_threads_are_all_counted(threads):
    from support.recording import Recorder

    advance = Advance(listener := Recorder(), Task.EXTRACT, "Extracting", threads * 50)
    workers = [threading.Thread(target=lambda: [advance(1) for _ in range(50)]) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [event.done for event in listener.progress] == list(range(1, threads * 50 + 1))
