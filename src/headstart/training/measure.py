"""Logits and labels -> loss and accuracy, and a row of history.csv. NumPy only."""

from typing import Any

import numpy as np

from headstart.array_types import Float, Int
from headstart.numerics import cross_entropies, log_probabilities


def measured(
    logits: Float[np.ndarray, "n logits"],
    labels: Int[np.ndarray, " n"],
    class_weights: Float[np.ndarray, " classes"],
) -> dict[str, float]:
    """`loss`, the mean cross-entropy, in which an image of each class counts its weight, and `accuracy`, 0..1."""
    found = log_probabilities(logits)
    return {
        "loss": float(np.average(cross_entropies(found, labels), weights=class_weights[labels])),
        "accuracy": float((found.argmax(axis=1) == labels).mean()),
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
