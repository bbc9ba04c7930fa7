"""Rows of features in memory -> one linear head or several, which differ in what each row counts for them.

Multinomial logistic regression with an L2 penalty, the problem that scikit-learn solves, by L-BFGS. Of a few hundred
rows, a step takes hardly longer than to begin it, so five heads together take little more time than one. Knows no
images, and no folds.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from headstart.array_types import Float, Float64
from headstart.concurrency import single_threaded_products
from headstart.features.head_in_pieces import MAX_STEPS, REMEMBERED
from headstart.features.sums import added, loss_of
from headstart.numerics import Truth

TOLERANCE = 1e-5  # the objective is then scikit-learn's to a millionth (tests/features/test_heads_in_memory.py)
FLAT = 1e-9  # progress of a step: less is rounding, as products are in float32
PIECE = 1_024  # rows that a core looks at together, twice: its cache holds them


def solve_side_by_side(
    features: Float[np.ndarray, "n numbers"],
    truth: Truth,
    counts: Float64[np.ndarray, "n heads"],
    C: float,
    start: Float64[np.ndarray, "numbers+1 heads logits"],
    *,
    tolerance: float = TOLERANCE,
) -> Float64[np.ndarray, "numbers+1 heads logits"]:
    """The best heads, from any on, such as zeros; the last row is the bias.

    Args:
        truth: of two classes there is one logit, the second class's.
        counts: what each row counts for each head; 0: the head does not see it.
        C: scikit-learn's, inverse strength of the penalty.
        tolerance: of the gradient of each head's mean loss.
    """
    features, totals = features.astype(np.float32, copy=False), counts.sum(axis=0)
    shares = counts / totals
    penalty = np.repeat(1 / (C * totals), start.shape[2])  # scikit-learn's objective, of each head a mean
    places = [slice(at, at + PIECE) for at in range(0, len(features), PIECE)]

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(start), -1)
        kernel, bias = weights[:-1].astype(np.float32), weights[-1]
        parts = [loss_of(features[place], truth[place], shares[place], kernel, bias) for place in places]
        loss, of_kernel, of_bias = added(parts)
        pulled = weights[:-1] * penalty
        gradient = np.concatenate([of_kernel + pulled, of_bias[None]])
        return loss + float(np.vdot(weights[:-1], pulled)) / 2, gradient.ravel()

    options = {"maxiter": MAX_STEPS, "gtol": tolerance, "ftol": FLAT, "maxcor": REMEMBERED}
    with single_threaded_products():
        found = minimize(loss_and_gradient, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(start.shape)
