"""A path of labelled photos -> which pretrained base tells their classes apart best: `headstart backbones DATA`.

Each base gives its features of the training photos, and heads on these answer photos that they have not seen
(cross-validation, copies on one side). Validation and test photos are not looked at, so that they can judge the choice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headstart.commands.train import copy_groups
from headstart.data.dataset import Split
from headstart.data.images import read_again
from headstart.data.loading import load_dataset
from headstart.data.resizing import STRETCH
from headstart.engines.base import in_batches, run_all
from headstart.errors import DatasetError, WeightsError
from headstart.events import Listener, Step, StepStarted
from headstart.features.extractor import FeatureExtractor
from headstart.inspection import label_issues
from headstart.listeners.console import Console
from headstart.models.backbones import BACKBONES, DEFAULT
from headstart.models.weights import PRETRAINED, file_at_hand
from headstart.statistics import Disagreement, Interval, disagreement, wilson
from headstart.training import recipes
from headstart.training.config import TrainingConfig

TIMED = 64  # photos that the seconds are measured on


@dataclass(frozen=True)
class Candidate:
    """A base, measured.

    accuracy: of heads on photos that they have not seen. seconds: that its network takes for 1,000 photos, on this
    computer. megabytes: of its file of weights, where that is known. against_first: None for the first.
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


@dataclass(frozen=True)
class Choice:
    """candidates: in the order in which they were tried. left_out: other backbones, and why."""

    images: int
    candidates: tuple[Candidate, ...]
    left_out: dict[str, str]

    def to_json(self) -> dict:
        rows = [asdict(each) | {"verdict": each.verdict} for each in self.candidates]
        return {"images": self.images, "candidates": rows, "left_out": self.left_out}

    def __str__(self) -> str:
        lines = [
            f"{self.images:,} training photos, each answered by heads that have not seen it",
            f"{'backbone':<20}  {'accuracy (95%)':<23}  {'s per 1,000':>11}  {'weights':>8}  against the first",
        ]
        for each in self.candidates:
            accuracy = f"{each.accuracy.value:.1%} ({each.accuracy.low:.1%} to {each.accuracy.high:.1%})"
            size = f"{each.megabytes:,.0f} MB" if each.megabytes else "-"
            lines.append(f"{each.backbone:<20}  {accuracy:<23}  {each.seconds:>11.1f}  {size:>8}  {each.verdict}")
        for reason in dict.fromkeys(self.left_out.values()):
            names = ", ".join(name for name, why in self.left_out.items() if why == reason)
            lines.append(f"Left out: {names}: {reason}")
        return "\n".join(lines)


def choose_backbone(
    data: str | Path,
    *,
    backbones: Sequence[str] = (),
    image_size: int | None = None,
    seed: int = 0,
    listener: Listener | None = None,
) -> Choice:
    """Compare pretrained bases on the training photos of a collection.

    Args:
        data: folder, zip or CSV, see `load_dataset`.
        backbones: names of rows of BACKBONES, whose weights are downloaded where they are not there; by default all
            whose weights are at hand.
        image_size: side in pixels; by default what each was pretrained at.
        seed: of the splits, as in `headstart.train`, and of the parts in which photos are held out.
        listener: where to report to; by default to standard error.

    Raises:
        HeadstartError: with what is wrong and what to do.
    """
    listener = listener or Console()
    names = list(dict.fromkeys(backbones)) or [name for name in BACKBONES if file_at_hand(name)]
    settings = {name: _settings(name, image_size, seed) for name in names}
    usual = _settings(DEFAULT, image_size, seed)  # whatever is compared, in whatever order: the same training photos
    groups: dict[str, str] = {}  # digest of a photo -> the photo that it is a copy of

    def together(found: Split, drawn: np.ndarray) -> list[str]:
        called = copy_groups(found, drawn, usual, listener)
        groups.update(zip(found.digests, called, strict=True))
        return called

    train = load_dataset(data, seed=seed, groups=together, listener=listener).train
    parts = np.unique([groups[digest] for digest in train.digests], return_inverse=True)[1]
    candidates: list[Candidate] = []
    answers: list[np.ndarray] = []
    left_out = {} if backbones else {name: "not downloaded" for name in BACKBONES if name not in names}
    for name in names:
        listener.emit(StepStarted(Step.MEASURE_BACKBONE, f"Look with {name}"))
        try:
            right, seconds = _tried(train, parts, settings[name], listener)
        except WeightsError as error:
            if backbones:
                raise
            left_out[name] = str(error)
            continue
        between = disagreement(answers[0], right) if answers else None
        answers.append(right)
        file = file_at_hand(name)
        candidates.append(
            Candidate(
                name, settings[name].image_size, wilson(int(right.sum()), len(right)), seconds,
                file.stat().st_size / 1e6 if file else None, between,
            )
        )  # fmt: skip
    return Choice(len(answers[0]), tuple(candidates), left_out)


def _settings(backbone: str, image_size: int | None, seed: int) -> TrainingConfig:
    return TrainingConfig.of(
        recipe=recipes.DEFAULT, backbone=backbone, image_size=image_size, resizing=STRETCH, weights=PRETRAINED,
        seed=seed, execution="cached", precision="float32",
    )  # fmt: skip


def _tried(train: Split, groups: np.ndarray, settings: TrainingConfig, listener: Listener) -> tuple[np.ndarray, float]:
    """Bool (n,), which photos are answered rightly, of those in classes that are large enough; seconds for 1,000."""
    extractor = FeatureExtractor(settings.feature_spec, listener=listener)
    judged = label_issues.out_of_fold(extractor.features(train), train.labels, groups, seed=settings.seed)
    known = ~np.isnan(judged).any(axis=1)
    if not known.any():
        raise DatasetError(
            f"Fewer than two classes have {label_issues.FOLDS} different training photos each, which it takes to hold some "
            f"of them out. Add photos."
        )
    some = [read_again(path, settings.image_size) for path in train.paths[:TIMED]]
    pixels, engine = np.stack(some), extractor.engine

    def run() -> None:
        run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))

    run()  # the first time it is slower
    start = time.perf_counter()
    run()
    seconds = (time.perf_counter() - start) * 1_000 / len(some)
    return judged[known].argmax(axis=1) == train.labels[known], seconds
