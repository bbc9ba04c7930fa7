"""The stage that calibrates a classifier for several labels per photo: the counterpart of `calibrate.py`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.classifier.calibration import FEW_PHOTOS
from headstart.classifier.label_calibration import LabelCalibration, fit_label_calibration, fit_scaling
from headstart.events import Message
from headstart.features import linear_head
from headstart.features.label_heads import out_of_fold_logits
from headstart.features.rows import rows_of
from headstart.statistics import Interval, proportion
from headstart.training.calibrate import FEW
from headstart.training.context import TrainingContext
from headstart.training.trained import Trained


@dataclass(frozen=True)
class CalibratedLabels:
    """See `Calibrated`."""

    calibration: LabelCalibration
    cross_validated: Interval | None = None


def calibrate_labels(context: TrainingContext, trained: Trained) -> CalibratedLabels:
    """Calibrate a classifier that is trained otherwise, and put the scaling of its logits into its head.

    As with classes, on the validation images; and where these are few, on training images, too, each answered by a head
    that was solved without it.
    """
    train, validation, names = context.dataset.train, context.dataset.validation, context.dataset.class_names
    kernel, bias = trained.classifier.head
    logits, targets = linear_head.logits(trained.features(validation), kernel, bias), validation.targets.values
    groups, is_few = validation.groups, len(validation) < FEW
    if is_few:
        sizes, features = context.pretrained.spec.block_sizes, rows_of(context.pretrained.features(train))
        found, answered = out_of_fold_logits(features, sizes, train.targets.values, train.photos, context.config.seed)
        logits = np.concatenate([logits, found[answered]])
        targets = np.concatenate([targets, train.targets.values[answered]])
        groups = (*groups, *train.take(np.flatnonzero(answered)).groups)
    scaling = fit_scaling(logits, targets)
    context.network.set_head((kernel * scaling.factor).astype(np.float32), scaling(bias[None])[0].astype(np.float32))
    is_there = targets > 0
    counts = train.targets.values.sum(axis=0)
    calibration = fit_label_calibration(
        scaling(logits),
        is_there,
        names,
        scaling,
        stakes=context.config.stakes,
        groups=groups,
        unsure=[name for name, count in zip(names, counts, strict=True) if count < FEW_PHOTOS],
    )
    for promise in (*calibration.recall, *calibration.precision):
        context.listener.emit(Message(promise.sentence))
    if not is_few:
        return CalibratedLabels(calibration)
    answers = calibration.answers(calibration.probabilities(scaling(logits)))
    return CalibratedLabels(calibration, proportion((answers == is_there).all(axis=1), groups or None))
