"""The linear head, solved rather than stepped: features and labels -> the weights of the last layer.

Multinomial logistic regression with an L2 penalty is convex: L-BFGS finds its one best solution. How strong the penalty
is, cross-validation inside the training images decides. scikit-learn solves it; past `IN_MEMORY` rows, where its copies
would no longer fit, the same problem is solved in pieces. Knows no images and no Keras.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from headstart.models.outputs import log_probabilities

STRENGTHS = tuple(10.0**exponent for exponent in (-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0))  # scikit-learn's C
DEFAULT_STRENGTH = 1e-2  # where a class has too few images to validate: what most collections choose
FOLDS = 5
IN_MEMORY = 40_000  # rows: 200 MB of 1,280 features; scikit-learn and the folds take some four times that
PIECE = 4_096  # rows that are looked at together past that
TOLERANCE = 1e-4  # scikit-learn's default, for the solution; a tenth as exact is enough to choose a strength by
MAX_STEPS = 1_000


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer.

    kernel: float32 (features, logits); bias: float32 (logits,). For two classes one logit, the second class's.
    strength: the C that it was solved with, for features of deviation 1.
    """

    kernel: np.ndarray
    bias: np.ndarray
    strength: float

    def logits(self, features: np.ndarray) -> np.ndarray:
        """float (n, features) -> float32 (n, logits)."""
        return features.astype(np.float32) @ self.kernel + self.bias


@dataclass(frozen=True, eq=False)
class Scale:
    """What centres features and brings their usual deviation to 1, so that a strength means the same for any base.

    One factor for all of them: each by itself would lend the weak ones large weights, as good on new images
    (benchmarks/LOG.md) but far more sensitive to what fine-tuning changes in the base.
    """

    mean: np.ndarray
    deviation: float

    @classmethod
    def of(cls, views: Sequence[np.ndarray]) -> "Scale":
        mean = np.mean([view.mean(axis=0, dtype=np.float64) for view in views], axis=0)
        squares = 0.0
        for view in views:
            for start in range(0, len(view), PIECE):
                squares += float(((view[start : start + PIECE] - mean) ** 2).sum())
        deviation = np.sqrt(squares / (sum(map(len, views)) * len(mean)))
        return cls(mean.astype(np.float32), max(float(deviation), 1e-12))  # not 0, where all images are alike

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return (features - self.mean) / np.float32(self.deviation)


def solve(
    views: list[np.ndarray], labels: np.ndarray, num_classes: int, *, seed: int, strength: float | None = None
) -> Head:
    """The head that fits the training images best.

    views: of the same n images one or more views, each float32 (n, features); they count alike.
    labels: int (n,), each class at least once.
    strength: by default, what cross-validation chooses.
    """
    scale = Scale.of(views)
    if len(views) * len(labels) > IN_MEMORY:
        if strength is None:
            some = np.sort(np.random.default_rng(seed).permutation(len(labels))[: IN_MEMORY // (2 * len(views))])
            strength = choose_strength([scale(view[some]) for view in views], labels[some], seed=seed)
        kernel, bias = _solved_in_pieces(views, labels, scale, num_classes, strength)
    else:
        if strength is None:
            strength = choose_strength([scale(view) for view in views], labels, seed=seed)
        model = _regression(strength, TOLERANCE)
        _fit(model, np.concatenate([scale(view) for view in views]), np.tile(labels, len(views)))
        kernel, bias = model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)
    kernel = kernel / scale.deviation  # for features as they come
    bias = bias - scale.mean @ kernel
    return Head(kernel.astype(np.float32), bias.astype(np.float32), strength)


def folds(labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and validation indices of each fold, every class in each; none where a class has but one image."""
    count = min(FOLDS, int(np.bincount(labels)[np.unique(labels)].min()))
    if count < 2:
        return []
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(labels, labels))


def choose_strength(views: list[np.ndarray], labels: np.ndarray, *, seed: int) -> float:
    """The C of least cross-entropy in cross-validation; views of an image are always in the same fold.

    Strengths are tried from the smallest on, each from the solution before it, until two in a row have been worse: the
    large ones, which overfit and take longest, are mostly not reached.
    """
    parts = folds(labels, seed)
    if not parts:
        return DEFAULT_STRENGTH
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = [_path(views, labels, *part) for part in parts]
        losses: list[float] = []
        for _ in STRENGTHS:
            losses.append(float(np.mean(list(pool.map(lambda path: next(path), paths)))))
            if len(losses) - 1 - int(np.argmin(losses)) >= 2:
                break
    return STRENGTHS[int(np.argmin(losses))]


def _path(views: list[np.ndarray], labels: np.ndarray, train: np.ndarray, held_out: np.ndarray) -> Iterator[float]:
    """The cross-entropy of one fold's held-out images, for one strength after the other."""
    features, repeated = np.concatenate([view[train] for view in views]), np.tile(labels[train], len(views))
    model = _regression(STRENGTHS[0], 10 * TOLERANCE)
    for strength in STRENGTHS:
        model.set_params(C=strength)
        _fit(model, features, repeated)
        shares = model.predict_proba(views[0][held_out])
        right = shares[np.arange(len(held_out)), np.searchsorted(model.classes_, labels[held_out])]
        yield float(-np.log(np.maximum(right, np.finfo(np.float32).tiny)).mean())


def _regression(strength: float, tolerance: float) -> LogisticRegression:
    return LogisticRegression(C=strength, tol=tolerance, max_iter=MAX_STEPS, warm_start=True)


def _fit(model: LogisticRegression, features: np.ndarray, labels: np.ndarray) -> None:
    with warnings.catch_warnings():
        # classes that a line parts have no best solution but for the penalty: it is close enough after MAX_STEPS
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, labels)


def _solved_in_pieces(
    views: list[np.ndarray], labels: np.ndarray, scale: Scale, num_classes: int, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """What `_regression` finds, by the same L-BFGS, without a copy of the features: each step goes through them in
    pieces. float64 (features, logits) and (logits,)."""
    outputs = 1 if num_classes == 2 else num_classes
    shape = (views[0].shape[1] + 1, outputs)  # the last row is the bias
    rows = sum(map(len, views))

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape).astype(np.float32)
        loss, gradient = 0.0, np.zeros(shape)
        for view in views:
            for start in range(0, len(view), PIECE):
                x, right = scale(view[start : start + PIECE]), labels[start : start + PIECE]
                shares = log_probabilities(x @ weights[:-1] + weights[-1])
                loss -= float(shares[np.arange(len(right)), right].sum())
                error = np.exp(shares)
                error[np.arange(len(right)), right] -= 1
                error = error[:, 1:] if outputs == 1 else error
                gradient[:-1] += x.T @ error.astype(np.float32)
                gradient[-1] += error.sum(axis=0)
        kernel = flat.reshape(shape)[:-1]  # scikit-learn's objective, divided by the number of rows
        gradient[:-1] += kernel / strength
        return (loss + float((kernel**2).sum()) / (2 * strength)) / rows, gradient.ravel() / rows

    options = {"maxiter": MAX_STEPS, "gtol": TOLERANCE, "ftol": 0.0}
    found = minimize(loss_and_gradient, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options)
    weights = found.x.reshape(shape)
    return weights[:-1], weights[-1]
