"""The linear head that reads every depth: features of all depths and labels -> the weights of the last layer.

Still multinomial logistic regression, still one best solution. Two things are new. The kernel (in the sense of the
kernel trick: the inner products of images) is a sum of two, that of the last layer and that of the depths before it,
each depth and each statistic of it with the same total variance; cross-validation inside the training images chooses
how much the depths count, together with C. And where images are fewer than numbers, the problem is solved in the space
of the images, in which it is the same problem: its cost does not grow with the depths. Knows no images and no Keras.

Evci et al., "Head2Toe: Utilizing intermediate representations for better transfer learning", ICML 2022, made the case
for reading all depths; benchmarks/depths.py has what was tried here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from headstart.array_types import Float, Int
from headstart.features.blocks import USUAL_WEIGHT, Blocks
from headstart.features.head_in_pieces import solve_in_pieces
from headstart.features.linear_head import (
    DEFAULT_C,
    MANY_CLASSES,
    Head,
    cross_validate,
    lowest_neighbour,
    solve_in_memory,
    validated_images,
)
from headstart.features.rows import Rows
from headstart.features.sums import Sums
from headstart.numerics import Truth, most_probable

WEIGHTS = (0.0, 0.35, 0.6, 0.85, 0.95, 1.0)  # of the depths before the last, of which one is chosen
VALIDATED = 1_000  # images, at most, that weight and C are chosen on, in their first view
IN_MEMORY = 1_500_000_000  # bytes of features that are read once, and not in each step
# Views of an image are alike, so with each the penalty counts for less; but they keep a head from fitting one of them.
# One step of C_VALUES more than in proportion was as good or better on four collections (benchmarks/LOG.md).
LENIENCY = 10**0.5
IN_GRAM = 3_000  # rows, at most, that are solved in the space of the images
FAINT = 1e-9  # share of the variance that is added to each row by itself, as inner products are exact to rounding only


def solve_depths(
    views: Sequence[Rows],
    sizes: Sequence[int],
    truth: Truth,
    num_classes: int,
    *,
    seed: int,
    class_weights: Float[np.ndarray, " classes"] | None = None,
    photos: Int[np.ndarray, " n"] | None = None,
    weight: float | None = None,
    C: float | None = None,
    sums: Sums | None = None,
) -> Head:
    """The head that fits the training images best.

    views: of the same n images one or more views, each (n, numbers), with equal weight, the original first.
    sizes: how many numbers each block has: the last layer, then mean and deviation of each depth before it.
    truth: each class at least once the most probable one.
    class_weights: what an image of each class counts; by default 1.
    photos: images with the same number, copies of one photo, are in the same fold of cross-validation.
    weight: of the depths before the last; by default, what cross-validation chooses. C: that of a head, which goes with
        its weight; by default, what cross-validation chooses.
    sums: over the rows of all views, where they are many, by who has them at hand; by default on this machine.
    """
    counts = np.ones(num_classes) if class_weights is None else class_weights
    rows = len(views) * len(truth)
    if sums is None and 4 * rows * sum(sizes) <= IN_MEMORY:
        views = [view[:] for view in views]
    blocks = Blocks.of_moments(*sums.moments(), sizes) if sums else Blocks.of(views, sizes)
    images = validated_images(most_probable(truth), VALIDATED, seed)
    many = num_classes > MANY_CLASSES  # of which these images lack some
    some, fitted = Sample.of(views[0][images], blocks), truth[images]
    groups = None if photos is None else photos[images]
    if C is None or weight is None:
        weight, C = _choose(some, fitted, counts, seed=seed, photos=groups, weight=weight)
        C *= LENIENCY / len(views) if len(views) > 1 else 1
    if len(images) < rows <= IN_GRAM and not many:
        every_view = np.concatenate([view[:] for view in views])
        some, fitted = Sample.of(every_view, blocks), np.concatenate([truth] * len(views))
    factors = blocks.weighed(weight)
    weights = np.zeros((len(factors) + 1, num_classes)) if many else some.solve(fitted, counts, weight, C)
    if len(fitted) < rows or many:
        deviation = 1 / np.maximum(factors, 1e-12)[:, None]
        weights = solve_in_pieces(views, truth, counts, blocks.mean, deviation, C, weights, sums)
    kernel = weights[:-1] * factors[:, None]  # for features as they come
    bias = weights[-1] - blocks.mean @ kernel
    return Head(kernel.astype(np.float32), bias.astype(np.float32), C, weight)


@dataclass(frozen=True, eq=False)
class Sample:
    """Images in memory, and their inner products in the last layer, and in the depths before it.

    rows: float32 (n, numbers), centred and scaled by `Blocks.factors`.
    """

    rows: np.ndarray
    blocks: Blocks
    of_last: np.ndarray
    of_depths: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, blocks: Blocks) -> Sample:
        rows = (features - blocks.mean) * blocks.factors
        last, depths = (rows[:, part].astype(np.float64) for part in (slice(blocks.last), slice(blocks.last, None)))
        return cls(rows, blocks, last @ last.T, depths @ depths.T)

    def coordinates(self, weight: float) -> np.ndarray:
        """float64 (rows, rows): other features with the same inner products, and so the same head."""
        products = ((1 - weight) * self.of_last + weight * self.of_depths) * self.blocks.last
        products[np.diag_indices_from(products)] += FAINT * max(float(np.trace(products)) / len(products), 1e-12)
        return cholesky(products, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, truth: Truth, counts: np.ndarray, weight: float, C: float) -> np.ndarray:
        """float64 (numbers + 1, logits), for features that are scaled by `Blocks.weighed`; the last row is the bias."""
        coordinates = self.coordinates(weight)
        found = solve_in_memory(coordinates, truth, counts, C)
        dual = solve_triangular(coordinates, found[:-1], lower=True, trans="T", check_finite=False)
        kernel = (self.rows.T @ dual) * self.blocks.emphasis(weight)[:, None]
        return np.concatenate([kernel, found[-1:]])


def _choose(
    sample: Sample,
    truth: Truth,
    counts: np.ndarray,
    *,
    seed: int,
    photos: np.ndarray | None,
    weight: float | None,
) -> tuple[float, float]:
    """The weight of the depths and the C with the least cross-entropy in cross-validation.

    Over the weights that is a valley: from the usual one on, the neighbours are tried as long as they are lower; C,
    from the last best on.
    """
    found: dict[float, tuple[float, float]] = {}

    def loss(tried: float) -> float:
        if tried not in found:
            near = min(found.values())[1] if found else DEFAULT_C
            views = [sample.coordinates(tried).astype(np.float32)]
            C, least = cross_validate(views, truth, counts, seed=seed, photos=photos, near=near)
            found[tried] = least, C
        return found[tried][0]

    best = USUAL_WEIGHT if weight is None else weight
    if np.isfinite(loss(best)) and weight is None:
        best = WEIGHTS[lowest_neighbour(WEIGHTS.index(best), len(WEIGHTS), lambda place: loss(WEIGHTS[place]))]
    return best, found[best][1]
