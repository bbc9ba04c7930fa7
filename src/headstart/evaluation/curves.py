"""How well does the probability of a class rank the images? Labels + probabilities -> curves and their areas.

Each class against all others; scikit-learn computes. Knows no model and no images.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Curves:
    """Of one class against all others, over all thresholds of its probability.

    false_positives, true_positives: float64 (m,), rates, rising: the ROC curve.
    recall, precision: float64 (k,), recall falling.
    roc_area: area under the ROC curve, 0..1: how often an image of the class has the larger probability of it than
        another image; 0.5 is chance.
    average_precision: mean of the precisions at each rise of recall, 0..1; chance is the share of the class.
    """

    false_positives: np.ndarray
    true_positives: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    roc_area: float
    average_precision: float


def curves(probabilities: np.ndarray, labels: np.ndarray, label: int) -> Curves | None:
    """Of the class `label`; None where all images are of it, or none is: then nothing is to be told apart."""
    # takes seconds, which who draws Curves need not wait for
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    belongs, scores = np.asarray(labels) == label, probabilities[:, label]
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
