"""The linear head of many rows or many classes, solved without a copy of the features: pieces of rows, on all cores.

The problem is that of `heads_in_memory.py`, and L-BFGS solves it here, too; but in variables in which it is rounder.
The loss curves far more along the first principal components of the features than along the last ones, and each step
must be short enough for the steepest: stretched by what the curvature there may be, it takes half of the steps or fewer
to come closer to the solution (benchmarks/LOG.md). Knows no images and no Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize

from headstart.features.rows import Rows
from headstart.features.sums import PieceSums, Sums
from headstart.numerics import Truth

TOLERANCE = 1e-4  # scikit-learn's default; of 36 small problems a tenth as exact chose another C for 2
MAX_STEPS = 1_000
STRICTER = 0.25  # of the tolerance, as the gradient is that of the stretched variables, and so smaller
REMEMBERED = 5  # steps from which L-BFGS knows the curvature: each needs the memory of two heads
SAMPLE = 1_000  # rows, at most, that the principal components are found on
FAINT = 1e-6  # share of the largest variance, below which a component is rounding
COMPONENTS = 100  # at most; with ten times as many the steps were as many


def solve_in_pieces(
    views: Sequence[Rows],
    truth: Truth,
    counts: np.ndarray,
    mean: np.ndarray,
    deviation: float | np.ndarray,
    C: float,
    start: np.ndarray,
    sums: Sums | None = None,
) -> np.ndarray:
    """The head of all views of some images.

    truth: of the images. counts: what an image of each class counts.
    mean, deviation: the features are scaled by these, (depth,) and one number or (depth, 1).
    C: scikit-learn's, inverse strength of the penalty on scaled features.
    start, and what is returned: float64 (features + 1, logits), the last row is the bias.
    sums: over the same rows, by who has them at hand; by default on this machine.
    """
    stretch = Stretch.of(views[0], sum(map(len, views)), mean, deviation, C, len(counts))
    if sums is not None:
        return _solved(sums, stretch, mean, deviation, C, start)
    with PieceSums(views, truth, counts).at_work() as here:
        return _solved(here, stretch, mean, deviation, C, start)


def _solved(
    sums: Sums, stretch: Stretch, mean: np.ndarray, deviation: float | np.ndarray, C: float, start: np.ndarray
) -> np.ndarray:
    rows = sums.rows

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = stretch(flat.reshape(start.shape))
        kernel = weights[:-1] / deviation
        bias = weights[-1] - mean @ kernel
        loss, of_kernel, of_bias = sums.loss(kernel.astype(np.float32), bias)
        # with respect to the scaled features, which are never made: (x - mean) / deviation
        of_kernel -= np.outer(mean, of_bias)
        of_kernel /= deviation
        of_kernel += weights[:-1] / C  # scikit-learn's objective, divided by the number of rows
        gradient = stretch(np.concatenate([of_kernel, of_bias[None]]))
        return (loss + float((weights[:-1] ** 2).sum()) / (2 * C)) / rows, gradient.ravel() / rows

    options = {"maxiter": MAX_STEPS, "gtol": STRICTER * TOLERANCE, "ftol": 0.0, "maxcor": REMEMBERED}
    first = stretch.undone(start).ravel()
    found = minimize(loss_and_gradient, first, jac=True, method="L-BFGS-B", options=options)
    return stretch(found.x.reshape(start.shape))


@dataclass(frozen=True, eq=False)
class Stretch:
    """A symmetric matrix, that makes a head of the variables in which it is looked for: 1 but for some directions.

    directions: float64 (depth, components), orthonormal. factors: (components,), in (0, 1].
    """

    directions: np.ndarray
    factors: np.ndarray

    @classmethod
    def of(
        cls, view: Rows, rows: int, mean: np.ndarray, deviation: float | np.ndarray, C: float, classes: int
    ) -> Stretch:
        """Of a few rows of the features, for the loss of `rows` of them.

        The second derivative of the loss with respect to the weights of a class, at equal probabilities, is
        variance * rows * (classes - 1) / classes**2 along a principal component, and that of the penalty 1 / C. Where
        probabilities are surer, it is less: half of it was as good as all.
        """
        some = view[np.linspace(0, len(view) - 1, min(len(view), SAMPLE)).astype(int)]
        scaled = (some - mean) / np.ravel(deviation)
        count = len(some)
        wanted = [max(0, count - COMPONENTS), count - 1]
        products, vectors = eigh((scaled @ scaled.T).astype(np.float64), subset_by_index=wanted)
        kept = products > FAINT * max(products[-1], 1e-12)
        products, vectors = products[kept], vectors[:, kept]
        directions = scaled.T @ (vectors / np.sqrt(products))
        curvature = products * (rows / count) * (classes - 1) / (2 * classes**2) + 1 / C
        return cls(directions, np.sqrt(curvature[:1] / curvature))

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """float64 (depth + 1, logits) -> the same; the last row stays as it is."""
        return self._times(weights, self.factors)

    def undone(self, weights: np.ndarray) -> np.ndarray:
        return self._times(weights, 1 / self.factors)

    def _times(self, weights: np.ndarray, factors: np.ndarray) -> np.ndarray:
        along = self.directions.T @ weights[:-1]
        along *= (factors - 1)[:, None]
        found = weights.copy()
        found[:-1] += self.directions @ along
        return found
