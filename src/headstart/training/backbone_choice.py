"""Which base suits a collection? Each gives its features of training photos, and heads on these are measured.

By cross-validation, copies of a photo on one side. Validation and test photos are not looked at, so that they can
measure the base that is chosen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart.data.dataset import Dataset, Split
from headstart.data.images import read_again
from headstart.engines.base import in_batches, run_all
from headstart.errors import DatasetError, MissingExtraError, ModelError
from headstart.events import Listener, Message
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.inspection.label_issues import FOLDS, out_of_fold_probabilities
from headstart.models.backbones import name_of
from headstart.models.weights import PRETRAINED, files_at_hand
from headstart.statistics import Disagreement, Interval, disagreement, proportion
from headstart.training.config import TrainingConfig

TIMED = 64  # photos that the rate is measured on
LOOKED_AT = 2_000  # training photos, at most, that `--backbone auto` measures the bases on


@dataclass(frozen=True)
class MeasuredBackbone:
    """A base, measured.

    accuracy: of heads on photos that they have not seen. rate: images per second of its network on this computer,
    without reading them. megabytes: of its file of weights, where that is known. against_first: None for the first.
    """

    backbone: str
    image_size: int
    accuracy: Interval
    rate: float
    megabytes: float | None
    against_first: Disagreement | None

    @property
    def seconds(self) -> float:
        """That its network takes for 1,000 photos."""
        return 1_000 / self.rate

    @property
    def verdict(self) -> str:
        if self.against_first is None:
            return "the first"
        more, less, p = self.against_first.only_second, self.against_first.only_first, self.against_first.p
        if not self.against_first.is_distinguishable:
            return f"not distinguishable (p = {p:.2g})"
        return f"{'better' if more > less else 'worse'} (p = {p:.2g})"

    @property
    def is_better(self) -> bool:
        """Than the first, not by chance."""
        found = self.against_first
        return found is not None and found.is_distinguishable and found.only_second > found.only_first


class TooSlowError(ModelError):
    """A base computes fewer images per second than were asked for."""


class Comparison:
    """Measures bases on the same photos, one after the other."""

    def __init__(self, train: Split, *, at_least: float | None, listener: Listener) -> None:
        """train: the photos. at_least: images per second that a base must compute; None: any."""
        self.train, self.at_least, self.listener = train, at_least, listener
        self.candidates: list[MeasuredBackbone] = []
        self._first: np.ndarray | None = None

    @property
    def images(self) -> int:
        """How many photos the bases are measured on: those of classes that are large enough."""
        return 0 if self._first is None else len(self._first)

    def measure(self, config: TrainingConfig) -> MeasuredBackbone:
        """Measure the base of a config.

        Raises:
            TooSlowError: it computes fewer images per second than were asked for.
            DatasetError: there are too few photos.
            WeightsError, MissingExtraError: it cannot be loaded.
        """
        extractor = FeatureExtractor(config.feature_spec, listener=self.listener, compute=config.compute)
        rate = self._rate(extractor, config.image_size)
        if self.at_least and rate < self.at_least:
            raise TooSlowError(f"{rate:,.1f} images/s, slower than the {self.at_least:g} that were asked for")
        correct, groups = self._answered(extractor, config.seed)
        first, weights = self._first, config.weights
        files = files_at_hand(config.backbone) if weights == PRETRAINED else [Path(weights)]
        found = MeasuredBackbone(
            backbone=name_of(config.backbone),
            image_size=config.image_size,
            accuracy=proportion(correct, groups),
            rate=rate,
            megabytes=sum(file.stat().st_size for file in files) / 1e6 if files else None,
            against_first=None if first is None else disagreement(first, correct, groups),
        )
        self._first = correct if first is None else first
        self.candidates.append(found)
        return found

    def _answered(self, extractor: FeatureExtractor, seed: int) -> tuple[np.ndarray, list[str] | None]:
        """bool (n,): which photos are answered correctly; their groups, if photos come in groups."""
        train, rows = self.train, rows_of(extractor.features(self.train))
        compact = Compact.of(rows, extractor.spec.block_sizes, seed=seed)(rows)
        out_of_fold = out_of_fold_probabilities(compact, train.labels, train.photos, seed=seed)
        answered = np.flatnonzero(~np.isnan(out_of_fold).any(axis=1))
        if not len(answered):
            raise DatasetError(
                f"Fewer than two classes have {FOLDS} different training photos each, the least that "
                f"cross-validation needs. Add photos."
            )
        correct = out_of_fold[answered].argmax(axis=1) == train.labels[answered]
        return correct, [train.groups[place] for place in answered] if train.groups else None

    def _rate(self, extractor: FeatureExtractor, image_size: int) -> float:
        pixels = np.stack([read_again(path, image_size) for path in self.train.paths[:TIMED]])
        return len(pixels) / _seconds(extractor, pixels)


def _seconds(extractor: FeatureExtractor, pixels: np.ndarray) -> float:
    """That the network takes for these photos, decoded; the first time it is slower."""
    engine, seconds = extractor.engine, 0.0
    for _ in range(2):
        start = time.perf_counter()
        run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))
        seconds = time.perf_counter() - start
    return seconds


def best_of(candidates: Sequence[MeasuredBackbone]) -> MeasuredBackbone:
    """The most accurate of those that are better than the first, not by chance; or else the first."""
    return max([each for each in candidates if each.is_better] or candidates[:1], key=lambda each: each.accuracy.value)


def why_best(candidates: Sequence[MeasuredBackbone]) -> str:
    """In a sentence."""
    best, first = best_of(candidates), candidates[0]
    if best is not first and best.against_first:
        return f"better than {first.backbone}, and not by chance (p = {best.against_first.p:.2g})"
    return "no other at hand is better than by chance" if candidates[1:] else "no other at hand is fast enough"


def with_backbone(config: TrainingConfig, dataset: Dataset, listener: Listener) -> TrainingConfig:
    """The same; if it leaves the base to the training images, with that which suits them.

    Raises:
        ModelError: no base at hand is as fast as was asked for.
        ImageError, CancelledError: see `FeatureExtractor.features`.
    """
    if not config.candidates:
        return config
    images = dataset.train.take(linear_head.validated_images(dataset.train.labels, LOOKED_AT, config.seed))
    comparison = Comparison(images, at_least=config.at_least, listener=listener)
    tried: list[TrainingConfig] = []
    left_out: dict[str, str] = {}
    for name, weights in config.candidates:
        try:
            candidate = config.with_base(name, weights)
            comparison.measure(candidate)
        except (ModelError, MissingExtraError) as error:
            left_out[name_of(name)] = str(error)
        except DatasetError as error:
            listener.emit(Message(f"The base is {config.backbone}: {error}"))
            return replace(config, candidates=())
        else:
            tried.append(candidate)
    if not tried:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise ModelError(
            f"No base at hand can be used: {reasons}. Ask for fewer images/s, or name one with --backbone."
        )
    found = comparison.candidates
    chosen = tried[found.index(best_of(found))]
    lines = [
        f"The base is {name_of(chosen.backbone)}: {why_best(found)}.",
        *(f"  {each.backbone}: {each.accuracy} of training photos, {each.rate:,.1f} images/s" for each in found),
        *(f"  {name} is left out: {reason}" for name, reason in left_out.items()),
    ]
    listener.emit(Message("\n".join(lines)))
    return chosen
