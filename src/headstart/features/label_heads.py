"""Linear heads for several labels per photo: features and targets -> the weights of the last layer.

Each label is a logistic regression of its own, with an L2 penalty and its own C, solved exactly, as the head of
exclusive classes is (`depth_head.py`). What depends on the features alone, their scale, their inner products and the
factorisation of these, is shared by all labels; and all labels take their steps together, so that a step reads the
features once. The weight of the depths is one, too: that with which the labels together are told best. Knows no images
and no Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from headstart.array_types import Bool, Float, Float32, Float64, Int, Int64
from headstart.concurrency import cpu_budget, prefetch, single_threaded_products
from headstart.data import stratification
from headstart.features.blocks import USUAL_WEIGHT, Blocks
from headstart.features.depth_head import IN_GRAM, IN_MEMORY, LENIENCY, VALIDATED, WEIGHTS, Sample
from headstart.features.head_in_pieces import MAX_STEPS, REMEMBERED, STRICTER, Stretch
from headstart.features.head_in_pieces import TOLERANCE as ROUGH
from headstart.features.heads_in_memory import FLAT, PIECE, TOLERANCE
from headstart.features.linear_head import C_VALUES, DEFAULT_C, FOLDS, logits, lowest_neighbour
from headstart.features.rows import Chosen, Rows, pieces
from headstart.features.sums import Loss, added
from headstart.numerics import label_cross_entropies


@dataclass(frozen=True, eq=False)
class LabelHeads:
    """A linear layer with a logit for each label.

    C: that each label was solved with, for features of deviation 1. weight: see `Head`.
    """

    kernel: Float32[np.ndarray, "depth labels"]
    bias: Float32[np.ndarray, " labels"]
    C: Float64[np.ndarray, " labels"]
    weight: float

    def logits(self, features: Rows) -> Float32[np.ndarray, "n labels"]:
        """Features (n, depth) -> logits."""
        return logits(features, self.kernel, self.bias)


def solve_labels(
    views: Sequence[Rows],
    sizes: Sequence[int],
    targets: Float32[np.ndarray, "n labels"],
    *,
    seed: int,
    photos: Int[np.ndarray, " n"] | None = None,
) -> LabelHeads:
    """The heads that fit the training images best.

    views, sizes, photos: see `solve_depths`; of features without depths, `sizes` has one number.
    targets: 0 or 1; of each label both.
    """
    rows = len(views) * len(targets)
    if 4 * rows * sum(sizes) <= IN_MEMORY:
        views = [view[:] for view in views]
    blocks = Blocks.of(views, sizes)
    images = _validated(targets, seed)
    some, fitted = Sample.of(views[0][images], blocks), targets[images]
    groups = images if photos is None else photos[images]
    weight, C = _choose(some, fitted, groups, seed, WEIGHTS if sizes[1:] else (0.0,))
    if len(views) > 1:
        C = C * LENIENCY / len(views)
    if len(images) < rows <= IN_GRAM:
        some, fitted = Sample.of(np.concatenate([view[:] for view in views]), blocks), np.tile(targets, (len(views), 1))
    weights, factors = _from_sample(some, fitted, weight, C), blocks.weighed(weight)
    if len(fitted) < rows:
        deviation = 1 / np.maximum(factors, 1e-12)[:, None]
        weights = _in_pieces(views, targets, blocks.mean, deviation, C, weights)
    kernel = weights[:-1] * factors[:, None]  # for features as they come
    bias = weights[-1] - blocks.mean @ kernel
    return LabelHeads(kernel.astype(np.float32), bias.astype(np.float32), C, weight)


def _validated(targets: np.ndarray, seed: int) -> Int64[np.ndarray, " m"]:
    """Indices of the images that weight and C are chosen on: VALIDATED, and of each label one for each fold."""
    order = np.random.default_rng(seed).permutation(len(targets))
    of_each = [order[column > 0][:FOLDS] for column in targets[order].T]
    return np.unique(np.concatenate([order[:VALIDATED], *of_each]))


def _choose(
    sample: Sample, targets: np.ndarray, photos: np.ndarray, seed: int, weights: Sequence[float]
) -> tuple[float, Float64[np.ndarray, " labels"]]:
    """The weight of the depths, and the C of each label, with the least cross-entropy in cross-validation."""
    parts = stratification.folds(targets > 0, photos, FOLDS, seed)
    usual = weights.index(USUAL_WEIGHT) if USUAL_WEIGHT in weights else 0
    found: dict[int, tuple[np.ndarray, float]] = {}
    if len(parts) < 2:  # all are copies of one photo
        return weights[usual], np.full(targets.shape[1], DEFAULT_C)

    def loss(place: int) -> float:
        if place not in found:
            near = min(found.values(), key=lambda each: each[1])[0] if found else np.full(targets.shape[1], NEAR)
            folds = _Folds(sample.coordinates(weights[place]).astype(np.float32), targets, parts)
            found[place] = folds.best(near)
        return found[place][1]

    loss(usual)
    best = lowest_neighbour(usual, len(weights), loss)
    return weights[best], np.array(C_VALUES)[found[best][0]]


NEAR = C_VALUES.index(DEFAULT_C)


class _Folds:
    """Heads of which each is solved without the images of a fold, for one C after another."""

    def __init__(
        self, features: np.ndarray, targets: np.ndarray, parts: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> None:
        self._sides = [(features[train], targets[train], features[out], targets[out]) for train, out in parts]
        self._rows, labels = len(features), targets.shape[1]
        self._heads = [np.zeros((features.shape[1] + 1, labels)) for _ in parts]
        self._losses = np.full((labels, len(C_VALUES)), np.nan)

    def best(self, near: Int[np.ndarray, " labels"]) -> tuple[Int64[np.ndarray, " labels"], float]:
        """The place in C_VALUES of the best C of each label, and the sum of their losses: from `near` on downhill, as
        `lowest_neighbour` goes, but all labels together."""
        best, each = near.copy(), np.arange(len(near))
        self._look(each, best)
        for step in (1, -1):
            climbing = each
            while len(climbing):
                tried = best[climbing] + step
                inside = (tried >= 0) & (tried < len(C_VALUES))
                climbing, tried = climbing[inside], tried[inside]
                self._look(climbing, tried)
                better = self._losses[climbing, tried] < self._losses[climbing, best[climbing]]
                climbing = climbing[better]
                best[climbing] += step
        return best, float(self._losses[each, best].sum())

    def _look(self, labels: np.ndarray, places: np.ndarray) -> None:
        """Measure labels with a C each, where that is not known yet."""
        new = np.isnan(self._losses[labels, places])
        labels, places = labels[new], places[new]
        if not len(labels):
            return
        C, losses = np.array(C_VALUES)[places], np.zeros(len(labels))
        with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:
            for of_fold in pool.map(lambda fold: self._loss(fold, labels, C), range(len(self._sides))):
                losses += of_fold
        self._losses[labels, places] = losses / self._rows

    def _loss(self, fold: int, labels: np.ndarray, C: np.ndarray) -> np.ndarray:
        """The sum over the images of a fold, of each label."""
        features, targets, unseen, asked = self._sides[fold]
        start = self._heads[fold][:, labels]
        found = solve_side_by_side(features, targets[:, labels], C, start, tolerance=ROUGH)
        self._heads[fold][:, labels] = found
        scores = unseen @ found[:-1].astype(np.float32) + found[-1]
        return label_cross_entropies(scores, asked[:, labels]).sum(axis=0)


def solve_side_by_side(
    features: Float32[np.ndarray, "n numbers"],
    targets: Float[np.ndarray, "n labels"],
    C: Float64[np.ndarray, " labels"],
    start: Float64[np.ndarray, "numbers+1 labels"],
    *,
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "numbers+1 labels"]:
    """Rows in memory -> the best heads, from any on, such as zeros; the last row is the bias.

    C: scikit-learn's, inverse strength of the penalty of each label. tolerance: of the gradient of each label's mean
    loss.
    """
    rows = len(features)
    places = [slice(at, at + PIECE) for at in range(0, rows, PIECE)]

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(start.shape)
        kernel, bias = weights[:-1].astype(np.float32), weights[-1]
        parts = [_loss_of(features[place], targets[place], kernel, bias) for place in places]
        loss, of_kernel, of_bias = added(parts)
        pulled = weights[:-1] / C  # scikit-learn's objective, of each label divided by the number of rows
        gradient = np.concatenate([of_kernel + pulled, of_bias[None]]) / rows
        return (loss + float(np.vdot(weights[:-1], pulled)) / 2) / rows, gradient.ravel()

    options = {"maxiter": MAX_STEPS, "gtol": tolerance, "ftol": FLAT / start.shape[1], "maxcor": REMEMBERED}
    with single_threaded_products():
        found = minimize(loss_and_gradient, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(start.shape)


def _loss_of(features: np.ndarray, targets: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> Loss:
    """Of n rows, summed over all labels."""
    scores = features @ kernel + bias
    shrunk = np.exp(-np.abs(scores))
    loss = float((np.maximum(scores, 0) - targets * scores + np.log1p(shrunk)).sum())
    error = np.where(scores >= 0, 1.0, shrunk) / (1 + shrunk) - targets  # sigmoid of the score, minus the target
    return loss, features.T @ error.astype(np.float32), error.sum(axis=0)


def _from_sample(sample: Sample, targets: np.ndarray, weight: float, C: np.ndarray) -> np.ndarray:
    """float64 (numbers + 1, labels), for features that are scaled by `Blocks.weighed`; see `Sample.solve`."""
    coordinates = sample.coordinates(weight)
    start = np.zeros((len(coordinates) + 1, targets.shape[1]))
    found = solve_side_by_side(coordinates.astype(np.float32), targets, C, start)
    dual = solve_triangular(coordinates, found[:-1], lower=True, trans="T", check_finite=False)
    kernel = (sample.rows.T @ dual) * sample.blocks.emphasis(weight)[:, None]
    return np.concatenate([kernel, found[-1:]])


def _in_pieces(
    views: Sequence[Rows],
    targets: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    C: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """The heads of rows that are too many for a copy of them; see `solve_in_pieces`, whose steps these are."""
    rows = sum(map(len, views))
    stretch = Stretch.of(views[0], rows, mean, deviation, float(np.median(C)), 2)

    def solved(loss_of_all: Callable[[np.ndarray, np.ndarray], Loss]) -> np.ndarray:
        def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = stretch(flat.reshape(start.shape))
            kernel = weights[:-1] / deviation
            loss, of_kernel, of_bias = loss_of_all(kernel.astype(np.float32), weights[-1] - mean @ kernel)
            of_kernel -= np.outer(mean, of_bias)
            of_kernel /= deviation
            pulled = weights[:-1] / C
            gradient = stretch(np.concatenate([of_kernel + pulled, of_bias[None]]))
            return (loss + float(np.vdot(weights[:-1], pulled)) / 2) / rows, gradient.ravel() / rows

        options = {"maxiter": MAX_STEPS, "gtol": STRICTER * ROUGH, "ftol": 0.0, "maxcor": REMEMBERED}
        first = stretch.undone(start).ravel()
        found = minimize(loss_and_gradient, first, jac=True, method="L-BFGS-B", options=options)
        return stretch(found.x.reshape(start.shape))

    with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:

        def loss_of_all(kernel: np.ndarray, bias: np.ndarray) -> Loss:
            def of_piece(piece: tuple[slice | np.ndarray, np.ndarray]) -> Loss:
                place, features = piece
                return _loss_of(features.astype(np.float32, copy=False), targets[place], kernel, bias)

            return added(prefetch(pool, of_piece, pieces(views), cpu_budget() + 1))

        return solved(loss_of_all)


def out_of_fold_logits(
    features: Rows,
    sizes: Sequence[int],
    targets: Float32[np.ndarray, "n labels"],
    photos: Int[np.ndarray, " n"],
    seed: int,
) -> tuple[Float32[np.ndarray, "n labels"], Bool[np.ndarray, " n"]]:
    """What heads say of images that they were solved without; and which of the images are answered so: a head that
    would lack a label answers none."""
    found, answered = np.zeros(targets.shape, np.float32), np.zeros(len(targets), bool)
    for train, out in stratification.folds(targets > 0, photos, FOLDS, seed):
        known = targets[train]
        if not (known.any(axis=0) & ~known.all(axis=0)).all():
            continue
        heads = solve_labels([Chosen(features, train)], sizes, known, seed=seed, photos=photos[train])
        found[out], answered[out] = heads.logits(Chosen(features, out)), True
    return found, answered
