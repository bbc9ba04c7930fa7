"""Two ways of answering the same images: is one better, or can nobody tell? Right or wrong, twice -> Disagreement."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

SIGNIFICANT = 0.05  # p values below it are called a difference


@dataclass(frozen=True)
class Disagreement:
    """only_first, only_second: images that only the one answers rightly.
    p: probability of so uneven a share, or one more uneven, if both were equally good (McNemar's test, exact)."""

    only_first: int
    only_second: int
    p: float

    @property
    def is_distinguishable(self) -> bool:
        return self.p < SIGNIFICANT


def disagreement(first_right: np.ndarray, second_right: np.ndarray) -> Disagreement:
    """bool (n,) twice: whether the one and the other answered each of the same n images rightly.

    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947);
    exact, by the binomial distribution, as in A. L. Edwards (1948): images that both answer alike say nothing.
    """
    from scipy.stats import binomtest

    first_right, second_right = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first_right.shape != second_right.shape:
        raise ValueError(f"{first_right.shape} and {second_right.shape}: expected answers for the same images")
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    uneven = only_first + only_second
    return Disagreement(only_first, only_second, float(binomtest(only_first, uneven).pvalue) if uneven else 1.0)


Z = 1.959963984540054  # the standard normal's 97.5% point: two-sided 95%


@dataclass(frozen=True)
class Interval:
    """A share of `correct` in `count`, with its 95% interval."""

    value: float
    low: float
    high: float
    correct: int
    count: int

    def __str__(self) -> str:
        between = f"{percent(self.low)} to {percent(self.high)}"
        return f"{percent(self.value)} ({between}; {self.correct:,} of {self.count:,})"

    def to_json(self) -> dict:
        return {
            "value": self.value, "low": self.low, "high": self.high, "correct": self.correct, "count": self.count,
        }  # fmt: skip


def percent(share: float) -> str:
    """0.986 -> "98.6%"; what is not quite 1 has as many digits as it takes not to look like it."""
    digits = 1
    while share < 1 and f"{share:.{digits}%}".startswith("100"):
        digits += 1
    return f"{share:.{digits}%}"


def wilson(correct: int, count: int) -> Interval:
    """The share with Wilson's score interval, 95%, which stays within 0..1 and is right for small counts too.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    """
    if count < 1:
        raise ValueError("A share of nothing has no interval: count must be at least 1.")
    share = correct / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), correct, count)
