"""Logits -> probabilities. NumPy only, so that prediction does not import Keras. Knows neither images nor models."""

from collections.abc import Sequence

import numpy as np

from headstart.array_types import Bool, Float, Float64, Int, Num
from headstart.errors import ModelError

MAX_NAMED = 3  # images that a message names

# What is right of n images: the number of each one's class, or what share of it each class has; they add up to 1
Truth = Int[np.ndarray, " n"] | Float[np.ndarray, "n classes"]


def num_logits(num_classes: int, *, multi_label: bool = False) -> int:
    """Two classes need one logit (positive: the second class), as in the tutorial; more need one each, and so do labels
    of which a photo may have several."""
    return 1 if num_classes == 2 and not multi_label else num_classes


def check_numbers(values: Num[np.ndarray, "n ..."], paths: Sequence[str] = ()) -> None:
    """Check the outputs of a network for n images. paths: of these images, if known.

    Raises:
        ModelError: some are NaN or infinity.
    """
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim))))
    if len(wrong) == 0:
        return
    named = ", ".join(f"'{paths[image]}'" for image in wrong[:MAX_NAMED]) if len(paths) else ""
    more = ", ..." if named and len(wrong) > MAX_NAMED else ""
    raise ModelError(
        f"The network gave no numbers (NaN or infinity) for {len(wrong):,} of {len(values):,} images"
        f"{': ' if named else ''}{named}{more}. Expected finite numbers: the weights are damaged, or training "
        f"diverged. Get the weights again, or train again."
    )


def two_sided(logits: Float[np.ndarray, "n logits"]) -> Float64[np.ndarray, "n classes"]:
    """The one logit of two classes as the second of two (the first is 0), so that softmax serves both; others as is."""
    logits = np.asarray(logits, dtype=np.float64)
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits


def log_probabilities(logits: Float[np.ndarray, "n logits"]) -> Float64[np.ndarray, "n classes"]:
    """The natural logarithm of each class's probability."""
    logits = two_sided(logits)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def probabilities(logits: Float[np.ndarray, "n logits"]) -> Float64[np.ndarray, "n classes"]:
    """Softmax: 0..1, and each row adds up to 1."""
    return np.exp(log_probabilities(logits))


def cross_entropies(log_probability: Float[np.ndarray, "n classes"], truth: Truth) -> Float[np.ndarray, " n"]:
    """The loss of each image, in natural logarithm (nats)."""
    if truth.ndim == 2:
        return -(truth * log_probability).sum(axis=1)
    return -log_probability[np.arange(len(truth)), truth]


def mean_cross_entropy(
    log_probability: Float[np.ndarray, "n classes"], truth: Truth, class_weights: Float[np.ndarray, " classes"]
) -> float:
    """The mean loss of the images; class_weights: what an image of each class counts."""
    truth, weights = counted(truth, class_weights)
    return float(np.average(cross_entropies(log_probability, truth), weights=weights))


def counted(truth: Truth, class_weights: Float[np.ndarray, " classes"]) -> tuple[Truth, Float[np.ndarray, " n"]]:
    """What an image counts, and its labels or shares, so that each class in it counts its weight."""
    if truth.ndim == 1:
        return truth, class_weights[truth]
    weighted = truth * class_weights
    weights = weighted.sum(axis=1)
    return weighted / weights[:, None], weights


def most_probable(truth: Truth) -> Int[np.ndarray, " n"]:
    """The class of each image with the largest share; of several, the first."""
    return truth if truth.ndim == 1 else truth.argmax(axis=1)


def label_cross_entropies(
    logits: Float[np.ndarray, "..."], targets: Num[np.ndarray, "..."] | Bool[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    """The loss of each label's logit, in nats, if its sigmoid is the probability. targets: 0 or 1."""
    return np.maximum(logits, 0) - targets * logits + np.log1p(np.exp(-np.abs(logits)))
