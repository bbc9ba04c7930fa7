"""Features of all depths, block by block: how much each of them counts. Knows no labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float32
from headstart.features.rows import Rows
from headstart.features.sums import moments

USUAL_WEIGHT = 0.85  # of the depths before the last: what most collections choose (benchmarks/LOG.md)
NO_VARIANCE = 1e-10  # total variance of a block, below which it says nothing


@dataclass(frozen=True, eq=False)
class Blocks:
    """Centres features, and brings the last layer, and each block of the depths before it, to the same total variance.

    mean: of each number. factors: of each number, such that the last layer has the total variance 1, and all other
    blocks together 1; those of a block without variance are 0.
    """

    mean: Float32[np.ndarray, " numbers"]
    factors: Float32[np.ndarray, " numbers"]
    last: int

    @classmethod
    def of(cls, views: Sequence[Rows], sizes: Sequence[int]) -> Blocks:
        """sizes: how many numbers each block has; the first is the last layer."""
        return cls.of_moments(*moments(views), sizes)

    @classmethod
    def of_moments(cls, mean: np.ndarray, variance: np.ndarray, sizes: Sequence[int]) -> Blocks:
        """mean, variance: float64 (numbers,)."""
        starts = np.cumsum([0, *sizes[:-1]])
        totals = np.add.reduceat(variance, starts)
        alive = totals > NO_VARIANCE
        shares = np.where(alive, 1.0, 0.0)
        shares[1:] /= max(1.0, shares[1:].sum())
        factors = np.sqrt(shares / np.where(alive, totals, 1.0))
        return cls(mean.astype(np.float32), np.repeat(factors, sizes).astype(np.float32), sizes[0])

    def emphasis(self, weight: float) -> Float32[np.ndarray, " numbers"]:
        """What numbers that are scaled by `factors` are multiplied with, for a weight of the depths. They then have the
        total variance of as many features as the last layer has of deviation 1: C means the same as for a head on the
        last layer alone."""
        share = np.full(len(self.factors), weight, np.float32)
        share[: self.last] = 1 - weight
        return np.sqrt(share * np.float32(self.last))

    def weighed(self, weight: float) -> Float32[np.ndarray, " numbers"]:
        """The factors of a weight of the depths."""
        return self.factors * self.emphasis(weight)
