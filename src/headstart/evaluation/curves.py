"""How well does the probability of a class rank the images? Labels + probabilities -> curves and their areas.

Each class against all others, the same numbers as scikit-learn's, whose metrics take a second to import. Knows no model
and no images.
"""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Float, Float64, Int


@dataclass(frozen=True, eq=False)
class Curves:
    """Of one class against all others, over all thresholds of its probability.

    false_positives, true_positives: rates, ascending: the ROC curve.
    recall, precision: the precision-recall curve, recall descending.
    roc_area: area under the ROC curve, 0..1: how often an image of the class has a higher probability of it than an
        image of another class; 0.5 is chance.
    average_precision: mean of the precisions at each rise of recall, 0..1; chance is the share of the class.
    """

    false_positives: Float64[np.ndarray, " roc_points"]
    true_positives: Float64[np.ndarray, " roc_points"]
    recall: Float64[np.ndarray, " points"]
    precision: Float64[np.ndarray, " points"]
    roc_area: float
    average_precision: float


def curves(probabilities: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"], label: int) -> Curves | None:
    """The curves of the class `label`; None where all images are of it, or none is, so that there is nothing to tell
    apart."""
    belongs, scores = labels == label, probabilities[:, label]
    if belongs.all() or not belongs.any():
        return None
    order = np.argsort(-scores, kind="stable")
    answered = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1) + 1  # by each threshold, falling
    hits = np.cumsum(belongs[order])[answered - 1]
    recall, precision = hits / hits[-1], hits / answered
    turns = _turns(answered - hits, hits)
    false_positives, true_positives = (np.append(0.0, found / found[-1]) for found in turns)
    return Curves(
        false_positives,
        true_positives,
        np.append(recall[::-1], 0.0),
        np.append(precision[::-1], 1.0),
        float(np.diff(false_positives) @ (true_positives[1:] + true_positives[:-1])) / 2,
        float(np.diff(recall, prepend=0.0) @ precision),
    )


def _turns(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int: a curve without the points that are as far from the one before as from the one behind."""
    kept = np.ones(len(x), bool)
    kept[1:-1] = (np.diff(x, 2) != 0) | (np.diff(y, 2) != 0)
    return x[kept], y[kept]
