"""The stage that solves the head: features of the frozen base -> the head, and the state after it. Needs no Keras."""

from __future__ import annotations

import time
from dataclasses import dataclass

from headstart.data.views import ORIGINAL
from headstart.events import HeadSolved
from headstart.features import linear_head
from headstart.features.linear_head import Head
from headstart.training.config import AUTO
from headstart.training.context import TrainingContext
from headstart.training.measure import measured, row
from headstart.training.recipes import SolvedHead
from headstart.training.state import TrainingState


@dataclass(frozen=True, eq=False)
class HeadResult:
    """state: with a row for the solved head. views: of each training image, that it was solved on."""

    head: Head
    state: TrainingState
    views: tuple[str, ...]


def solve_head(context: TrainingContext, phase: SolvedHead, state: TrainingState) -> HeadResult:
    """Solve the head on the features of the training images, in the views that show the same class.

    If the collection is easy, more views than the original gain nothing: they are used only if the config names them.
    """
    start = time.perf_counter()
    train, validation, weights = context.dataset.train, context.dataset.validation, context.class_weights
    views = (ORIGINAL,) if context.config.views == AUTO and context.probe.is_easy else context.views
    features = [context.pretrained.features(train, view=view) for view in views]
    held_out = context.pretrained.features(validation)
    began = time.perf_counter()
    head = linear_head.solve(
        features,
        train.labels,
        len(context.dataset.class_names),
        seed=context.config.seed,
        class_weights=weights,
        photos=train.photos,
    )
    solving = time.perf_counter() - began
    fitted = measured(head.logits(features[0]), train.labels, weights)
    judged = measured(head.logits(held_out), validation.labels, weights)
    seconds = time.perf_counter() - start
    line = row(phase.name, state.epoch + 1, seconds, 0.0, fitted, judged)
    numbers = {name: line[name] for name in ("seconds", "loss", "accuracy", "val_loss", "val_accuracy")}
    context.listener.emit(HeadSolved(C=head.C, seconds_solving=solving, **numbers))
    return HeadResult(head, state.with_row(line), views)
