"""Logits -> probabilities and answers. NumPy only, so that what runs a classifier need not import Keras."""

from collections.abc import Sequence

import numpy as np

from headstart.errors import ModelError

NAMED = 3  # images that a message names


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
