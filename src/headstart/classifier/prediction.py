"""Prediction: the answer for one image, and how probabilities become predictions. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """The answer for one image."""

    label: str
    probability: float  # of that label, 0..1
    probabilities: dict[str, float]  # of every class, the most probable first
    sure: bool = True  # whether it may be given, under what was promised; if not, the answer is "not sure"
    familiar: bool = True  # whether it is like anything that was trained on; if not, no answer means anything
    candidates: tuple[str, ...] = ()  # where a coverage was promised: the classes that the right one is among

    def top(self, count: int) -> dict[str, float]:
        """The `count` most probable classes."""
        return dict(list(self.probabilities.items())[:count])


def predictions(shares: np.ndarray, class_names: Sequence[str]) -> list[Prediction]:
    """Probabilities (n, classes) -> n answers."""
    answers = []
    for row in shares:
        ranked = {class_names[i]: float(row[i]) for i in map(int, np.argsort(-row, kind="stable"))}
        label = next(iter(ranked))
        answers.append(Prediction(label, ranked[label], ranked))
    return answers
