"""Features and labels of photos -> what a head answers for each, and how good the answers are: again after each label.

The answers for labelled photos come from heads that have seen neither them nor copies of them (cross-validation, the
folds of which stay as they are while labels change); those for other photos come from a head that has seen all labels.
All heads are solved from the last ones on, which takes a few steps. How much the depths count, and C, are chosen by
cross-validation once, and again where many labels have changed. Knows no HTTP, no files, and no journal of labels.

    solver = AnswerSolver(photos, groups)                # groups: Duplicates.groups, or np.arange(n)
    first = solver.first(labels, class_names)            # at once: usual weight and C, no choice
    exact = solver.answers(labels, class_names)          # chooses weight and C where that is due, solves to tolerance
    again = solver.answers(labels, class_names)          # after a label: within a second for 2,000 photos
    exact.to_json()                                      # the contract of /api/answers, but for labels_state and stale

A solver is used by one thread at a time; Answers never change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from headstart.array_types import Bool, Float32, Int
from headstart.classifier.calibration import Calibration
from headstart.statistics import Interval
from headstart.studio.photo_features import PhotoFeatures

NO_LABEL = -1  # a photo that is not labelled, or excluded


@dataclass(frozen=True, eq=False)
class Answers:
    """What is answered for n photos, with the labels that the heads were solved with.

    labels: into class_names; NO_LABEL.
    probabilities: calibrated; NaN where a photo has no features, or no head could be solved.
    cross_validated: whether the photo's answer comes from a head that has not seen it, and so counts in `accuracy`.
    accuracy: of the cross-validated answers; None where none could be (too few labels).
    confusion: row: label, column: answer; of the cross-validated.
    C, weight: that the heads were solved with. seconds: that it took.
    is_final: False for `first`: weight and C are not chosen yet.
    pseudo_labels: how many photos without a label helped; 0 where cross-validation says that they do not.
    """

    class_names: tuple[str, ...]
    labels: Int[np.ndarray, " n"] = field(repr=False)
    probabilities: Float32[np.ndarray, "n classes"] = field(repr=False)
    cross_validated: Bool[np.ndarray, " n"] = field(repr=False)
    groups: Int[np.ndarray, " n"] = field(repr=False)
    calibration: Calibration = field(repr=False)
    accuracy: Interval | None
    C: float
    weight: float
    seconds: float
    is_final: bool = True
    pseudo_labels: int = 0

    # arrays over photos, for filters, sorting and details; all computed once, when first asked for
    @property
    def answer(self) -> Int[np.ndarray, " n"]:
        """Into class_names; NO_LABEL where nothing is answered."""
        raise NotImplementedError

    @property
    def confidence(self) -> Float32[np.ndarray, " n"]:
        """The probability of the answer; NaN where nothing is answered."""
        raise NotImplementedError

    @property
    def second(self) -> Int[np.ndarray, " n"]:
        """The second most probable class; NO_LABEL where there is none."""
        raise NotImplementedError

    @property
    def margin(self) -> Float32[np.ndarray, " n"]:
        """Confidence minus the probability of the second class, 0 to 1: small near a border between classes."""
        raise NotImplementedError

    @property
    def doubt(self) -> Float32[np.ndarray, " n"]:
        """How much more probable another class is than the label, -1 (surely right) to 1 (surely wrong); of photos
        without a label 1 minus the margin; NaN where nothing is answered."""
        raise NotImplementedError

    @property
    def right(self) -> Bool[np.ndarray, " n"]:
        """Whether the answer is the label. Meaningful where `cross_validated`."""
        raise NotImplementedError

    def to_json(self) -> dict:
        """of, accuracy, balanced, baseline, verdict, confusion, class_names, per_class, calibration, sure_curve, seconds,
        final, pseudo_labels: as in the contract."""
        raise NotImplementedError


class AnswerSolver:
    """Keeps the last heads, and with them the folds of the photos."""

    def __init__(self, photos: PhotoFeatures, groups: Int[np.ndarray, " n"], *, seed: int = 0) -> None:
        """groups: photos with the same number, copies of one, are always in the same fold."""

    def first(
        self, labels: Int[np.ndarray, " n"], class_names: Sequence[str], *, held_out: Bool[np.ndarray, " n"] | None = None
    ) -> Answers:
        """At once: with the usual weight and C."""
        raise NotImplementedError

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
            class_names: may be other ones than before: heads go on by name.
            held_out: photos of the sealed test set: never trained on, and never in the accuracy.
            cancelled: asked between steps.

        Raises:
            CancelledError: another label has come meanwhile. What the solver keeps is as it was.
        """
        raise NotImplementedError

    def seconds_expected(self) -> float | None:
        """For the next `answers`, by how long the last ones took; None before the first."""
        raise NotImplementedError

    def of_test(self, labels: Int[np.ndarray, " n"], held_out: Bool[np.ndarray, " n"]) -> Answers:
        """The sealed test set opened: the answers of the last head, with the accuracy on held-out photos that have a
        label; `cross_validated` are these. After `answers`.

        Raises:
            DatasetError: none has a label, or nothing is solved yet.
        """
        raise NotImplementedError
