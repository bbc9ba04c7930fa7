"""The stage that learns what is none of the classes: photos of the classes and `_other` photos -> OtherHead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.classifier.calibration import fit_temperature
from headstart.classifier.others import OtherHead
from headstart.data.dataset import Split
from headstart.data.splits import TRAIN, VALIDATION
from headstart.features.depth_head import solve_depths
from headstart.features.linear_head import some_images
from headstart.training.context import TrainingContext
from headstart.training.trained import Trained

MOST = 10_000  # photos of the classes that it is solved on: all that is to be known of them is what they are not


def fit_other_head(context: TrainingContext, trained: Trained) -> OtherHead | None:
    """None where there are no `_other` photos to learn from.

    It is solved as the classifier's own head is, with one class more, and calibrated on the validation photos.
    """
    dataset, seed = context.dataset, context.config.seed
    if not dataset.others or not len(dataset.others[TRAIN]):
        return None
    train, others, classes = dataset.train, dataset.others[TRAIN], len(dataset.class_names)
    if len(train) > MOST:
        train = train.take(some_images(train.labels, MOST, seed))
    features = _features(trained, train, others)
    labels = np.concatenate([train.labels, np.full(len(others), classes)])
    photos = np.concatenate([train.photos, train.photos.max() + 1 + others.photos])
    head = solve_depths([features], _sizes(context, features), labels, classes + 1, seed=seed, photos=photos)
    found = OtherHead(np.concatenate([head.kernel, head.bias[None]]).astype(np.float32), 1.0)
    known, others = dataset.validation, dataset.others[VALIDATION]
    logits = found.logits(_features(trained, known, others))
    is_other = np.repeat([0, 1], [len(known), len(others)])
    return replace(found, temperature=fit_temperature(logits[:, None], is_other))


def _features(trained: Trained, known: Split, others: Split) -> np.ndarray:
    """(n, numbers), of photos of the classes and then of others."""
    return np.concatenate([trained.features(split)[:] for split in (known, others) if len(split)])


def _sizes(context: TrainingContext, features: np.ndarray) -> tuple[int, ...]:
    """How many numbers each block of the features has."""
    sizes = context.pretrained.spec.block_sizes
    return tuple(sizes) if sum(sizes) == features.shape[1] else (features.shape[1],)
