"""The stage that calibrates: what a classifier says of images that it was not trained on -> Calibration.

These are the validation images. Of a small collection they are too few to show anything: then each training image is
answered too, by a head that was solved without it and its copies.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from headstart.array_types import Float, Int
from headstart.classifier.calibration import FEW_PHOTOS, Calibration, fit_calibration, with_hierarchy
from headstart.classifier.decision import fit_decision
from headstart.events import Message
from headstart.features import linear_head
from headstart.features.rows import rows_of
from headstart.numerics import most_probable, two_sided
from headstart.statistics import Interval, proportion
from headstart.training.context import TrainingContext
from headstart.training.fold import Fold
from headstart.training.recipes import SolvedHead
from headstart.training.solve_head import solve_head
from headstart.training.state import TrainingState
from headstart.training.trained import Trained

FEW = 100  # validation images; with fewer, training images are answered too
FEW_OF_PARENTS = 1_000  # the same, where parents are answered: their thresholds come from those whose class is not sure


@dataclass(frozen=True)
class Calibrated:
    """cross_validated: how many of the validation and training images were answered correctly by heads that had not
    seen them; None where the validation images are enough, or the head was not solved alone."""

    calibration: Calibration
    cross_validated: Interval | None = None


def calibrate(context: TrainingContext, trained: Trained) -> Calibrated:
    """Calibrate a classifier that is trained otherwise."""
    train, validation = context.dataset.train, context.dataset.validation
    logits, truth, found = trained.logits(validation), validation.truth, None
    groups = validation.groups
    head = context.config.recipe.head
    few = FEW_OF_PARENTS if context.dataset.hierarchy else FEW
    if len(validation) < few and isinstance(head, SolvedHead) and not trained.fine_tuned:
        answered, of_training = _out_of_fold(context, head, is_quick=len(validation) >= FEW)
        logits, truth = np.concatenate([logits, of_training]), np.concatenate([truth, train.truth[answered]])
        groups = (*validation.groups, *train.take(answered).groups)
        found = proportion(two_sided(logits).argmax(axis=1) == most_probable(truth), groups or None)
    decide = None
    if stakes := context.config.stakes:
        names = context.dataset.class_names
        decide = partial(fit_decision, stakes, names, labels=most_probable(truth), groups=groups)
    calibration = fit_calibration(logits, truth, groups=groups, decide=decide)
    for promise in calibration.decision.recall if calibration.decision else ():
        context.listener.emit(Message(promise.sentence))
    counts = Counter(train.labels.tolist())
    unsure = tuple(name for label, name in enumerate(context.dataset.class_names) if counts[label] < FEW_PHOTOS)
    calibration = replace(calibration, unsure=unsure)
    if context.dataset.hierarchy:
        calibration = with_hierarchy(calibration, context.dataset.class_names, logits, most_probable(truth), groups)
    for sentence in calibration.hierarchy.sentences(calibration.usual_accuracy) if calibration.hierarchy else ():
        context.listener.emit(Message(sentence))
    return Calibrated(calibration, found)


def _out_of_fold(
    context: TrainingContext, head: SolvedHead, *, is_quick: bool
) -> tuple[Int[np.ndarray, " answered"], Float[np.ndarray, "answered logits"]]:
    """The training images that are held out once, and the logits of heads that have not seen them.

    A head that lacks a class, which all images of lie in the fold that it is to answer, answers none of them. is_quick:
    whether what cross-validation chooses for the first head is good enough for all.
    """
    train, like = context.dataset.train, None
    answered, logits = [], []
    for fitted, held_out in linear_head.folds(train.labels, context.config.seed, train.photos):
        if len(np.unique(train.labels[fitted])) < len(context.dataset.class_names):
            continue
        fold = Fold.of(context, train.take(fitted), train.take(held_out))
        solved = solve_head(fold, head, TrainingState(), like=like).head
        like = solved if is_quick and isinstance(solved, linear_head.Head) else None
        answered.append(held_out)
        logits.append(solved.logits(rows_of(context.pretrained.features(fold.dataset.validation))))
    if not answered:
        width = 1 if len(context.dataset.class_names) == 2 else len(context.dataset.class_names)
        return np.zeros(0, np.int64), np.zeros((0, width), np.float32)
    return np.concatenate(answered), np.concatenate(logits)
