"""KerasEngine: a Keras model as an engine, on any backend, also on a GPU. Slower than OpenVINO on a CPU."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from headstart.engines.base import Compute, Pixels, filled

BATCH_SIZE = 32  # images: the layers of a larger batch do not fit into a processor's cache


class KerasEngine:
    """Runs a Keras model in inference mode."""

    def __init__(self, model: Any, compute: Compute | None = None, *, outputs: int | None = None) -> None:
        """model: raw pixels (n, size, size, 3) -> one or several tensors. outputs: how many are wanted; None: all."""
        from headstart.keras_backend import begin_computing, keras

        begin_computing()
        self._model = model = keras.Model(model.inputs, model.outputs[:outputs])
        self._device = "auto" if compute is None else compute.device
        self._keras = keras
        self.identity = f"keras-{keras.__version__}-{keras.backend.backend()}-{self._device}"
        self.batch_size = BATCH_SIZE
        self.output_shapes = [tuple(output.shape[1:]) for output in model.outputs]

    def run(self, batches: Iterable[Pixels]) -> Iterator[list[np.ndarray]]:
        from headstart.keras_backend import begin_computing

        begin_computing()
        for images in batches:
            with self._on_device():
                found = self._model.predict_on_batch(filled(images, self.batch_size))
            tensors = found if isinstance(found, (list, tuple)) else [found]
            yield [np.asarray(tensor)[: len(images)] for tensor in tensors]

    def _on_device(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._device == "auto" else self._keras.device(f"{self._device}:0")
