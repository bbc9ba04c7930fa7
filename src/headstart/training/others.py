"""The stage that learns what is none of the classes: photos of the classes and `_other` photos -> OtherHead."""

from __future__ import annotations

import numpy as np

from headstart.classifier.calibration import fit_temperature
from headstart.classifier.others import OtherHead
from headstart.data.dataset import Split
from headstart.data.splits import TRAIN, VALIDATION
from headstart.features.depth_head import solve_depths
from headstart.features.linear_head import Head
from headstart.training.context import TrainingContext
from headstart.training.trained import Trained

MOST = 10_000  # photos of the classes that it is solved on, drawn at random: that other ones are alike is soon seen


def fit_other_head(context: TrainingContext, trained: Trained) -> OtherHead | None:
    """None where there are no `_other` photos to learn from.

    It is solved as the classifier's own head is, and calibrated on the validation photos of both kinds.
    """
    dataset, seed = context.dataset, context.config.seed
    if not dataset.others or not len(dataset.others[TRAIN]):
        return None
    train = dataset.train
    if len(train) > MOST:
        train = train.take(np.sort(np.random.default_rng(seed).permutation(len(train))[:MOST]))
    features, is_other = _both(trained, train, dataset.others[TRAIN])
    photos = np.concatenate([train.photos, train.photos.max() + 1 + dataset.others[TRAIN].photos])
    head = solve_depths([features], _sizes(context, features), is_other, 2, seed=seed, photos=photos)
    held_out, labels = _both(trained, dataset.validation, dataset.others[VALIDATION])
    return _calibrated(head, fit_temperature(head.logits(held_out), labels))


def _both(trained: Trained, known: Split, others: Split) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, numbers) of photos of the classes and of others, and which of them are others (n,)."""
    rows = [trained.features(split)[:] for split in (known, others) if len(split)]
    return np.concatenate(rows), np.repeat([0, 1], [len(known), len(others)])


def _sizes(context: TrainingContext, features: np.ndarray) -> tuple[int, ...]:
    """How many numbers each block of the features has."""
    sizes = context.pretrained.spec.block_sizes
    return tuple(sizes) if sum(sizes) == features.shape[1] else (features.shape[1],)


def _calibrated(head: Head, temperature: float) -> OtherHead:
    weights = np.concatenate([head.kernel[:, 0], head.bias[:1]]) / temperature
    return OtherHead(weights.astype(np.float32))
