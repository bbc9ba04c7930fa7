"""Components and labels -> a linear head, solved from another one on: after one label has changed, in a few steps.

The problem is scikit-learn's multinomial logistic regression, as everywhere in headstart. How much the loss curves
along each component is known beforehand, and L-BFGS looks for the solution in variables in which it curves nearly
alike in all. Knows no photos.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from headstart.array_types import Float32, Float64, Int
from headstart.features.head_in_pieces import MAX_STEPS
from headstart.features.sums import added, loss_of

TOLERANCE = 5e-6  # of the gradient of the mean loss: probabilities are then those of the solution to 0.02
ROUGH = 1e-4  # the same, for a first look: in half the time. To choose C it is too rough: large ones seem better
SURER = 0.02  # share of the curvature at equal probabilities that it has where they are surer: takes the fewest steps
REMEMBERED = 10  # steps from which L-BFGS knows the curvature
PIECE = 1_024  # rows that are looked at together, twice: a core's cache holds them
ABSENT = -50.0  # logit of a class without photos: its probability is 0 to rounding
FAINT = 1e-6  # of an emphasis: less is none


@dataclass(frozen=True, eq=False)
class Penalty:
    """C: scikit-learn's, inverse strength. emphasis: of each component: what it is multiplied with before it counts.
    variances: of the components, without that."""

    C: float
    emphasis: Float64[np.ndarray, " components"]
    variances: Float64[np.ndarray, " components"]


def solve_from(
    start: Float64[np.ndarray, "numbers classes"],
    rows: Float32[np.ndarray, "n components"],
    labels: Int[np.ndarray, " n"],
    counts: Float32[np.ndarray, " n"],
    penalty: Penalty,
    *,
    tolerance: float = TOLERANCE,
    check: Callable[[], None] = lambda: None,
) -> Float64[np.ndarray, "numbers classes"]:
    """The best head, from any head on, such as zeros.

    Args:
        start, and what is returned: for components as they come; a row for each, and one for the bias.
        counts: what each row counts; 0: it is left out, whatever its label.
        tolerance: of the gradient of the mean loss.
        check: called between steps; what it raises ends the work.
    """
    classes = np.unique(labels[counts > 0])
    found = np.zeros_like(start)
    found[-1] = ABSENT
    if len(classes) < 2:
        found[-1, classes] = 0.0
        return found
    chosen = start[:, classes].copy()
    chosen[-1, chosen[-1] == ABSENT] = 0.0
    chosen -= chosen.mean(axis=1, keepdims=True)
    if len(classes) == 2:  # one logit, as everywhere: the penalty counts it once
        chosen = chosen[:, 1:] - chosen[:, :1]
    places = np.where(counts > 0, np.searchsorted(classes, labels), 0)
    solved = _Problem(rows, places, counts, penalty, len(classes), check).solved(chosen, tolerance)
    found[:, classes] = np.concatenate([np.zeros_like(solved), solved], axis=1) if len(classes) == 2 else solved
    return found


class _Problem:
    """Of classes that all have photos."""

    def __init__(
        self,
        rows: np.ndarray,
        labels: np.ndarray,
        counts: np.ndarray,
        penalty: Penalty,
        classes: int,
        check: Callable[[], None],
    ) -> None:
        self._rows, self._labels, self._counts, self._C, self._check = rows, labels, counts, penalty.C, check
        self._total = float(counts.sum())
        self._emphasis = np.append(np.maximum(penalty.emphasis, FAINT), 1.0)[:, None]
        spread = SURER * self._total * (classes - 1) / classes**2  # the second derivative, as in `head_in_pieces.py`
        curvature = np.append(penalty.variances * penalty.emphasis**2 * spread + 1 / penalty.C, spread)
        self._least = float(curvature.min()) / self._total
        self._stretch = np.sqrt(curvature.min() / curvature)[:, None]

    def solved(self, start: np.ndarray, tolerance: float) -> np.ndarray:
        """The first step of L-BFGS has the length 1, whatever the gradient. So the unit is the length that it should
        have, which is far less from a good start."""
        start = np.where(self._emphasis <= FAINT, 0.0, start) / self._emphasis
        slope = self._loss_and_gradient(start)[1] * self._stretch
        if float(np.abs(slope).max()) <= tolerance:
            return start * self._emphasis
        unit = float(np.linalg.norm(slope)) / self._least
        scale = self._stretch * unit

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            loss, gradient = self._loss_and_gradient(flat.reshape(start.shape) * scale)
            return loss, (gradient * scale).ravel()

        options = {"maxiter": MAX_STEPS, "gtol": tolerance * unit, "ftol": 0.0, "maxcor": REMEMBERED}
        found = minimize(objective, (start / scale).ravel(), jac=True, method="L-BFGS-B", options=options)
        return found.x.reshape(start.shape) * scale * self._emphasis

    def _loss_and_gradient(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Of the mean loss, with respect to weights of emphasized components, (components + 1, logits)."""
        self._check()
        head = weights * self._emphasis
        kernel, bias = head[:-1].astype(np.float32), head[-1]
        places = [slice(start, start + PIECE) for start in range(0, len(self._rows), PIECE)]
        loss, *slopes = added(
            [loss_of(self._rows[at], self._labels[at], self._counts[at, None], kernel, bias) for at in places]
        )
        gradient = np.vstack(slopes)
        gradient *= self._emphasis
        gradient[:-1] += weights[:-1] / self._C
        return (loss + float((weights[:-1] ** 2).sum()) / (2 * self._C)) / self._total, gradient / self._total
