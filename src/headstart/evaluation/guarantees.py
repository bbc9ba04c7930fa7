"""Are the promises measure_guarantees? What was promised by the validation images, checked on answers to other images."""

import numpy as np

from headstart.classifier.calibration import NEVER
from headstart.evaluation.metrics import Evaluation
from headstart.statistics import wilson


def measure_guarantees(evaluation: Evaluation) -> dict:
    """Part of metrics.json.

    "accuracy": level -> `answered`, how many images were given a sure answer, and `accuracy`, how many of these are
    right; null where it was not promised, `accuracy` null where none was answered. "coverage": level -> `covered`, for
    how many images the right class was among the candidates, `sure`, for how many there was one candidate, and
    `mean_size`, how many candidates there were on average.
    """
    certainty, shares = evaluation.certainty, evaluation.probabilities
    count, most = len(evaluation.labels), shares.max(axis=1)
    of_the_right = shares[np.arange(count), evaluation.labels]
    found: dict[str, dict] = {"accuracy": {}, "coverage": {}}
    for level, least in certainty.accuracy.items():
        given = most >= least
        answered, hits = int(given.sum()), int(evaluation.right[given].sum())
        found["accuracy"][f"{level:g}"] = None if least == NEVER else {
            "answered": wilson(answered, count).to_json(),
            "accuracy": wilson(hits, answered).to_json() if answered else None,
        }  # fmt: skip
    for level, least in certainty.coverage.items():
        sizes = (shares >= least).sum(axis=1)
        found["coverage"][f"{level:g}"] = {
            "covered": wilson(int((of_the_right >= least).sum()), count).to_json(),
            "sure": wilson(int((sizes == 1).sum()), count).to_json(),
            "mean_size": float(sizes.mean()),
        }
    return found
