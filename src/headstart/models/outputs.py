"""Logits -> probabilities and answers. NumPy only, so that what runs a classifier need not import Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.errors import ModelError

NAMED = 3  # images that a message names


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


class Look(NamedTuple):
    """What a network shows of n images: its answers, and what they come from.

    logits: float32 (n, 1) or (n, classes); features: float32 (n, depth), averages over the image of
    feature_maps: float32 (n, height, width, depth).
    """

    logits: np.ndarray
    features: np.ndarray
    feature_maps: np.ndarray


def num_logits(num_classes: int) -> int:
    """Two classes need one logit (positive: the second class), as in the tutorial; more need one each."""
    return 1 if num_classes == 2 else num_classes


def check_numbers(values: np.ndarray, paths: Sequence[str] = ()) -> None:
    """Raise ModelError where a network gave NaN or infinity: float (n, ...), of n images with these paths, if known."""
    wrong = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(wrong) == 0:
        return
    named = ", ".join(f"'{paths[image]}'" for image in wrong[:NAMED]) if len(paths) else ""
    more = ", ..." if named and len(wrong) > NAMED else ""
    raise ModelError(
        f"The network gave no numbers (NaN or infinity) for {len(wrong):,} of {len(values):,} images"
        f"{': ' if named else ''}{named}{more}. Expected are finite ones: nothing can be learned or measured without. "
        f"Its weights are damaged, or training broke them: get the weights again, or train it again."
    )


def two_sided(logits: np.ndarray) -> np.ndarray:
    """float (n, 1) -> (n, 2): the one logit of two classes as the second of two, so that softmax serves both."""
    logits = np.asarray(logits, dtype=np.float64)
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 1) or (n, classes) -> float64 (n, classes), the natural logarithm of each probability."""
    logits = two_sided(logits)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropies(log_probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Logarithms (n, classes), int labels (n,) -> float64 (n,): what each answer is charged for, natural logarithm."""
    return -log_probability[np.arange(len(labels)), labels]


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits (n, 1) or (n, classes) -> float64 (n, classes), 0..1, each row adding up to 1."""
    return np.exp(log_probabilities(logits))


def predictions(shares: np.ndarray, class_names: Sequence[str]) -> list[Prediction]:
    """Probabilities (n, classes) -> n answers."""
    answers = []
    for row in shares:
        ranked = {class_names[i]: float(row[i]) for i in map(int, np.argsort(-row, kind="stable"))}
        label = next(iter(ranked))
        answers.append(Prediction(label, ranked[label], ranked))
    return answers
