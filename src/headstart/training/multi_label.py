"""Several labels per photo: how a training differs. The settings that suit, and the heads, which are solved
(`features/label_heads.py`): no layer of the base is trained. Their calibration is in `calibrate_labels.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.array_types import Float, Float32
from headstart.data.views import ORIGINAL
from headstart.errors import ModelError
from headstart.events import Listener, Message
from headstart.features.label_heads import LabelHeads, solve_labels
from headstart.features.rows import Rows
from headstart.numerics import label_cross_entropies
from headstart.training.config import AUTO, TrainingConfig
from headstart.training.context import TrainingContext


def for_labels(config: TrainingConfig, class_names: Sequence[str]) -> TrainingConfig:
    """The same, adapted to several labels per photo: a solved head, on photos as they are unless views are named.

    Raises:
        ModelError: something was asked for that needs exactly one class per photo.
    """
    recipe, stakes = config.recipe, config.stakes
    refused = {
        f"the recipe '{recipe.name}' fits layers. Take the recipe 'fast'": not recipe.solves_head,
        "--fine-tune always trains the base. Leave it out": recipe.fine_tuning and recipe.fine_tuning.patience is None,
        "--balanced weighs classes. Leave it out: each label has a threshold of its own": recipe.balanced,
        "--backbone auto compares accuracies. Name one, and try others with headstart compare": config.candidates,
        "--resize auto compares accuracies. Name one, and try others with headstart compare": config.resizing == AUTO,
        "--on trains on a cluster. Leave it out": config.executor,
        "--ordinal is about ranks, and a photo has one rank. Leave it out": stakes and stakes.ordinal is not False,
        "--cost is about one answer per photo. Take --recall LABEL=SHARE or --label-precision LABEL=SHARE": (
            stakes and stakes.costs is not None
        ),
    }
    for what, is_asked in refused.items():
        if is_asked:
            raise ModelError(f"With several labels per photo, each label's head is solved on this machine, but {what}.")
    if config.stakes:
        config.stakes.check(class_names)
    views = ORIGINAL if config.views == AUTO else config.views
    return replace(config, recipe=replace(recipe, fine_tuning=None), views=views)


def tell(config: TrainingConfig, listener: Listener) -> None:
    """That nothing is fine-tuned, where the recipe would try it."""
    if config.recipe.fine_tuning:
        text = "No fine-tuning: with several labels per photo, only the heads are solved; the base stays as it is."
        listener.emit(Message(text, "no-fine-tuning-labels"))


def solve(context: TrainingContext, features: Sequence[Rows]) -> LabelHeads:
    """The heads of the training images. features: of each view."""
    train = context.dataset.train
    sizes, targets = context.pretrained.spec.block_sizes, train.targets.values
    return solve_labels(features, sizes, targets, seed=context.config.seed, photos=train.photos)


def measured(logits: Float[np.ndarray, "n labels"], targets: Float32[np.ndarray, "n labels"]) -> dict[str, float]:
    """`loss`, the mean cross-entropy of a label of an image, and `accuracy`, 0..1: how many images have all labels
    right, where those with a probability of one half are answered."""
    return {
        "loss": float(label_cross_entropies(logits, targets).mean()),
        "accuracy": float(((logits > 0) == (targets > 0)).all(axis=1).mean()),
    }
