"""Two classifiers on the same images: is one better, or can nobody tell? Right or wrong, twice -> Comparison."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from headstart.evaluation.metrics import Interval, wilson

SIGNIFICANT = 0.05  # p values below it are called a difference


@dataclass(frozen=True)
class Comparison:
    """first, second: accuracies. only_first, only_second: images that only the one answers rightly.
    p: probability of so uneven a share, or one more uneven, if both were equally good (McNemar's test, exact)."""

    first: Interval
    second: Interval
    only_first: int
    only_second: int
    p: float

    @property
    def verdict(self) -> str:
        """In a sentence."""
        if self.p >= SIGNIFICANT:
            return (
                f"Not distinguishable: {self.only_first:,} images are answered rightly by the first alone, "
                f"{self.only_second:,} by the second alone, of {self.first.count:,} (p = {self.p:.2g})."
            )
        better, more, less = ("first", self.only_first, self.only_second)
        if self.only_second > self.only_first:
            better, more, less = ("second", self.only_second, self.only_first)
        return (
            f"The {better} is better: {more:,} images are answered rightly by it alone, {less:,} by the other alone, "
            f"of {self.first.count:,} (p = {self.p:.2g})."
        )

    def to_json(self) -> dict:
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "only_first_right": self.only_first,
            "only_second_right": self.only_second,
            "p": self.p,
            "distinguishable": self.p < SIGNIFICANT,
            "verdict": self.verdict,
        }


def compare(first_right: np.ndarray, second_right: np.ndarray) -> Comparison:
    """bool (n,) twice: whether the one and the other answered each of the same n images rightly; n at least 1.

    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947);
    exact, by the binomial distribution, as in A. L. Edwards (1948): images that both answer alike say nothing.
    """
    first_right, second_right = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first_right.shape != second_right.shape:
        raise ValueError(f"{first_right.shape} and {second_right.shape}: expected answers for the same images")
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    uneven = only_first + only_second
    return Comparison(
        wilson(int(first_right.sum()), len(first_right)),
        wilson(int(second_right.sum()), len(second_right)),
        only_first,
        only_second,
        float(binomtest(only_first, uneven).pvalue) if uneven else 1.0,
    )
