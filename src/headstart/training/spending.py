"""A time limit -> what the time that is left is spent on, by what gains most (benchmarks/LOG.md): the mirrored view of
the training images, a second base beside the default one, fine-tuning.

How long these take is told from the rate of the engine, which is measured.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from headstart.data.dataset import Dataset
from headstart.engines.base import run_all
from headstart.events import Listener, Message
from headstart.features.extractor import FeatureExtractor
from headstart.models import backbones
from headstart.models.backbones import SIDE_BY_SIDE, get_backbone, name_of
from headstart.models.weights import PRETRAINED, keras_is_installed
from headstart.time_limit import TimeLimit, duration
from headstart.training.config import TrainingConfig
from headstart.training.recipes import Phase

BATCHES = 3  # that the rate is measured with
WITH_KERAS = 15.0  # seconds until Keras is imported, and a network built and compiled
SECOND = "mobilenet_v2"  # whose weights are at hand, too
TWO_VIEWS = 2


class Against(NamedTuple):
    """Why a fine-tuning is not done. code, facts: as of a `Message`."""

    text: str
    code: str
    facts: Mapping[str, str | float] = MappingProxyType({})


def why_frozen(config: TrainingConfig) -> Against | None:
    """Why no layers of the base can be trained; None where they can."""
    row, name = get_backbone(config.backbone), name_of(config.backbone)
    if row.parts:
        return Against("of bases side by side, only the head is trained.", "no-fine-tuning-side-by-side")
    if row.is_keras:
        return None
    return Against(f"'{name}' is the network of a file, which stays as it is.", "no-fine-tuning-file", {"name": name})


def engine_rate(extractor: FeatureExtractor) -> float:
    """Images per second of its engine, without decoding."""
    engine = extractor.engine
    size = extractor.spec.image_size
    batches = [np.zeros((engine.batch_size, size, size, 3), np.uint8)] * BATCHES
    start = time.perf_counter()
    run_all(engine, batches, BATCHES * engine.batch_size)
    return BATCHES * engine.batch_size / (time.perf_counter() - start)


def with_second_base(config: TrainingConfig, dataset: Dataset, limit: TimeLimit, listener: Listener) -> TrainingConfig:
    """The same, with a second base beside the default one, if nobody has named a base, and there is time for it."""
    tuned = config.recipe.fine_tuning is not None and config.recipe.fine_tuning.patience is None
    is_free = config.chooses_backbone and config.backbone == backbones.DEFAULT and config.weights == PRETRAINED
    if not (limit.is_set and is_free and keras_is_installed() and config.recipe.reads_depths) or tuned:
        return config
    rate = engine_rate(FeatureExtractor(config.feature_spec, listener=listener, compute=config.compute))
    # the images once more, and with two bases, their mirrored views
    needed = WITH_KERAS + (len(dataset) + TWO_VIEWS * len(dataset.train)) / rate
    if not limit.allows(needed):
        return config
    listener.emit(Message(f"{limit}: a second base, {SECOND}, is put beside {config.backbone}."))
    return replace(config, backbone=f"{config.backbone}{SIDE_BY_SIDE}{SECOND}")


def needed_for_fine_tuning(phase: Phase, count: int, views: int, rate: float, *, validated: float) -> float:
    """Seconds that a fine-tuning of so many training images takes at least, two epochs.

    A step takes about as long as the engine needs for its images. validated: how many fine-tunings more are done to
    tell whether it helps.
    """
    epochs = min(phase.epochs, 2) + validated * phase.epochs
    return WITH_KERAS + (views + epochs) * count / rate


def too_long(seconds: float, limit: TimeLimit) -> str:
    """Why something is not done."""
    return f"it takes {duration(seconds)} or more, and {limit}"
