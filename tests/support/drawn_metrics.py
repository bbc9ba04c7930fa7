"""Metrics of a run that never was: evaluations and a RunMetrics from random logits, in milliseconds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from headstart.classifier.calibration import fit_calibration
from headstart.classifier.classifier import Classifier
from headstart.evaluation import report
from headstart.evaluation.document import RunMetrics
from headstart.evaluation.metrics import Evaluation, measure
from headstart.models.network import Network
from headstart.statistics import wilson

PHASE = {
    "name": "feature_extraction",
    "epochs": 1,
    "kept": True,
    "judgement": None,
    "parameters": 9,
    "trainable_parameters": 9,
    "trainable_variables": 2,
    "seconds": 1.0,
    "validation": {"loss": 1.0, "accuracy": 0.5},
}


def drawn_evaluation(class_names: Sequence[str], count: int) -> Evaluation:
    """Answers to `count` images that are correct more often than not, calibrated on themselves."""
    rng = np.random.default_rng(0)
    classes = len(class_names)
    labels = rng.integers(0, classes, count)
    logits = rng.normal(size=(count, classes)) + 4 * np.eye(classes)[labels]
    return measure(logits, labels, class_names, fit_calibration(logits, labels))


def drawn_metrics(evaluation: Evaluation, **changes: Any) -> RunMetrics:
    """The metrics of a run in which every split was answered so. changes: other arguments of `run_metrics`."""
    classifier = Classifier(
        network=Network(lambda: pytest.fail("numbers need no network")),
        class_names=evaluation.class_names,
        backbone="mobilenet_v2",
        image_size=224,
        recipe="fast",
        calibration=evaluation.calibration,
        phases=(PHASE,),
    )
    arguments: dict[str, Any] = {
        "data": "tiles",
        "seed": 0,
        "balanced": False,
        "weights": "pretrained",
        "training_precision": "float32",
        "notes": [],
        "unreadable": 0,
        "seconds": {"total": 2.0, "epochs": 1.0},
    }
    results = report.Results(dict.fromkeys(("train", "validation", "test"), evaluation), familiar=wilson(95, 100))
    return report.run_metrics(classifier, results, **arguments | changes)
