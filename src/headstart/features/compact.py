"""Features of all depths -> a few numbers that say nearly the same, for what solves many heads. Knows no labels.

Label issues, the learning curve and the choice of views each solve a dozen heads, which need not be the best there are.
On the principal components of the weighed features they take a tenth of the time, and find more than heads on the last
layer alone do (benchmarks/LOG.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from headstart.array_types import Float32
from headstart.features.blocks import USUAL_WEIGHT, Blocks
from headstart.features.rows import Rows, row_by_row

COMPONENTS = 400  # at most
SAMPLE = 1_000  # images that they are found on
FAINT = 1e-7  # share of the largest variance, below which a component is rounding


@dataclass(frozen=True, eq=False)
class Compact:
    """The principal components of some images' features, each depth with its weight.

    mean: of each number. kernel: what their differences from that are multiplied with.
    """

    mean: Float32[np.ndarray, " numbers"]
    kernel: Float32[np.ndarray, "numbers components"]

    @classmethod
    def of(cls, features: Rows, sizes: Sequence[int], *, seed: int) -> Compact:
        """
        Args:
            features: (n, numbers), n at least 1.
            sizes: how many numbers each block has: the last layer, then mean and deviation of each depth before it.
            seed: of the choice of images, where there are many.
        """
        order = np.random.default_rng(seed).permutation(len(features))
        some = features[np.sort(order[:SAMPLE])]
        blocks = Blocks.of([some], sizes)
        factors = blocks.weighed(USUAL_WEIGHT if sizes[1:] else 0.0)
        centred = (some - blocks.mean) * factors
        first = max(0, len(some) - COMPONENTS)
        variances, directions = (found[..., first:] for found in eigh(centred @ centred.T, driver="evd"))
        kept = variances > FAINT * max(float(variances[-1]), 1e-12)
        kernel = centred.T @ (directions[:, kept] / np.sqrt(variances[kept]))
        return cls(blocks.mean, (factors[:, None] * kernel).astype(np.float32))

    def __call__(self, features: Rows) -> Float32[np.ndarray, "n components"]:
        """Features (n, numbers) -> their components."""
        return row_by_row(features, lambda piece: (piece - self.mean) @ self.kernel)
