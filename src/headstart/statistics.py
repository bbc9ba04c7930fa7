"""Is a difference in accuracy more than chance, and how sure is one? Counts -> McNemar's test, Wilson's interval.

Knows neither images nor classifiers.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from headstart.array_types import Bool

SIGNIFICANT = 0.05  # p values below it are called a difference
Z = 1.959963984540054  # the standard normal's 97.5% quantile: two-sided 95%


@dataclass(frozen=True)
class Disagreement:
    """Two classifiers that answer the same images.

    only_first, only_second: how many images only the one gets correct.
    p: McNemar's exact test: the probability of counts at least this uneven if both were equally good.
    """

    only_first: int
    only_second: int
    p: float

    @property
    def is_distinguishable(self) -> bool:
        return self.p < SIGNIFICANT


def disagreement(first_correct: Bool[np.ndarray, " n"], second_correct: Bool[np.ndarray, " n"]) -> Disagreement:
    """Compare two classifiers by whether each of the same n images is correct.

    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12 (1947);
    exact, by the binomial distribution, as in A. L. Edwards (1948). Images on which both agree carry no information.
    """
    from scipy.stats import binomtest

    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((second_correct & ~first_correct).sum())
    uneven = only_first + only_second
    return Disagreement(only_first, only_second, float(binomtest(only_first, uneven).pvalue) if uneven else 1.0)


@dataclass(frozen=True)
class Interval:
    """The proportion of `correct` in `count`, with its 95% confidence interval."""

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
    """0.986 -> "98.6%". A share below 1 gets as many digits as it takes not to read as 100%."""
    digits = 1
    while share < 1 and f"{share:.{digits}%}".startswith("100"):
        digits += 1
    return f"{share:.{digits}%}"


def wilson(correct: int, count: int) -> Interval:
    """A proportion with Wilson's 95% score interval, which stays within 0..1 and holds for small counts too.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    """
    if count < 1:
        raise ValueError(f"A count of {count} has no proportion: expected at least 1.")
    share = correct / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), correct, count)
