"""A collection and pretrained bases -> how well each base tells its classes apart: `headstart backbones DATA`.

How a base is measured is in `training/backbone_choice.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from headstart.commands.run_splits import copy_groups
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import Collection, build_dataset, collect
from headstart.data.resizing import STRETCH
from headstart.data.source import DataSource
from headstart.errors import MissingExtraError, ModelError, WeightsError
from headstart.events import Listener, Step, StepStarted
from headstart.models.at_hand import bases_at_hand
from headstart.models.backbones import BACKBONES, DEFAULT, name_of
from headstart.models.weights import DOWNLOADED, PRETRAINED
from headstart.training.backbone_choice import Comparison, MeasuredBackbone, TooSlowError, best_of, why_best
from headstart.training.config import TrainingConfig


@dataclass(frozen=True)
class BackboneComparison:
    """images: how many photos each base was measured on. candidates: in the order in which they were measured.
    left_out: other backbones, and why."""

    images: int
    candidates: tuple[MeasuredBackbone, ...]
    left_out: dict[str, str]

    @property
    def best(self) -> MeasuredBackbone | None:
        """The one that `train --backbone auto` would take, if they are what is at hand."""
        return best_of(self.candidates) if self.candidates else None

    def to_json(self) -> dict:
        rows = [asdict(each) | {"seconds": each.seconds, "verdict": each.verdict} for each in self.candidates]
        best = self.best and self.best.backbone
        return {"images": self.images, "candidates": rows, "best": best, "left_out": self.left_out}

    def __str__(self) -> str:
        width = max([20, *(len(each.backbone) for each in self.candidates)])
        lines = [
            f"{self.images:,} training photos, each answered by heads that have not seen it",
            f"{'backbone':<{width}}  {'accuracy (95%)':<23}  {'images/s':>8}  {'weights':>8}  against the first",
            *(_line(each, width) for each in self.candidates),
        ]
        if self.best and self.candidates[1:]:
            lines.append(f"Choose {self.best.backbone}: {why_best(self.candidates)}.")
        for reason in dict.fromkeys(self.left_out.values()):
            names = ", ".join(name for name, why in self.left_out.items() if why == reason)
            lines.append(f"Left out: {names}: {reason}")
        return "\n".join(lines)


def _line(found: MeasuredBackbone, width: int) -> str:
    """As a line of a table, in which names have that width."""
    accuracy = f"{found.accuracy.value:.1%} ({found.accuracy.low:.1%} to {found.accuracy.high:.1%})"
    size = f"{found.megabytes:,.0f} MB" if found.megabytes else "-"
    return f"{found.backbone:<{width}}  {accuracy:<23}  {found.rate:>8,.1f}  {size:>8}  {found.verdict}"


def _why_not_at_hand(name: str) -> str:
    return "not downloaded" if name in DOWNLOADED else "used with a file of its weights only (--weights)"


def compare_backbones(
    data: str | Path | DataSource,
    *,
    backbones: Sequence[str],
    image_size: int | None,
    weights: str | Path,
    at_least: float | None,
    seed: int,
    device: str,
    listener: Listener,
) -> BackboneComparison:
    """See `commands.backbones`."""
    at_hand = bases_at_hand(weights)
    named = {name: at_hand.get(name, PRETRAINED) for name in backbones}
    left_out = {} if named else {name: _why_not_at_hand(name) for name in BACKBONES if name not in at_hand}
    configs: dict[str, TrainingConfig] = {}
    for name, of_it in (named or at_hand).items():
        try:
            configs[name] = _config(name, of_it, image_size, seed, device)
        except (ModelError, MissingExtraError) as error:
            if named or name in BACKBONES:  # what was asked for by name is not left out
                raise
            left_out[name_of(name)] = str(error)
    source = DataSource.of(data)
    source.check_one_label("`headstart backbones`")
    collection = collect(list_images(source, listener), listener)
    usual = _config(DEFAULT, PRETRAINED, image_size, seed, device).for_values(collection.value_range)
    train = _training_photos(collection, usual, listener)
    comparison = Comparison(train, at_least=at_least, listener=listener)
    for name, config in configs.items():
        listener.emit(StepStarted(Step.MEASURE_BACKBONE, f"Look with {name_of(name)}"))
        try:
            comparison.measure(config.for_values(collection.value_range))
        except TooSlowError as error:
            left_out[name_of(name)] = str(error)
        except (WeightsError, MissingExtraError) as error:
            if named:
                raise
            left_out[name_of(name)] = str(error)
    return BackboneComparison(comparison.images, tuple(comparison.candidates), left_out)


def _config(backbone: str, weights: str | Path, image_size: int | None, seed: int, device: str) -> TrainingConfig:
    settings = {"resizing": STRETCH, "weights": weights, "seed": seed, "device": device}
    return TrainingConfig.of(backbone=backbone, image_size=image_size, **settings)


def _training_photos(collection: Collection, config: TrainingConfig, listener: Listener) -> Split:
    """The training photos, with their near copies.

    config: always of the default base, so that whatever is compared, in whatever order, the photos are the same.
    """

    def together(found: Split, drawn: np.ndarray) -> np.ndarray:
        return copy_groups(found, drawn, config, listener)

    return build_dataset(collection, seed=config.seed, test_fraction=None, groups=together, listener=listener).train
