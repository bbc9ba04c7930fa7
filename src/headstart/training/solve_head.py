"""The stage that solves the head: features of the frozen base -> the head, and the state after it. Needs no Keras."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from headstart.events import HeadSolved
from headstart.features import linear_head
from headstart.features.depth_head import solve_depths
from headstart.features.executors.ray_sums import sums_on
from headstart.features.linear_head import Head
from headstart.features.rows import Rows, rows_of
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


def solve_head(
    context: TrainingContext, phase: SolvedHead, state: TrainingState, *, like: Head | None = None
) -> HeadResult:  # fmt: skip
    """Solve the head on the features of the training images, in `head_views`. like: a head whose C, and weight of the
    depths, it has; by default cross-validation chooses them."""
    start = time.perf_counter()
    train, validation, weights = context.dataset.train, context.dataset.validation, context.class_weights
    views = context.head_views
    features = [rows_of(context.pretrained.features(train, view=view)) for view in views]
    held_out = rows_of(context.pretrained.features(validation))
    began = time.perf_counter()
    head = _solved(context, features, like)
    solving = time.perf_counter() - began
    fitted = measured(head.logits(features[0]), train.truth, weights)
    judged = measured(head.logits(held_out), validation.truth, weights)
    seconds = time.perf_counter() - start
    line = row(phase.name, state.epoch + 1, seconds, 0.0, fitted, judged)
    numbers = {name: line[name] for name in ("seconds", "loss", "accuracy", "val_loss", "val_accuracy")}
    context.listener.emit(HeadSolved(C=head.C, weight=head.weight, seconds_solving=solving, **numbers))
    weight = math.nan if head.weight is None else head.weight
    return HeadResult(head, replace(state.with_row(line), depth_weight=weight), views)


def _solved(context: TrainingContext, features: Sequence[Rows], like: Head | None) -> Head:
    """The head of the training images."""
    train, sizes, weights = context.dataset.train, context.pretrained.spec.block_sizes, context.class_weights
    C = like and like.C
    if sizes[1:]:
        solve = partial(solve_depths, features, sizes, weight=like and like.weight, C=C)
    else:
        solve = partial(linear_head.solve, features, C=C)
    with sums_on(context.config.executor, features, train.truth, weights) as sums:
        return solve(
            train.truth,
            len(context.dataset.class_names),
            seed=context.config.seed,
            class_weights=weights,
            photos=train.photos,
            sums=sums,
        )
