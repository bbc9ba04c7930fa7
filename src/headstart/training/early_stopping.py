"""EarlyStopping: losses, epoch by epoch -> whether to go on, and which epoch was the best. Knows nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EarlyStopping:
    """When a phase ends.

    epochs: how many it has, at most.
    patience: epochs without a new low of the loss after which it ends; None: after `epochs`.
    """

    epochs: int
    patience: int | None = None

    def is_over(self, losses: Sequence[float]) -> bool:
        """Whether nothing more is to be done after epochs with these losses: all are done, none of the last ones was
        the best, or the last loss is no number."""
        if self.patience is None or not losses or len(losses) >= self.epochs:
            return len(losses) >= self.epochs
        return len(losses) > self.patience + losses.index(min(losses)) or not math.isfinite(losses[-1])

    def is_new_low(self, loss: float, losses: Sequence[float]) -> bool:
        """Whether a loss is lower than those of all epochs before it."""
        return loss < min(losses, default=math.inf)
