"""Logits and labels, or shares -> loss and accuracy, and a row of history.csv. NumPy only."""

from typing import Any

import numpy as np

from headstart.array_types import Float
from headstart.numerics import Truth, log_probabilities, mean_cross_entropy, most_probable


def measured(
    logits: Float[np.ndarray, "n logits"],
    truth: Truth,
    class_weights: Float[np.ndarray, " classes"],
) -> dict[str, float]:
    """`loss`, the mean cross-entropy, in which an image of each class counts its weight, and `accuracy`, 0..1: of the
    most probable classes."""
    found = log_probabilities(logits)
    return {
        "loss": mean_cross_entropy(found, truth, class_weights),
        "accuracy": float((found.argmax(axis=1) == most_probable(truth)).mean()),
    }


def row(
    phase: str,
    epoch: int,
    seconds: float,
    learning_rate: float,
    train: dict[str, float],
    validation: dict[str, float],
) -> dict[str, Any]:
    """A row of history.csv; train, validation: `loss` and `accuracy`."""
    return {
        "phase": phase,
        "epoch": epoch,
        "seconds": round(seconds, 3),
        "learning_rate": learning_rate,
        "loss": train["loss"],
        "accuracy": train["accuracy"],
        "val_loss": validation["loss"],
        "val_accuracy": validation["accuracy"],
    }
