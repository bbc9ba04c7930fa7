"""How well does the probability of a class rank the images? Labels + probabilities -> curves and their areas.

Each class against all others, computed by scikit-learn. Knows no model and no images.
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
    # imported here: it takes seconds, and the process that draws needs only the class Curves
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    belongs, scores = labels == label, probabilities[:, label]
    if belongs.all() or not belongs.any():
        return None
    false_positives, true_positives, _ = roc_curve(belongs, scores)
    precision, recall, _ = precision_recall_curve(belongs, scores)
    return Curves(
        false_positives,
        true_positives,
        recall,
        precision,
        float(roc_auc_score(belongs, scores)),
        float(average_precision_score(belongs, scores)),
    )
