"""Answers: what a head says of each photo of a collection, and how good that is, in numbers, a sentence and JSON.

The answers for labelled photos come from heads that have seen neither them nor copies of them (cross-validation); those
for other photos from a head that has seen all labels. `solving.py` makes them. Knows no features, no HTTP, and no
journal of labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headstart.array_types import Bool, Float32, Int, Int64
from headstart.classifier.calibration import Calibration
from headstart.evaluation.metrics import confusion_matrix
from headstart.evaluation.reliability import reliability
from headstart.statistics import Interval, percent, proportion, wilson

NO_LABEL = -1  # of a photo that is not labelled, or excluded
CROSS_VALIDATED, SEALED = "cross-validated on training photos", "the sealed test set"
POINTS = 101  # of the curve from "always" to "only when sure"


@dataclass(frozen=True, eq=False)
class Answers:
    """What is answered for n photos.

    class_names, labels: that the heads were solved with; labels are into class_names, or NO_LABEL.
    probabilities: calibrated; NaN where a photo has no features, and everywhere where there is no head.
    counted: the photos that `accuracy` and all else that is measured is about: their answers come from heads that have
        not seen them.
    groups: equal for copies of a photo, which are no independent witnesses.
    accuracy: None where nothing could be measured (too few labels).
    C, weight: that the heads were solved with. seconds: that it took.
    is_final: False where weight and C were not chosen yet.
    pseudo_labels: how many photos without a label helped to solve the heads; 0 where they do not help.
    of: what was measured.
    """

    class_names: tuple[str, ...]
    labels: Int[np.ndarray, " n"] = field(repr=False)
    probabilities: Float32[np.ndarray, "n classes"] = field(repr=False)
    counted: Bool[np.ndarray, " n"] = field(repr=False)
    groups: Int[np.ndarray, " n"] = field(repr=False)
    calibration: Calibration = field(repr=False)
    C: float
    weight: float
    seconds: float
    is_final: bool = True
    pseudo_labels: int = 0
    of: str = CROSS_VALIDATED

    @property
    def cross_validated(self) -> Bool[np.ndarray, " n"]:
        return self.counted

    @cached_property
    def answer(self) -> Int64[np.ndarray, " n"]:
        """Into class_names; NO_LABEL where nothing is answered."""
        return np.where(self.is_answered, self._ranked[:, 0], NO_LABEL)

    @cached_property
    def second(self) -> Int64[np.ndarray, " n"]:
        """The second most probable class; NO_LABEL where nothing is answered."""
        return np.where(self.is_answered, self._ranked[:, 1], NO_LABEL)

    @cached_property
    def is_answered(self) -> Bool[np.ndarray, " n"]:
        return ~np.isnan(self.probabilities[:, 0]) if self.probabilities.shape[1] > 1 else np.zeros(len(self), bool)

    @cached_property
    def confidence(self) -> Float32[np.ndarray, " n"]:
        """The probability of the answer; NaN where nothing is answered."""
        return self._probability_of(self.answer)

    @cached_property
    def margin(self) -> Float32[np.ndarray, " n"]:
        """Confidence minus the probability of the second class, 0 to 1: small near a border between classes."""
        return self.confidence - self._probability_of(self.second)

    @cached_property
    def doubt(self) -> Float32[np.ndarray, " n"]:
        """How much more probable another class is than the label, -1 (surely right) to 1 (surely wrong); of photos
        without a label, minus the margin; NaN where nothing is answered."""
        other = np.where(self.answer == self.labels, self.second, self.answer)
        found = self._probability_of(other) - self._probability_of(self.labels)
        return np.where(self.labels == NO_LABEL, -self.margin, found)

    @cached_property
    def right(self) -> Bool[np.ndarray, " n"]:
        """Whether the answer is the label; of use where `counted`."""
        return (self.answer == self.labels) & (self.labels != NO_LABEL)

    @cached_property
    def accuracy(self) -> Interval | None:
        """Of the photos that are counted, with its 95% interval; None where there are none."""
        if not self.counted.any():
            return None
        return proportion(self.right[self.counted], self.groups[self.counted].tolist() if self._has_copies else None)

    @cached_property
    def confusion(self) -> Int64[np.ndarray, "classes classes"]:
        """Row: label, column: answer."""
        labels, answers = self.labels[self.counted], self.answer[self.counted]
        return confusion_matrix(labels, answers, len(self.class_names))

    @property
    def balanced(self) -> float | None:
        """The mean recall of the classes that are counted."""
        sizes, hits = self.confusion.sum(axis=1), np.diag(self.confusion)
        return float((hits[sizes > 0] / sizes[sizes > 0]).mean()) if sizes.any() else None

    @property
    def baseline(self) -> tuple[str, float] | None:
        """The commonest class, and what always answering with it would score."""
        sizes = self.confusion.sum(axis=1)
        return (self.class_names[sizes.argmax()], float(sizes.max() / sizes.sum())) if sizes.any() else None

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        if self.accuracy is None or self.baseline is None:
            return "Too few labels to measure anything: label a few photos of at least two classes."
        name, score = self.baseline
        between = f"{percent(self.accuracy.low)} to {percent(self.accuracy.high)}"
        text = (
            f"Of photos that it has not seen, {percent(self.accuracy.value)} are answered correctly ({between}); "
            f"always answering '{name}' would score {percent(score)}"
        )
        return f"{text}, and this is not shown to be better." if self.accuracy.low <= score else f"{text}."

    def per_class(self) -> list[dict]:
        """name, recall, precision (an interval, or null where nothing is counted), count"""
        sizes, given, hits = self.confusion.sum(axis=1), self.confusion.sum(axis=0), np.diag(self.confusion)
        return [
            {"name": name, "recall": _share(hits[i], sizes[i]), "precision": _share(hits[i], given[i]),
             "count": int(sizes[i])}
            for i, name in enumerate(self.class_names)
        ]  # fmt: skip

    def calibration_bins(self) -> list[dict]:
        """low, high: of probabilities; confidence: their mean; accuracy: of the answers, its 95% interval; count."""
        if not self.counted.any():
            return []
        found = reliability(self.probabilities[self.counted].astype(np.float64), self.labels[self.counted])
        bins, width = [], len(found.counts)
        for i, count in enumerate(found.counts.tolist()):
            if count:
                share = wilson(round(found.accuracy[i] * count), count)
                bins.append({
                    "low": i / width, "high": (i + 1) / width, "confidence": float(found.confidence[i]),
                    "accuracy": share.value, "accuracy_low": share.low, "accuracy_high": share.high, "count": count,
                })  # fmt: skip
        return bins

    def sure_curve(self) -> list[dict]:
        """threshold: answers with at least that probability are given; answered: to which share of photos; count: to
        how many; right: which share of these is right, and its 95% interval. From always (0) to the surest alone."""
        if not self.counted.any():
            return []
        confidence, right = self.confidence[self.counted].astype(np.float64), self.right[self.counted]
        order = np.argsort(-confidence, kind="stable")
        confidence, hits = confidence[order], np.cumsum(right[order]).tolist()
        points = []
        for count in np.unique(np.linspace(1, len(order), min(POINTS, len(order))).round().astype(int)).tolist()[::-1]:
            share = wilson(hits[count - 1], count)
            points.append({
                "threshold": float(confidence[count - 1]) if count < len(order) else 0.0,
                "answered": count / len(order), "count": count,
                "right": share.value, "low": share.low, "high": share.high,
            })  # fmt: skip
        return points

    def to_json(self) -> dict:
        """/api/answers, but for what the solver does not know: labels_state, change, stale, seconds_expected."""
        return {
            "of": self.of,
            "accuracy": self.accuracy.to_json() if self.accuracy else None,
            "balanced": self.balanced,
            "baseline": dict(zip(("class", "value"), self.baseline, strict=True)) if self.baseline else None,
            "verdict": self.verdict,
            "confusion": self.confusion.tolist(),
            "class_names": list(self.class_names),
            "per_class": self.per_class(),
            "calibration": self.calibration_bins(),
            "sure_curve": self.sure_curve(),
            "seconds": self.seconds,
            "final": self.is_final,
            "pseudo_labels": self.pseudo_labels,
        }

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _ranked(self) -> Int64[np.ndarray, "n 2"]:
        """The two most probable classes of each photo."""
        if self.probabilities.shape[1] < 2:
            return np.full((len(self), 2), NO_LABEL)
        rows = np.arange(len(self))
        first = self.probabilities.argmax(axis=1)
        others = self.probabilities.copy()
        others[rows, first] = -1.0
        return np.stack([first, others.argmax(axis=1)], axis=1)

    def _probability_of(self, classes: Int[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
        """NaN for NO_LABEL."""
        if not self.probabilities.shape[1]:
            return np.full(len(self), np.nan, np.float32)
        found = self.probabilities[np.arange(len(self)), classes]
        return np.where(classes == NO_LABEL, np.float32(np.nan), found)

    @cached_property
    def _has_copies(self) -> bool:
        return len(np.unique(self.groups[self.counted])) < int(self.counted.sum())


def _share(hits: int, count: int) -> dict | None:
    return wilson(int(hits), int(count)).to_json() if count else None
