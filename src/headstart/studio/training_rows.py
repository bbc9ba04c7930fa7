"""Photos that heads are solved on: components, labels and folds -> the head of all of them, and those of the folds,
each without what is in its fold. Knows no other photos, and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from headstart.array_types import Float32, Float64, Int64
from headstart.concurrency import cpu_budget, single_threaded_products
from headstart.numerics import cross_entropies, log_probabilities
from headstart.studio.heads import TOLERANCE, Penalty, solve_from
from headstart.studio.pseudo_labels import Spreading

T = TypeVar("T")
ALL = -2  # in place of a fold: the head that sees all labels


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """labels: below 0 where there is none. folds: `folds.NO_FOLD` for those that all heads see. spreading: of the same
    photos, where those without labels may be given probable ones."""

    components: Float32[np.ndarray, "m numbers"]
    labels: Int64[np.ndarray, " m"]
    folds: Int64[np.ndarray, " m"]
    spreading: Spreading | None = None

    def solved(
        self,
        start: Float64[np.ndarray, "numbers classes"],
        fold: int,
        penalty: Penalty,
        pseudo_weight: float,
        check: Callable[[], None],
        *,
        tolerance: float = TOLERANCE,
    ) -> Float64[np.ndarray, "numbers classes"]:
        """The head without a fold, or that of ALL. pseudo_weight: what a sure probable label counts, of a label."""
        seen = np.where(self.folds == fold, -1, self.labels)
        labels, counts = seen, (seen >= 0).astype(np.float32)
        if pseudo_weight and self.spreading:
            # photos of the fold are given probable labels as well: as those that wait for a label are, in the end
            labels, sure = self.spreading.pseudo_labels(seen)
            counts = np.where(seen >= 0, sure, np.float32(pseudo_weight) * sure)
        return solve_from(start, self.components, labels, counts, penalty, tolerance=tolerance, check=check)

    def losses(
        self, heads: dict[int, np.ndarray], penalty: Penalty, pseudo_weight: float, check: Callable[[], None]
    ) -> Float64[np.ndarray, " held_out"]:
        """The cross-entropy of each photo that is in a fold, by the head without it.

        heads: of each fold, to start from; they are replaced by the solved ones.
        """

        def of_fold(fold: int) -> np.ndarray:
            heads[fold] = self.solved(heads[fold], fold, penalty, pseudo_weight, check)
            out = self.folds == fold
            return cross_entropies(log_probabilities(logits(self.components[out], heads[fold])), self.labels[out])

        return np.concatenate(side_by_side(of_fold, sorted(heads)))


def logits(components: np.ndarray, head: np.ndarray) -> np.ndarray:
    """float32 (n, numbers) -> float64 (n, classes)"""
    flat = head.astype(np.float32)
    return (components @ flat[:-1] + flat[-1]).astype(np.float64)


def side_by_side(work: Callable[[int], T], numbers: Sequence[int]) -> list[T]:
    """Of each number, on all cores: the products of a single head are too small to be shared among threads."""
    with single_threaded_products(), ThreadPoolExecutor(cpu_budget()) as pool:
        return list(pool.map(work, numbers))
