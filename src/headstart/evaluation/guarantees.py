"""Do the guarantees hold? What the validation images guaranteed, checked on the answers to other images."""

import numpy as np

from headstart.classifier.calibration import NEVER
from headstart.evaluation.answered import AccuracyGuarantee
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.split_metrics import CoverageGuarantee, Guarantees
from headstart.statistics import proportion


def measure_guarantees(evaluation: Evaluation) -> Guarantees:
    """Check both kinds of guarantees, at each level that the classifier's calibration has."""
    calibration, probabilities = evaluation.calibration, evaluation.probabilities
    confidence = evaluation.confidence
    is_ever_sure = ~np.isin(evaluation.class_names, calibration.unsure)
    of_true_class = probabilities[np.arange(len(evaluation.labels)), evaluation.labels]

    def accuracy(threshold: float) -> AccuracyGuarantee | None:
        if threshold == NEVER:
            return None
        given = (confidence >= threshold) & is_ever_sure[evaluation.predicted]
        groups = [evaluation.groups[index] for index in np.flatnonzero(given)] if evaluation.groups else None
        correct = proportion(evaluation.correct[given], groups) if given.any() else None
        return AccuracyGuarantee(evaluation.proportion(given), correct)

    def coverage(threshold: float) -> CoverageGuarantee:
        sizes = (probabilities >= threshold).sum(axis=1)
        covered, sure = evaluation.proportion(of_true_class >= threshold), evaluation.proportion(sizes == 1)
        return CoverageGuarantee(covered, sure, float(sizes.mean()))

    return Guarantees(
        {f"{level:g}": accuracy(threshold) for level, threshold in calibration.accuracy.items()},
        {f"{level:g}": coverage(threshold) for level, threshold in calibration.coverage.items()},
    )
