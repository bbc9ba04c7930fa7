"""A Keras model as an engine."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


class KerasEngine:
    """A Keras model in the place of an engine: slower, and it always works."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.shapes = [tuple(output.shape[1:]) for output in model.outputs]

    def fill(self, batches: Iterable[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        start = 0
        for images in batches:
            found = self._model.predict_on_batch(images)
            found = found if isinstance(found, (list, tuple)) else [found]
            for output, values in zip(outputs, found, strict=False):
                output[start : start + len(images)] = values
            start += len(images)
