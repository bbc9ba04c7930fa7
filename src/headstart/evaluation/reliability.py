"""Are answers given with 80% right in 8 of 10 cases? Probabilities + right or wrong -> Reliability. NumPy only."""

from dataclasses import dataclass

import numpy as np

BINS = 15  # of equal width, as in C. Guo et al., On calibration of modern neural networks, ICML 2017
DRAWS = 200  # of answers that are right as often as their probabilities say


@dataclass(frozen=True, eq=False)
class Reliability:
    """Answers in bins of their probability: from 0 to 1, of equal width.

    counts: int (bins,), answers in each.
    confidence, accuracy: float64 (bins,), mean probability and share of right ones in each; NaN where there are none.
    error: expected calibration error, 0..1: the mean distance between the two, over all answers.
    by_chance: the error that true probabilities reach or stay below in 95% of cases, on so many images: few answers in
        a bin are rarely right in just the share that they should be.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float
    by_chance: float

    def to_json(self) -> dict:
        """The bins that have answers."""
        filled = [i for i, count in enumerate(self.counts) if count]
        return {
            "expected_calibration_error": self.error,
            "error_by_chance": self.by_chance,
            "bins": [
                {
                    "low": i / len(self.counts),
                    "high": (i + 1) / len(self.counts),
                    "count": int(self.counts[i]),
                    "confidence": float(self.confidence[i]),
                    "accuracy": float(self.accuracy[i]),
                }
                for i in filled
            ],
        }


def reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> Reliability:
    """float (n, classes), each row adding up to 1, and int labels (n,), n at least 1 -> Reliability."""
    most = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.clip(np.ceil(most * bins).astype(int) - 1, 0, bins - 1)  # (0, 1/15], (1/15, 2/15], ...
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, most, minlength=bins) / counts
        accuracy = np.bincount(place, right, minlength=bins) / counts

    def error(right: np.ndarray) -> float:
        """The weighted mean of |confidence - accuracy|, as the sums of both have the counts in them."""
        return float(np.abs(np.bincount(place, most - right, minlength=bins)).sum() / len(labels))

    draws = np.random.default_rng(0)
    by_chance = np.quantile([error(draws.random(len(most)) < most) for _ in range(DRAWS)], 0.95)
    return Reliability(counts, confidence, accuracy, error(right), float(by_chance))
