"""A collection and pretrained bases -> how well each base tells its classes apart: `headstart backbones DATA`.

Each base gives its features of the training photos, and heads on these are measured by cross-validation, copies of a
photo on one side. Validation and test photos are not used, so that they can measure the chosen base.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headstart.commands.run_splits import copy_groups
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.images import read_again
from headstart.data.loading import Collection, build_dataset, collect
from headstart.data.resizing import STRETCH
from headstart.data.source import DataSource
from headstart.engines.base import in_batches, run_all
from headstart.errors import DatasetError, MissingExtraError, WeightsError
from headstart.events import Listener, Step, StepStarted
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.inspection.label_issues import FOLDS, out_of_fold_probabilities
from headstart.models.backbones import BACKBONES, DEFAULT
from headstart.models.weights import DOWNLOADED, PRETRAINED, files_at_hand
from headstart.statistics import Disagreement, Interval, disagreement, proportion
from headstart.training.config import TrainingConfig

TIMED = 64  # photos that the seconds are measured on


@dataclass(frozen=True)
class MeasuredBackbone:
    """A base, measured.

    accuracy: of heads on photos that they have not seen. seconds: that its network takes for 1,000 photos, on this
    computer. megabytes: of its file of weights, where that is known. against_first: None for the first base.
    """

    backbone: str
    image_size: int
    accuracy: Interval
    seconds: float
    megabytes: float | None
    against_first: Disagreement | None

    @property
    def verdict(self) -> str:
        if self.against_first is None:
            return "the first"
        more, less, p = self.against_first.only_second, self.against_first.only_first, self.against_first.p
        if not self.against_first.is_distinguishable:
            return f"not distinguishable (p = {p:.2g})"
        return f"{'better' if more > less else 'worse'} (p = {p:.2g})"

    def line(self, width: int) -> str:
        """As a line of a table, in which names have that width."""
        accuracy = f"{self.accuracy.value:.1%} ({self.accuracy.low:.1%} to {self.accuracy.high:.1%})"
        size = f"{self.megabytes:,.0f} MB" if self.megabytes else "-"
        return f"{self.backbone:<{width}}  {accuracy:<23}  {self.seconds:>11.1f}  {size:>8}  {self.verdict}"


@dataclass(frozen=True)
class BackboneComparison:
    """images: how many photos each base was measured on. candidates: in the order in which they were measured.
    left_out: other backbones, and why."""

    images: int
    candidates: tuple[MeasuredBackbone, ...]
    left_out: dict[str, str]

    def to_json(self) -> dict:
        rows = [asdict(each) | {"verdict": each.verdict} for each in self.candidates]
        return {"images": self.images, "candidates": rows, "left_out": self.left_out}

    def __str__(self) -> str:
        width = max([20, *(len(each.backbone) for each in self.candidates)])
        lines = [
            f"{self.images:,} training photos, each answered by heads that have not seen it",
            f"{'backbone':<{width}}  {'accuracy (95%)':<23}  {'s per 1,000':>11}  {'weights':>8}  against the first",
            *(each.line(width) for each in self.candidates),
        ]
        for reason in dict.fromkeys(self.left_out.values()):
            names = ", ".join(name for name, why in self.left_out.items() if why == reason)
            lines.append(f"Left out: {names}: {reason}")
        return "\n".join(lines)


def _why_not_at_hand(name: str) -> str:
    return "not downloaded" if name in DOWNLOADED else "used with a file of its weights only (train --weights)"


def compare_backbones(
    data: str | Path | DataSource,
    *,
    backbones: Sequence[str],
    image_size: int | None,
    seed: int,
    device: str,
    listener: Listener,
) -> BackboneComparison:
    """See `commands.backbones`."""
    names = list(dict.fromkeys(backbones)) or [name for name in BACKBONES if files_at_hand(name)]
    configs = {name: _config(name, image_size, seed, device) for name in names}
    collection = collect(list_images(DataSource.of(data), listener), listener)
    configs = {name: config.for_values(collection.value_range) for name, config in configs.items()}
    usual = _config(DEFAULT, image_size, seed, device).for_values(collection.value_range)
    train = _training_photos(collection, usual, listener)
    left_out = {} if backbones else {name: _why_not_at_hand(name) for name in BACKBONES if name not in names}
    candidates: list[MeasuredBackbone] = []
    first: np.ndarray | None = None
    for name in names:
        listener.emit(StepStarted(Step.MEASURE_BACKBONE, f"Look with {name}"))
        try:
            correct, groups, seconds = _measured(train, configs[name], listener)
        except (WeightsError, MissingExtraError) as error:
            if backbones:  # what was asked for by name is not left out
                raise
            left_out[name] = str(error)
            continue
        files = files_at_hand(name)
        candidates.append(
            MeasuredBackbone(
                backbone=name,
                image_size=configs[name].image_size,
                accuracy=proportion(correct, groups),
                seconds=seconds,
                megabytes=sum(file.stat().st_size for file in files) / 1e6 if files else None,
                against_first=None if first is None else disagreement(first, correct, groups),
            )
        )
        first = correct if first is None else first
    return BackboneComparison(0 if first is None else len(first), tuple(candidates), left_out)


def _config(backbone: str, image_size: int | None, seed: int, device: str) -> TrainingConfig:
    settings = {"resizing": STRETCH, "weights": PRETRAINED, "seed": seed, "device": device}
    return TrainingConfig.of(backbone=backbone, image_size=image_size, **settings)


def _training_photos(collection: Collection, config: TrainingConfig, listener: Listener) -> Split:
    """The training photos, with their near copies.

    config: always of the default base, so that whatever is compared, in whatever order, the photos are the same.
    """

    def together(found: Split, drawn: np.ndarray) -> np.ndarray:
        return copy_groups(found, drawn, config, listener)

    return build_dataset(collection, seed=config.seed, test_fraction=None, groups=together, listener=listener).train


def _measured(
    train: Split, config: TrainingConfig, listener: Listener
) -> tuple[np.ndarray, list[str] | None, float]:  # fmt: skip
    """bool (n,): which photos of classes that are large enough are answered correctly; their groups, if photos come in
    groups; seconds for 1,000 photos."""
    extractor = FeatureExtractor(config.feature_spec, listener=listener, compute=config.compute)
    rows = rows_of(extractor.features(train))
    compact = Compact.of(rows, extractor.spec.block_sizes, seed=config.seed)(rows)
    out_of_fold = out_of_fold_probabilities(compact, train.labels, train.photos, seed=config.seed)
    answered = np.flatnonzero(~np.isnan(out_of_fold).any(axis=1))
    if not len(answered):
        raise DatasetError(
            f"Fewer than two classes have {FOLDS} different training photos each, the least that "
            f"cross-validation needs. Add photos."
        )
    correct = out_of_fold[answered].argmax(axis=1) == train.labels[answered]
    groups = [train.groups[place] for place in answered] if train.groups else None
    return correct, groups, _seconds(extractor, train, config.image_size)


def _seconds(extractor: FeatureExtractor, train: Split, image_size: int) -> float:
    """Seconds that the network takes for 1,000 photos, without reading them."""
    pixels = np.stack([read_again(path, image_size) for path in train.paths[:TIMED]])
    engine = extractor.engine
    seconds = 0.0
    for _ in range(2):  # the first time it is slower
        start = time.perf_counter()
        run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))
        seconds = time.perf_counter() - start
    return seconds * 1_000 / len(pixels)
