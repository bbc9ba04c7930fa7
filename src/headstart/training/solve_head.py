"""The stage that solves the head: features of the frozen base -> the head, and the state after it. Needs no Keras."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from headstart.data.dataset import Split
from headstart.data.targets import Kind
from headstart.events import HeadSolved
from headstart.features import linear_head
from headstart.features.depth_head import solve_depths
from headstart.features.executors.ray_sums import sums_on
from headstart.features.label_heads import LabelHeads
from headstart.features.linear_head import Head
from headstart.features.rows import Rows, rows_of
from headstart.training import multi_label
from headstart.training.context import TrainingContext
from headstart.training.measure import measured, row
from headstart.training.recipes import SolvedHead
from headstart.training.state import TrainingState


@dataclass(frozen=True, eq=False)
class HeadResult:
    """state: with a row for the solved head. views: of each training image, that it was solved on."""

    head: Head | LabelHeads
    state: TrainingState
    views: tuple[str, ...]


def solve_head(
    context: TrainingContext, phase: SolvedHead, state: TrainingState, *, like: Head | LabelHeads | None = None
) -> HeadResult:  # fmt: skip
    """Solve the head on the features of the training images, in `head_views`. like: a head whose C, and weight of the
    depths, it has; by default cross-validation chooses them."""
    start = time.perf_counter()
    train, validation = context.dataset.train, context.dataset.validation
    views = context.head_views
    features = [rows_of(context.pretrained.features(train, view=view)) for view in views]
    held_out = rows_of(context.pretrained.features(validation))
    began = time.perf_counter()
    head = _solved(context, features, like)
    solving = time.perf_counter() - began
    fitted, judged = _measured(context, head, features[0], train), _measured(context, head, held_out, validation)
    seconds = time.perf_counter() - start
    line = row(phase.name, state.epoch + 1, seconds, 0.0, fitted, judged)
    numbers = {name: line[name] for name in ("seconds", "loss", "accuracy", "val_loss", "val_accuracy")}
    C = float(np.median(head.C))  # of several labels, the middle one
    context.listener.emit(HeadSolved(C=C, weight=head.weight, seconds_solving=solving, **numbers))
    weight = math.nan if head.weight is None else head.weight
    return HeadResult(head, replace(state.with_row(line), depth_weight=weight), views)


def _measured(context: TrainingContext, head: Head | LabelHeads, features: Rows, split: Split) -> dict[str, float]:
    if split.kind is Kind.MULTI_LABEL:
        return multi_label.measured(head.logits(features), split.targets.values)
    return measured(head.logits(features), split.truth, context.class_weights)


def _solved(context: TrainingContext, features: Sequence[Rows], like: Head | LabelHeads | None) -> Head | LabelHeads:
    """The head of the training images."""
    if context.dataset.kind is Kind.MULTI_LABEL or isinstance(like, LabelHeads):
        return multi_label.solve(context, features)
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
