"""Features and labels of photos -> Answers: again after each label.

All heads are solved from the last ones on, which takes a few steps, and the folds of cross-validation stay as they are
while labels change. How much the depths count, and C, are chosen by cross-validation once, and again where many labels
have changed. Knows no HTTP, no files, and no journal of labels.

    solver = AnswerSolver(photos, groups)          # groups: Duplicates.groups, or np.arange(n)
    first = solver.first(labels, class_names)      # at once: usual weight and C, no choice
    exact = solver.answers(labels, class_names)    # chooses weight and C where that is due, solves to tolerance
    again = solver.answers(labels, class_names)    # after a label: within a second for 2,000 photos

A solver is used by one thread at a time; Answers never change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.array_types import Bool, Float64, Int
from headstart.classifier.calibration import Calibration, fit_calibration
from headstart.concurrency import cpu_budget
from headstart.errors import CancelledError, DatasetError
from headstart.features.blocks import USUAL_WEIGHT
from headstart.features.depth_head import VALIDATED, WEIGHTS
from headstart.features.linear_head import C_VALUES, DEFAULT_C, FOLDS, lowest_neighbour, validated_images
from headstart.numerics import cross_entropies, log_probabilities
from headstart.studio.answers import NO_LABEL, SEALED, Answers
from headstart.studio.folds import NO_FOLD, extended
from headstart.studio.heads import Penalty, solve_from
from headstart.studio.photo_features import PhotoFeatures

MUCH = 0.25  # share of the labels: where more have changed, weight and C are chosen again
FEW = 20  # labels: with fewer, weight and C are the usual ones, as little could be validated
MOST = 0.7  # share of the photos: where more are labelled, their rows are not copied


@dataclass(frozen=True, eq=False)
class _Kept:
    """What the next answers start from.

    heads: for components as they come, and the bias: that of all labels, then those of the folds.
    chosen_on: the labels that weight and C were chosen on, by name; None: they are the usual ones.
    """

    class_names: tuple[str, ...]
    heads: Float64[np.ndarray, "heads numbers classes"]
    folds: Int[np.ndarray, " n"]
    calibration: Calibration
    weight: float
    C: float
    chosen_on: np.ndarray | None = None


class AnswerSolver:
    """Keeps the last heads, and with them the folds of the photos."""

    def __init__(self, photos: PhotoFeatures, groups: Int[np.ndarray, " n"], *, seed: int = 0) -> None:
        """groups: photos with the same number, copies of one, are always in the same fold."""
        self._photos, self._groups, self._seed = photos, groups, seed
        self._known = photos.known
        some = photos.components[self._known]
        self._variances = some.var(axis=0, dtype=np.float64) if len(some) else np.ones(photos.components.shape[1])
        numbers = photos.components.shape[1] + 1
        weight = USUAL_WEIGHT if photos.has_depths else 0.0
        folds = np.full(len(photos), NO_FOLD)
        self._kept = _Kept((), np.zeros((FOLDS + 1, numbers, 0)), folds, Calibration(), weight, DEFAULT_C)
        self._seconds: float | None = None

    @property
    def seconds_expected(self) -> float | None:
        """For the next `answers`, by how long the last ones took; None before the first."""
        return self._seconds

    def first(
        self,
        labels: Int[np.ndarray, " n"],
        class_names: Sequence[str],
        *,
        held_out: Bool[np.ndarray, " n"] | None = None,
    ) -> Answers:
        """At once: with the usual weight and C."""
        return self._answers(labels, tuple(class_names), held_out, lambda: False, choose=False)

    def answers(
        self,
        labels: Int[np.ndarray, " n"],
        class_names: Sequence[str],
        *,
        held_out: Bool[np.ndarray, " n"] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Answers:
        """
        Args:
            labels: NO_LABEL for photos that are not labelled, or excluded.
            class_names: may be others than before: heads go on by name.
            held_out: photos of the sealed test set: never trained on, and never counted.
            cancelled: asked between steps.

        Raises:
            CancelledError: the answers are not wanted any more. What the solver keeps is as it was.
        """
        return self._answers(labels, tuple(class_names), held_out, cancelled, choose=True)

    def of_test(self, labels: Int[np.ndarray, " n"], held_out: Bool[np.ndarray, " n"]) -> Answers:
        """The sealed test set opened: what the last head answers, measured on the held-out photos that have a label.

        Raises:
            DatasetError: none of them has one, or no head is solved yet.
        """
        kept, counted = self._kept, held_out & (labels >= 0) & self._known
        if not counted.any() or len(kept.class_names) < 2:
            raise DatasetError(
                "There is nothing to measure on the test set: it needs labelled photos, and the other photos at least "
                "two labelled classes. Label some, and open it then."
            )
        logits = self._logits(kept.heads[0])
        return self._packed(kept, labels, logits, counted, 0.0, of=SEALED)

    def _answers(
        self,
        labels: np.ndarray,
        class_names: tuple[str, ...],
        held_out: np.ndarray | None,
        cancelled: Callable[[], bool],
        *,
        choose: bool,
    ) -> Answers:
        start = time.perf_counter()

        def check() -> None:
            if cancelled():
                raise CancelledError("Other labels have come meanwhile.")

        labels = np.asarray(labels, np.int64)
        usable = (labels >= 0) & self._known
        if held_out is not None:
            usable &= ~held_out
        trained = np.where(usable, labels, NO_LABEL)
        kept = self._continued(class_names, trained)
        if len(np.unique(trained[usable])) < 2:
            return self._packed(kept, labels, np.full((len(labels), 0), np.nan), np.zeros(len(labels), bool), 0.0)
        if choose and self._is_due(kept, trained):
            kept = self._chosen(kept, trained, check)
        kept = replace(kept, heads=self._solved(kept, trained, check))
        logits = self._logits(kept.heads[0])
        counted = usable & (kept.folds != NO_FOLD)
        for fold in range(FOLDS):
            part = counted & (kept.folds == fold)
            logits[part] = _given(self._photos.components[part], kept.heads[1 + fold])
        calibration = fit_calibration(logits[counted], labels[counted]) if counted.any() else Calibration()
        self._kept = kept = replace(kept, calibration=calibration)
        self._seconds = time.perf_counter() - start
        is_final = choose or not self._is_due(kept, trained)
        return self._packed(kept, labels, logits, counted, self._seconds, is_final=is_final)

    def _packed(
        self, kept: _Kept, labels: np.ndarray, logits: np.ndarray, counted: np.ndarray, seconds: float, **more: object
    ) -> Answers:
        probabilities = np.full(logits.shape, np.nan, np.float32)
        if logits.shape[1]:
            probabilities = np.exp(log_probabilities(logits / kept.calibration.temperature)).astype(np.float32)
        return Answers(
            class_names=kept.class_names,
            labels=labels,
            probabilities=probabilities,
            counted=counted,
            groups=self._groups,
            calibration=kept.calibration,
            C=kept.C,
            weight=kept.weight,
            seconds=seconds,
            **more,  # pyright: ignore[reportArgumentType]
        )

    def _continued(self, class_names: tuple[str, ...], trained: np.ndarray) -> _Kept:
        """What was kept, for these classes and labels: heads of new classes are zero."""
        kept = self._kept
        heads = kept.heads
        if class_names != kept.class_names:
            heads = np.zeros((*heads.shape[:2], len(class_names)))
            known = {name: column for column, name in enumerate(kept.class_names)}
            for column, name in enumerate(class_names):
                if name in known:
                    heads[:, :, column] = kept.heads[:, :, known[name]]
        folds = extended(kept.folds, trained, self._groups, seed=self._seed)
        return replace(kept, class_names=class_names, heads=heads, folds=folds)

    def _is_due(self, kept: _Kept, trained: np.ndarray) -> bool:
        """Whether weight and C should be chosen (again)."""
        count = int((trained >= 0).sum())
        if count < FEW:
            return False
        if kept.chosen_on is None:
            return True
        changed = int((_named(trained, kept.class_names) != kept.chosen_on).sum())
        return changed > MUCH * max(int((kept.chosen_on != "").sum()), 1)

    def _chosen(self, kept: _Kept, trained: np.ndarray, check: Callable[[], None]) -> _Kept:
        """Weight and C with the least cross-entropy of answers to unseen photos, on a part of the photos, if there are
        many. Over either it is a valley: from the last choice on, neighbours are tried as long as they are better."""
        rows = np.flatnonzero(kept.folds != NO_FOLD)
        rows = rows[trained[rows] >= 0]
        if not len(rows):
            return kept
        rows = rows[validated_images(trained[rows], VALIDATED, self._seed)]
        tried: dict[float, tuple[float, float]] = {}

        def least(weight: float) -> float:
            if weight not in tried:
                near = min(tried.values())[1] if tried else kept.C
                tried[weight] = self._least_loss(kept, trained, rows, weight, near, check)
            return tried[weight][0]

        weight = kept.weight
        least(weight)
        if self._photos.has_depths:
            place = lowest_neighbour(WEIGHTS.index(weight), len(WEIGHTS), lambda place: least(WEIGHTS[place]))
            weight = WEIGHTS[place]
        return replace(kept, weight=weight, C=tried[weight][1], chosen_on=_named(trained, kept.class_names))

    def _least_loss(
        self, kept: _Kept, trained: np.ndarray, rows: np.ndarray, weight: float, near: float, check: Callable[[], None]
    ) -> tuple[float, float]:
        """The least cross-entropy, and its C."""
        components, labels, folds = self._photos.components[rows], trained[rows], kept.folds[rows]
        heads = {fold: kept.heads[1 + fold] for fold in np.unique(folds).tolist()}
        losses: dict[int, float] = {}

        def loss(place: int) -> float:
            if place not in losses:
                penalty = Penalty(C_VALUES[place], self._photos.emphasis(weight), self._variances)

                def of_fold(fold: int) -> float:
                    counts = (folds != fold).astype(np.float32)
                    heads[fold] = solve_from(heads[fold], components, labels, counts, penalty, check=check)
                    out = folds == fold
                    return float(
                        cross_entropies(log_probabilities(_given(components[out], heads[fold])), labels[out]).sum()
                    )

                losses[place] = sum(_side_by_side(of_fold, list(heads))) / len(rows)
            return losses[place]

        best = lowest_neighbour(C_VALUES.index(near), len(C_VALUES), loss)
        return losses[best], C_VALUES[best]

    def _solved(self, kept: _Kept, trained: np.ndarray, check: Callable[[], None]) -> np.ndarray:
        """The head of all labels, and those of the folds."""
        rows = np.flatnonzero(trained >= 0)
        everywhere = len(rows) > MOST * len(trained) and self._known.all()
        rows = np.arange(len(trained)) if everywhere else rows
        components = self._photos.components if everywhere else self._photos.components[rows]
        labels, folds = trained[rows], kept.folds[rows]
        penalty = Penalty(kept.C, self._photos.emphasis(kept.weight), self._variances)

        def solved(number: int) -> np.ndarray:
            counts = (labels >= 0) & (folds != number - 1 if number else True)
            return solve_from(kept.heads[number], components, labels, counts.astype(np.float32), penalty, check=check)

        return np.stack(_side_by_side(solved, list(range(FOLDS + 1))))

    def _logits(self, head: np.ndarray) -> np.ndarray:
        return _given(self._photos.components, head)


def _given(components: np.ndarray, head: np.ndarray) -> np.ndarray:
    """float32 (n, numbers) -> float64 (n, classes)"""
    flat = head.astype(np.float32)
    return (components @ flat[:-1] + flat[-1]).astype(np.float64)


def _side_by_side(work: Callable[[int], object], numbers: list[int]) -> list:
    """Of each number, on all cores: products of single heads are too small to be shared among threads."""
    with threadpool_limits(1), ThreadPoolExecutor(cpu_budget()) as pool:
        return list(pool.map(work, numbers))


def _named(labels: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    """The label of each photo by name, "" where there is none."""
    return np.array([*class_names, ""])[labels]
