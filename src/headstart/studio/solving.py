"""Features and labels of photos -> Answers: again after each label.

All heads are solved from the last ones on, which takes a few steps, and the folds of cross-validation stay as they are
while labels change. How much the depths count, C, and whether probable labels of other photos help, is chosen by
cross-validation once, and again where many labels have changed. Knows no HTTP, no files, and no journal of labels.

    solver = AnswerSolver(photos, groups)          # groups: Duplicates.groups, or np.arange(n)
    first = solver.first(labels, class_names)      # at once: usual weight and C, no choice
    exact = solver.answers(labels, class_names)    # chooses where that is due, solves to tolerance
    again = solver.answers(labels, class_names)    # after a label: within a second for 2,000 photos

A solver is used by one thread at a time; Answers never change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.array_types import Bool, Float64, Int
from headstart.classifier.calibration import Calibration, fit_calibration
from headstart.errors import CancelledError, DatasetError
from headstart.features.blocks import USUAL_WEIGHT
from headstart.features.depth_head import VALIDATED, WEIGHTS
from headstart.features.linear_head import C_VALUES, DEFAULT_C, FOLDS, Head, lowest_neighbour, validated_images
from headstart.numerics import log_probabilities
from headstart.studio.answers import NO_LABEL, SEALED, Answers
from headstart.studio.folds import NO_FOLD, extended
from headstart.studio.heads import ROUGH, TOLERANCE, Penalty
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.pseudo_labels import Spreading
from headstart.studio.training_rows import ALL, TrainingRows, logits, side_by_side

MUCH = 0.25  # share of the labels: where more have changed, is chosen again
FEW = 20  # labels: with fewer, all is as usual, as little could be validated
MOST = 0.7  # share of the photos: where more are trained on, their components are not copied
FOR_THE_SMALLER = 0.005  # share by which a larger C must be better than the next smaller one: it is slower to solve
PSEUDO_WEIGHTS = (0.01, 0.03, 0.1)  # what a sure probable label may count, of a label
MOST_PSEUDO = 4_000  # photos that are given probable labels; with more labels than that, they are not tried
CLEARLY = 1.0  # standard errors by which the cross-entropy must fall, for probable labels to be used


@dataclass(frozen=True, eq=False)
class _Kept:
    """What the next answers start from.

    heads: for components as they come, and the bias: that of all labels, then those of the folds.
    chosen_on: the labels that the choice was made on, by name; None: all is as usual.
    """

    class_names: tuple[str, ...]
    heads: Float64[np.ndarray, "heads numbers classes"]
    folds: Int[np.ndarray, " n"]
    calibration: Calibration
    weight: float
    C: float
    pseudo_weight: float = 0.0
    chosen_on: np.ndarray | None = None


class AnswerSolver:
    """Keeps the last heads, and with them the folds of the photos."""

    def __init__(
        self,
        photos: PhotoFeatures,
        groups: Int[np.ndarray, " n"],
        *,
        neighbourhood: Neighbourhood | None = None,
        seed: int = 0,
    ) -> None:
        """
        Args:
            groups: photos with the same number, copies of one, are always in the same fold.
            neighbourhood: of the photos; without it, no probable labels are tried.
            seed: of the folds.
        """
        self._photos, self._groups, self._neighbourhood, self._seed = photos, groups, neighbourhood, seed
        self._known = photos.known
        self._variances = photos.variances
        numbers = photos.components.shape[1] + 1
        weight = USUAL_WEIGHT if photos.has_depths else 0.0
        folds = np.full(len(photos), NO_FOLD)
        self._kept = _Kept((), np.zeros((FOLDS + 1, numbers, 0)), folds, Calibration(), weight, DEFAULT_C)
        self._seconds: float | None = None

    @property
    def seconds_expected(self) -> float | None:
        """For the next `answers`, by how long the last ones took; None before the first."""
        return self._seconds

    @property
    def head(self) -> Head:
        """The last head of all labels, for features as they come, also of photos that are not in the collection.

        Raises:
            DatasetError: nothing is solved yet.
        """
        self._check_solved()
        kept = self._kept
        return self._photos.basis.head(kept.heads[0], kept.C, kept.weight)

    @property
    def calibration(self) -> Calibration:
        """Of the answers of that head."""
        return self._kept.calibration

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of that head."""
        return self._kept.class_names

    def moved(
        self,
        photos: PhotoFeatures,
        groups: Int[np.ndarray, " m"],
        places: Int[np.ndarray, " m"],
        *,
        neighbourhood: Neighbourhood | None = None,
    ) -> AnswerSolver:
        """A solver for other photos by the same basis, as when some were added, which goes on where this one is.

        places: of each photo here; -1: a new one.
        """
        other = AnswerSolver(photos, groups, neighbourhood=neighbourhood, seed=self._seed)
        old = np.append(self._kept.folds, NO_FOLD)[places]
        chosen_on = None if self._kept.chosen_on is None else np.append(self._kept.chosen_on, "")[places]
        other._kept = replace(self._kept, folds=old, chosen_on=chosen_on)
        other._seconds = self._seconds
        return other

    def first(
        self,
        labels: Int[np.ndarray, " n"],
        class_names: Sequence[str],
        *,
        held_out: Bool[np.ndarray, " n"] | None = None,
    ) -> Answers:
        """At once, roughly: with the usual weight and C, or those that were chosen before."""
        return self._answers(labels, tuple(class_names), held_out, None, lambda: False, choose=False)

    def answers(
        self,
        labels: Int[np.ndarray, " n"],
        class_names: Sequence[str],
        *,
        held_out: Bool[np.ndarray, " n"] | None = None,
        waiting: Bool[np.ndarray, " n"] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Answers:
        """
        Args:
            labels: NO_LABEL for photos that are not labelled, or excluded.
            class_names: may be others than before: heads go on by name.
            held_out: photos of the sealed test set: never trained on, and never counted.
            waiting: photos without a label that are to have one: probable labels of theirs are tried.
            cancelled: asked between steps.

        Raises:
            CancelledError: the answers are not wanted any more. What the solver keeps is as it was.
        """
        return self._answers(labels, tuple(class_names), held_out, waiting, cancelled, choose=True)

    def of_test(self, labels: Int[np.ndarray, " n"], held_out: Bool[np.ndarray, " n"]) -> Answers:
        """The sealed test set opened: what the last head answers, measured on the held-out photos that have a label.

        Raises:
            DatasetError: none of them has one, or no head is solved yet.
        """
        self._check_solved()
        kept, counted = self._kept, held_out & (labels >= 0) & self._known
        if not counted.any():
            raise DatasetError(
                "There is nothing to measure on: no photo of the test set has a label. Label some, and open it then."
            )
        return self._packed(kept, labels, logits(self._photos.components, kept.heads[0]), counted, 0.0, of=SEALED)

    def _check_solved(self) -> None:
        if len(self._kept.class_names) < 2:
            raise DatasetError("Nothing is known of any class yet. Label photos of at least two classes.")

    def _answers(
        self,
        labels: np.ndarray,
        class_names: tuple[str, ...],
        held_out: np.ndarray | None,
        waiting: np.ndarray | None,
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
            kept = replace(kept, pseudo_weight=self._chosen_pseudo_weight(kept, trained, waiting, check))
        rows, helping = self._rows(kept, trained, waiting if kept.pseudo_weight else None)
        folds = [ALL, *range(FOLDS)]
        penalty, tolerance = self._penalty(kept.weight, kept.C), TOLERANCE if choose else ROUGH
        solved = side_by_side(
            lambda number: rows.solved(
                kept.heads[number], folds[number], penalty, kept.pseudo_weight, check, tolerance=tolerance
            ),
            range(len(folds)),
        )
        kept = replace(kept, heads=np.stack(solved))
        counted, found = usable & (kept.folds != NO_FOLD), logits(self._photos.components, kept.heads[0])
        for fold in range(FOLDS):
            part = counted & (kept.folds == fold)
            found[part] = logits(self._photos.components[part], kept.heads[1 + fold])
        calibration = fit_calibration(found[counted], labels[counted]) if counted.any() else Calibration()
        self._kept = kept = replace(kept, calibration=calibration)
        self._seconds = time.perf_counter() - start
        return self._packed(
            kept, labels, found, counted, self._seconds, is_final=choose, pseudo_labels=helping
        )  # fmt: skip

    def _packed(
        self, kept: _Kept, labels: np.ndarray, found: np.ndarray, counted: np.ndarray, seconds: float, **more: object
    ) -> Answers:
        """found: logits."""
        probabilities = np.full(found.shape, np.nan, np.float32)
        if found.shape[1]:
            probabilities = np.exp(log_probabilities(found / kept.calibration.temperature)).astype(np.float32)
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

    def _penalty(self, weight: float, C: float) -> Penalty:
        return Penalty(C, self._photos.emphasis(weight), self._variances)

    def _rows(self, kept: _Kept, trained: np.ndarray, waiting: np.ndarray | None) -> tuple[TrainingRows, int]:
        """What heads are solved on, and how many photos of it wait for a label."""
        used, spreading, helping = trained >= 0, None, 0
        if waiting is not None and self._neighbourhood is not None:
            others = np.flatnonzero(waiting & (trained < 0) & self._known)
            others = np.random.default_rng(self._seed).permutation(others)[:MOST_PSEUDO]
            used[others], helping = True, len(others)
            spreading = Spreading.over(self._neighbourhood, np.flatnonzero(used))
        elif used.sum() > MOST * len(used) and self._known.all():
            return TrainingRows(self._photos.components, trained, kept.folds), 0
        rows = np.flatnonzero(used)
        return TrainingRows(
            self._photos.components[rows], trained[rows], _inside(kept, trained)[rows], spreading
        ), helping

    def _is_due(self, kept: _Kept, trained: np.ndarray) -> bool:
        """Whether to choose (again)."""
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
        rows = np.flatnonzero((kept.folds != NO_FOLD) & (trained >= 0))
        if not len(rows):
            return kept
        rows = rows[validated_images(trained[rows], VALIDATED, self._seed)]
        some = TrainingRows(self._photos.components[rows], trained[rows], kept.folds[rows])
        tried: dict[float, tuple[float, float]] = {}

        def least(weight: float) -> float:
            if weight not in tried:
                near = min(tried.values())[1] if tried else kept.C
                tried[weight] = self._least_loss(kept, some, weight, near, check)
            return tried[weight][0]

        weight = kept.weight
        least(weight)
        if self._photos.has_depths:
            place = lowest_neighbour(WEIGHTS.index(weight), len(WEIGHTS), lambda place: least(WEIGHTS[place]))
            weight = WEIGHTS[place]
        return replace(kept, weight=weight, C=tried[weight][1], chosen_on=_named(trained, kept.class_names))

    def _least_loss(
        self, kept: _Kept, some: TrainingRows, weight: float, near: float, check: Callable[[], None]
    ) -> tuple[float, float]:
        """The least mean cross-entropy, and its C."""
        heads = {fold: kept.heads[1 + fold] for fold in np.unique(some.folds).tolist()}
        losses: dict[int, float] = {}

        def loss(place: int) -> float:
            if place not in losses:
                found = some.losses(heads, self._penalty(weight, C_VALUES[place]), 0.0, check).mean()
                losses[place] = float(found) * (1 + FOR_THE_SMALLER * place)
            return losses[place]

        best = lowest_neighbour(C_VALUES.index(near), len(C_VALUES), loss)
        return losses[best], C_VALUES[best]

    def _chosen_pseudo_weight(
        self, kept: _Kept, trained: np.ndarray, waiting: np.ndarray | None, check: Callable[[], None]
    ) -> float:
        """What a probable label counts, where answers to unseen photos are clearly better for it; or else 0."""
        labelled = int((trained >= 0).sum())
        if waiting is None or self._neighbourhood is None or labelled > min(MOST_PSEUDO, int(waiting.sum())):
            return 0.0
        rows, _ = self._rows(kept, trained, waiting)
        penalty = self._penalty(kept.weight, kept.C)
        heads = {fold: kept.heads[1 + fold] for fold in range(FOLDS) if (rows.folds == fold).any()}
        if not heads:
            return 0.0
        without = rows.losses(heads, penalty, 0.0, check)
        best, gain = 0.0, 0.0
        for weight in PSEUDO_WEIGHTS:
            gains = without - rows.losses(heads, penalty, weight, check)
            if gains.mean() > max(gain, CLEARLY * float(gains.std()) / np.sqrt(len(gains))):
                best, gain = weight, float(gains.mean())
        return best


def _inside(kept: _Kept, trained: np.ndarray) -> np.ndarray:
    """The folds of photos that have a label now; a photo that has none is in none."""
    return np.where(trained >= 0, kept.folds, NO_FOLD)


def _named(labels: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    """The label of each photo by name, "" where there is none."""
    return np.array([*class_names, ""])[labels]
