"""Prediction: what is on one image, and how probabilities become predictions. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image."""

    label: str
    probability: float  # of that label, 0..1
    probabilities: dict[str, float]  # of every class, the most probable first
    sure: bool = True  # whether the guarantee of accuracy covers it; if not, it should be read as "not sure"
    familiar: bool = True  # whether the image is like those that were trained on; if not, the label means nothing
    candidates: tuple[str, ...] = ()  # if a coverage is guaranteed: the classes that the right one is among
    remark: str | None = None  # why it may be too dark or too bright to the classifier; then it is not sure

    def top(self, count: int) -> dict[str, float]:
        """The `count` most probable classes."""
        return dict(list(self.probabilities.items())[:count])


def predictions(probabilities: Float[np.ndarray, "n classes"], class_names: Sequence[str]) -> list[Prediction]:
    """The prediction for each row of probabilities."""
    found = []
    for row in probabilities:
        ranked = {class_names[i]: float(row[i]) for i in map(int, np.argsort(-row, kind="stable"))}
        label = next(iter(ranked))
        found.append(Prediction(label, ranked[label], ranked))
    return found
