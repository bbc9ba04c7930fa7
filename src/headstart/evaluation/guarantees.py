"""Do the guarantees hold? What the validation images guaranteed, checked on the answers to other images."""

import numpy as np

from headstart.classifier.calibration import NEVER
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.split_metrics import AccuracyGuarantee, CoverageGuarantee, Guarantees
from headstart.statistics import wilson


def measure_guarantees(evaluation: Evaluation) -> Guarantees:
    """Check both kinds of guarantees, at each level that the classifier's calibration has."""
    calibration, probabilities = evaluation.calibration, evaluation.probabilities
    count, confidence = len(evaluation.labels), probabilities.max(axis=1)
    is_ever_sure = ~np.isin(evaluation.class_names, calibration.unsure)
    of_true_class = probabilities[np.arange(count), evaluation.labels]

    def accuracy(threshold: float) -> AccuracyGuarantee | None:
        if threshold == NEVER:
            return None
        given = (confidence >= threshold) & is_ever_sure[evaluation.predicted]
        answered, hits = int(given.sum()), int(evaluation.correct[given].sum())
        return AccuracyGuarantee(wilson(answered, count), wilson(hits, answered) if answered else None)

    def coverage(threshold: float) -> CoverageGuarantee:
        sizes = (probabilities >= threshold).sum(axis=1)
        covered, sure = int((of_true_class >= threshold).sum()), int((sizes == 1).sum())
        return CoverageGuarantee(wilson(covered, count), wilson(sure, count), float(sizes.mean()))

    return Guarantees(
        {f"{level:g}": accuracy(threshold) for level, threshold in calibration.accuracy.items()},
        {f"{level:g}": coverage(threshold) for level, threshold in calibration.coverage.items()},
    )
