"""Are answers given with 80% correct in 8 of 10 cases? Probabilities + labels -> Reliability. NumPy only."""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Float64, Int
from headstart.evaluation.split_metrics import CalibrationMetrics, ReliabilityBin

BINS = 15  # of equal width, as in C. Guo et al., On calibration of modern neural networks, ICML 2017
DRAWS = 200  # of answers that are correct as often as their probabilities say


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers in bins of their probability, from 0 to 1, of equal width.

    counts: answers in each bin.
    confidence, accuracy: mean probability and share of correct answers in each bin; NaN where there are none.
    error: expected calibration error, 0..1: the mean distance between the two, over all answers.
    by_chance: the error that perfectly calibrated probabilities stay below in 95% of cases, with so many images: the
        few answers in a bin are rarely correct in exactly the expected share.
    """

    counts: Int[np.ndarray, " bins"]
    confidence: Float64[np.ndarray, " bins"]
    accuracy: Float64[np.ndarray, " bins"]
    error: float
    by_chance: float

    def summary(self, log_loss: float) -> CalibrationMetrics:
        """The numbers to keep, with the log loss of the same probabilities."""
        width = len(self.counts)
        bins = tuple(
            ReliabilityBin(i / width, (i + 1) / width, int(count), float(self.confidence[i]), float(self.accuracy[i]))
            for i, count in enumerate(self.counts)
            if count
        )
        return CalibrationMetrics(log_loss, self.error, self.by_chance, bins)


def reliability(
    probabilities: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"], bins: int = BINS
) -> Reliability:
    """probabilities: each row adds up to 1; n is at least 1."""
    confidence_of_each = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    # (0, 1/15], (1/15, 2/15], ...
    bin_of_each = np.clip(np.ceil(confidence_of_each * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(bin_of_each, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(bin_of_each, confidence_of_each, minlength=bins) / counts
        accuracy = np.bincount(bin_of_each, correct, minlength=bins) / counts

    # the weighted mean of |confidence - accuracy|; the sums in the bins already contain the weights
    sums = np.bincount(bin_of_each, confidence_of_each - correct, minlength=bins)
    error = float(np.abs(sums).sum() / len(labels))
    return Reliability(counts, confidence, accuracy, error, _error_by_chance(confidence_of_each, bin_of_each))


def _error_by_chance(confidence: Float[np.ndarray, " n"], bin_of_each: Int[np.ndarray, " n"]) -> float:
    """The error that answers which are correct as often as their probabilities say stay below in 95% of cases."""
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(DRAWS):
        correct = rng.random(len(confidence)) < confidence
        errors.append(np.abs(np.bincount(bin_of_each, confidence - correct)).sum() / len(confidence))
    return float(np.quantile(errors, 0.95))
