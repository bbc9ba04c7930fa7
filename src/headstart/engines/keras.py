"""KerasEngine: a Keras model as an engine, on any backend, also on a GPU. Slower than OpenVINO on a CPU.

On a GPU some batches are under way at the same time: while it computes one, the next is decoded and sent to it, as
bytes, and the one before comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np

from headstart.engines.base import AUTO, GPU, Compute, Pixels, filled
from headstart.gpu import backend_of_gpu

BATCH_SIZE = 32  # images: the layers of a larger batch do not fit into a processor's cache
BATCH_SIZE_ON_GPU = 128  # images: enough for all parts of a large GPU to have work; 0.6 GB for a wide layer
UNDER_WAY = 2  # batches on a GPU, besides the one that is waited for


class Network(Protocol):
    """A Keras model that computes elsewhere."""

    @property
    def remark(self) -> str | None:
        """What a user should know of it, a sentence, if anything."""
        ...

    def start(self, images: Pixels) -> Callable[[], list[np.ndarray]]:
        """Begin with a batch of `batch_size` images: what is called waits for its outputs, and gives them."""
        ...


class KerasEngine:
    """Runs a Keras model in inference mode; on a GPU with the weights that it has now, whatever becomes of them."""

    def __init__(self, model: Any, compute: Compute | None = None, *, outputs: int | None = None) -> None:
        """model: raw pixels (n, size, size, 3) -> one or several tensors. outputs: how many are wanted; None: all."""
        from headstart.keras_backend import begin_computing, keras

        begin_computing()
        compute = compute or Compute()
        wanted = keras.Model(model.inputs[0], model.outputs[:outputs])
        on_gpu = compute.device == GPU
        self.batch_size = BATCH_SIZE_ON_GPU if on_gpu else BATCH_SIZE
        self.identity = _identity(compute, keras.backend.backend())
        self.output_shapes = [tuple(output.shape[1:]) for output in model.outputs]
        self._network = _on_gpu(wanted, self.batch_size) if on_gpu else _InTurn(wanted, compute.device)
        self._under_way = UNDER_WAY if on_gpu else 0
        self.remark = self._network.remark

    def run(self, batches: Iterable[Pixels]) -> Iterator[list[np.ndarray]]:
        from headstart.keras_backend import begin_computing

        begin_computing()
        started: deque[tuple[Callable[[], list[np.ndarray]], int]] = deque()
        for images in batches:
            started.append((self._network.start(filled(images, self.batch_size)), len(images)))
            if len(started) > self._under_way:
                yield _finished(*started.popleft())
        while started:
            yield _finished(*started.popleft())


class _InTurn:
    """One batch after the other, by Keras itself."""

    remark = None

    def __init__(self, model: Any, device: str) -> None:
        self._model, self._device = model, device

    def start(self, images: Pixels) -> Callable[[], list[np.ndarray]]:
        with self._on_device():
            found = self._model.predict_on_batch(images)
        tensors = found if isinstance(found, (list, tuple)) else [found]
        return lambda: [np.asarray(tensor) for tensor in tensors]

    def _on_device(self) -> AbstractContextManager[Any]:
        from headstart.keras_backend import keras

        return nullcontext() if self._device == AUTO else keras.device(f"{self._device}:0")


def identity(compute: Compute) -> str | None:
    """See `Engine`; None where it is not known before an engine is opened."""
    backend = backend_of_gpu() if compute.device == GPU else None
    return _identity(compute, backend) if backend else None


def _identity(compute: Compute, backend: str) -> str:
    """With a GPU's precision, as some libraries take fewer bits for float32 there unless they are told not to."""
    precision = f"-{compute.precision}" if compute.device == GPU else ""
    return f"keras-{version('keras')}-{backend}-{compute.device}{precision}"


def _on_gpu(model: Any, batch_size: int) -> Network:
    from headstart.keras_backend import keras

    match keras.backend.backend():
        case "torch":
            from headstart.engines.torch_network import TorchNetwork

            return TorchNetwork(model, batch_size)
        case "jax":
            from headstart.engines.jax_network import JaxNetwork

            return JaxNetwork(model)
    return _InTurn(model, GPU)


def _finished(outputs: Callable[[], list[np.ndarray]], count: int) -> list[np.ndarray]:
    return [tensor[:count] for tensor in outputs()]
