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

from headstart.array_types import Float, Float32, Int
from headstart.features.linear_head import (
    C_VALUES,
    Head,
    cross_validate,
    pieces,
    solve_in_memory,
    solve_in_pieces,
    some_images,
)
from headstart.features.rows import Rows

WEIGHTS = (0.0, 0.35, 0.6, 0.85, 0.95)  # of the depths before the last, of which one is chosen
USUAL_WEIGHT = 0.85  # where classes have too few images to validate: what most collections choose
VALIDATED = 1_000  # rows, at most, that weight and C are chosen on
IN_GRAM = 3_000  # rows, at most, that are solved in the space of the images
FAINT = 1e-9  # share of the variance that is added to each row by itself, as inner products are exact to rounding only
NO_VARIANCE = 1e-10  # total variance of a block, below which it says nothing


@dataclass(frozen=True, eq=False)
class DepthHead(Head):
    """A linear layer on the features of all depths.

    weight: what share of the variance the depths before the last were given, 0 to 1.
    """

    weight: float


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
        rows = sum(map(len, views))
        mean = np.sum([piece.sum(axis=0, dtype=np.float64) for _, piece in pieces(views)], axis=0) / rows
        variance = np.sum([((piece - mean) ** 2).sum(axis=0) for _, piece in pieces(views)], axis=0) / rows
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


def solve_depths(
    views: Sequence[Rows],
    sizes: Sequence[int],
    labels: Int[np.ndarray, " n"],
    num_classes: int,
    *,
    seed: int,
    class_weights: Float[np.ndarray, " classes"] | None = None,
    photos: Int[np.ndarray, " n"] | None = None,
    weight: float | None = None,
) -> DepthHead:
    """The head that fits the training images best.

    views: of the same n images one or more views, each (n, numbers), with equal weight.
    sizes: how many numbers each block has: the last layer, then mean and deviation of each depth before it.
    labels: each class at least once.
    class_weights: what an image of each class counts; by default 1.
    photos: images with the same number, copies of one photo, are in the same fold of cross-validation.
    weight: of the depths before the last; by default, what cross-validation chooses.
    """
    counts = np.ones(num_classes) if class_weights is None else class_weights
    blocks = Blocks.of(views, sizes)
    images = np.arange(len(labels))
    if len(views) * len(labels) > VALIDATED:
        images = some_images(labels, VALIDATED // len(views), seed)
    some = _Sample.of([view[images] for view in views], blocks)
    groups = None if photos is None else photos[images]
    weight, C = _choose(some, labels[images], counts, seed=seed, photos=groups, weight=weight)
    if len(images) < len(labels) and len(views) * len(labels) <= IN_GRAM:
        images = np.arange(len(labels))
        some = _Sample.of([view[:] for view in views], blocks)
    factors = blocks.weighed(weight)
    weights = some.solve(np.tile(labels[images], len(views)), counts, weight, C)
    if len(images) < len(labels):
        deviation = 1 / np.maximum(factors, 1e-12)[:, None]
        weights = solve_in_pieces(views, labels, counts, blocks.mean, deviation, C, weights)
    kernel = weights[:-1] * factors[:, None]  # for features as they come
    bias = weights[-1] - blocks.mean @ kernel
    return DepthHead(kernel.astype(np.float32), bias.astype(np.float32), C, weight)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Images in memory, and their inner products in the last layer, and in the depths before it.

    rows: float32 (views x n, numbers), centred and scaled by `Blocks.factors`.
    """

    views: int
    rows: np.ndarray
    blocks: Blocks
    of_last: np.ndarray
    of_depths: np.ndarray

    @classmethod
    def of(cls, views: Sequence[np.ndarray], blocks: Blocks) -> _Sample:
        rows = (np.concatenate(views) - blocks.mean) * blocks.factors
        last, depths = (rows[:, part].astype(np.float64) for part in (slice(blocks.last), slice(blocks.last, None)))
        return cls(len(views), rows, blocks, last @ last.T, depths @ depths.T)

    def coordinates(self, weight: float) -> np.ndarray:
        """float64 (rows, rows): other features with the same inner products, and so the same head."""
        products = ((1 - weight) * self.of_last + weight * self.of_depths) * self.blocks.last
        products[np.diag_indices_from(products)] += FAINT * max(float(np.trace(products)) / len(products), 1e-12)
        return cholesky(products, lower=True, overwrite_a=True, check_finite=False)

    def solve(self, labels: np.ndarray, counts: np.ndarray, weight: float, C: float) -> np.ndarray:
        """float64 (numbers + 1, logits), for features that are scaled by `Blocks.weighed`; the last row is the bias."""
        coordinates = self.coordinates(weight)
        found = solve_in_memory(coordinates, labels, counts, C)
        dual = solve_triangular(coordinates, found[:-1], lower=True, trans="T", check_finite=False)
        kernel = (self.rows.T @ dual) * self.blocks.emphasis(weight)[:, None]
        return np.concatenate([kernel, found[-1:]])


def _choose(
    sample: _Sample,
    labels: np.ndarray,
    counts: np.ndarray,
    *,
    seed: int,
    photos: np.ndarray | None,
    weight: float | None,
) -> tuple[float, float]:
    """The weight of the depths and the C with the least cross-entropy in cross-validation.

    The more depth, the larger the best C: for each weight, the values are tried from the one below the last best on.
    """
    losses: dict[float, tuple[float, float]] = {}
    values = C_VALUES
    for tried in WEIGHTS if weight is None else (weight,):
        views = np.split(sample.coordinates(tried).astype(np.float32), sample.views)
        C, loss = cross_validate(views, labels, counts, seed=seed, photos=photos, values=values)
        losses[tried] = loss, C
        values = C_VALUES[max(0, C_VALUES.index(C) - 1) :]
    best = min(losses, key=lambda tried: losses[tried][0])
    if not np.isfinite(losses[best][0]) and weight is None:
        best = USUAL_WEIGHT
    return best, losses[best][1]
