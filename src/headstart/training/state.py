"""TrainingState: what is known after some epochs of a training. Never changed: each epoch gives a new one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.array_types import Bool

Weights = tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class TrainingState:
    """After as many epochs as `history` has rows.

    history: a row of history.csv for each epoch; a solved head has one. Its training loss and accuracy are those in the
        original view, or from the fine-tuning after it on, in the views of that.
    calibrated_losses: the calibrated validation loss of each row; NaN where a phase keeps its last epoch anyway.
    correct: which validation images are predicted correctly by the head alone, and by the best epoch of fine-tuning;
        empty where neither is compared.
    weights: of the whole network. optimizer: its variables.
    best: the weights that the phase would end with, if they differ from `weights`; else empty.
    depth_weight: what share of the variance the depths before the last were given as the head was solved; NaN where it
        reads the last layer alone.
    """

    history: tuple[dict[str, Any], ...] = ()
    calibrated_losses: tuple[float, ...] = ()
    correct: tuple[Bool[np.ndarray, " n"], ...] = ()
    weights: Weights = ()
    optimizer: Weights = ()
    best: Weights = ()
    depth_weight: float = math.nan

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history)

    def rows_of(self, phase: str) -> list[dict[str, Any]]:
        return [row for row in self.history if row["phase"] == phase]

    def losses_of(self, phase: str) -> list[float]:
        """The calibrated validation losses of a phase, epoch by epoch."""
        return [loss for row, loss in self._judged_rows if row["phase"] == phase]

    def loss_before(self, phase: str) -> float:
        """The calibrated validation loss at the end of the phases before; infinity where there is none."""
        losses = [loss for row, loss in self._judged_rows if row["phase"] != phase]
        return losses[-1] if losses else math.inf

    def with_row(self, row: dict[str, Any], calibrated_loss: float = math.nan) -> "TrainingState":
        """The state after one epoch more."""
        return replace(self, history=(*self.history, row), calibrated_losses=(*self.calibrated_losses, calibrated_loss))

    def with_reference(self, correct: Bool[np.ndarray, " n"], loss: float) -> "TrainingState":
        """With what fine-tuning is compared with: the head alone, as it is now."""
        losses = (*self.calibrated_losses[:-1], loss) if self.history else ()
        return replace(self, correct=(correct, correct), calibrated_losses=losses)

    def with_training(self, measured: dict[str, float]) -> "TrainingState":
        """With other numbers of the training images in the last row."""
        return replace(self, history=(*self.history[:-1], self.history[-1] | measured))

    @property
    def _judged_rows(self) -> Sequence[tuple[dict[str, Any], float]]:
        return list(zip(self.history, self.calibrated_losses, strict=True))
