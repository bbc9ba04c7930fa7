"""Two ways of answering the same images: is one better, or can nobody tell? Right or wrong, twice -> Disagreement."""

from dataclasses import dataclass

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
