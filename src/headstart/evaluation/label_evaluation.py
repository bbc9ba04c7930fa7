"""Logits + targets of several labels per photo -> LabelEvaluation: every number about how good the answers are.

The counterpart of `metrics.py`. Knows no model and no images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headstart.array_types import Bool, Float, Float64
from headstart.classifier.label_calibration import LabelCalibration
from headstart.data.targets import texts_of
from headstart.evaluation.curves import Curves, curves
from headstart.evaluation.label_metrics import Estimate, LabelMetrics, OneLabel
from headstart.evaluation.reliability import Reliability, reliability
from headstart.numerics import check_numbers, label_cross_entropies
from headstart.statistics import Interval, proportion

SAMPLES = 1_000  # of the bootstrap: the ends of an interval are then exact to a hundredth of its width or so
AT_ONCE = 2_000_000  # numbers that the bootstrap has in memory at a time


@dataclass(frozen=True, eq=False)
class LabelEvaluation:
    """How a classifier answered for images whose labels are known.

    class_names: of the classifier. targets: the true labels. logits: of the network.
    groups: of the images, if they come in groups that the user names: intervals then count these.
    """

    class_names: tuple[str, ...]
    targets: Bool[np.ndarray, "n labels"] = field(repr=False)
    logits: Float64[np.ndarray, "n labels"] = field(repr=False)
    calibration: LabelCalibration = field(repr=False)
    groups: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def probabilities(self) -> Float64[np.ndarray, "n labels"]:
        """Calibrated, of each label, independently of the others."""
        return self.calibration.probabilities(self.logits)

    @cached_property
    def predicted(self) -> Bool[np.ndarray, "n labels"]:
        """The answers."""
        return self.calibration.answers(self.probabilities)

    @property
    def answers(self) -> list[str]:
        """The same in text, see `targets.texts_of`."""
        return list(texts_of(self.predicted, self.class_names))

    @property
    def confidence(self) -> Float64[np.ndarray, " n"]:
        """The probability of each answer."""
        return self.calibration.confidences(self.probabilities)

    @property
    def correct(self) -> Bool[np.ndarray, " n"]:
        """Whether each answer is exactly the true labels."""
        return (self.predicted == self.targets).all(axis=1)

    @cached_property
    def accuracy(self) -> Interval:
        return self.proportion(self.correct)

    @cached_property
    def loss(self) -> float:
        """See `LabelMetrics`."""
        return float(label_cross_entropies(self.logits, self.targets).mean())

    def proportion(self, hits: Bool[np.ndarray, " n"], of: Bool[np.ndarray, " n"] | None = None) -> Interval:
        """The share of the images, or of some of them, that are hits. At least one."""
        if of is None:
            return proportion(hits, self.groups or None)
        groups = [self.groups[index] for index in np.flatnonzero(of).tolist()] if self.groups else None
        return proportion(hits[of], groups)

    @cached_property
    def curves(self) -> tuple[Curves | None, ...]:
        """Of each label; None where all images have it, or none does."""
        return tuple(
            curves(self.probabilities[:, [place]], np.where(of_label, 0, -1), 0)
            for place, of_label in enumerate(self.targets.T)
        )

    @cached_property
    def reliability(self) -> Reliability:
        """Of the probabilities of all labels of all images."""
        shares = self.probabilities.ravel()
        return reliability(np.stack([1 - shares, shares], axis=1), self.targets.ravel().astype(np.int64))

    @cached_property
    def metrics(self) -> LabelMetrics:
        """All of the numbers, to be kept."""
        areas = [found.average_precision for found in self.curves if found]
        sets = Counter(texts_of(self.targets, self.class_names)).most_common(1)
        return LabelMetrics(
            loss=self.loss,
            accuracy=self.accuracy,
            mean_average_precision=self._estimate(self._mean_average_precision) if areas else None,
            by_chance=self._by_chance if areas else None,
            f1_micro=self._estimate(self._f1_micro),
            f1_macro=self._estimate(self._f1_macro),
            per_class=tuple(map(self._of_label, range(len(self.class_names)))),
            commonest=sets[0],
            calibration=self.reliability.summary(self.loss),
        )

    @property
    def _by_chance(self) -> float:
        """The mean share of the labels that mean average precision is of."""
        shares = self.targets.mean(axis=0)
        return float(shares[[found is not None for found in self.curves]].mean())

    def _of_label(self, place: int) -> OneLabel:
        has_it, given, found = self.targets[:, place], self.predicted[:, place], self.curves[place]
        both, support, answered = int((has_it & given).sum()), int(has_it.sum()), int(given.sum())
        name, calibration = self.class_names[place], self.calibration
        promises = [("recall", each) for each in calibration.recall] + [
            ("precision", each) for each in calibration.precision
        ]
        promised = [(what, each.share, each.is_given) for what, each in promises if each.label == name]
        return OneLabel(
            name=name,
            precision=self.proportion(has_it, given) if answered else None,
            recall=self.proportion(given, has_it) if support else None,
            f1=2 * both / (support + answered) if support + answered else None,
            average_precision=found.average_precision if found else None,
            roc_area=found.roc_area if found else None,
            support=support,
            answered=answered,
            threshold=calibration.thresholds[place],
            promised=promised[0] if promised else None,
        )

    def _estimate(self, measure: Callable[[Float[np.ndarray, "samples n"]], Float[np.ndarray, " samples"]]) -> Estimate:
        """A number with its interval. measure: how often each image is in each sample -> the number of each sample."""
        value = float(measure(np.ones((1, len(self.targets))))[0])
        if len(set(self.groups)) == 1 or len(self.targets) == 1:  # which say nothing of others
            return Estimate(value, 0.0, 1.0)
        found = np.concatenate([measure(weights) for weights in self._samples()])
        low, high = np.nanpercentile(found, [2.5, 97.5])
        return Estimate(value, min(float(low), value), max(float(high), value))

    def _samples(self):
        """How often each image is in each bootstrap sample of the images, or of whole groups of them."""
        unit = np.unique(self.groups, return_inverse=True)[1] if self.groups else np.arange(len(self.targets))
        count, rng = int(unit.max()) + 1, np.random.default_rng(0)
        samples = min(SAMPLES, max(200, 20 * AT_ONCE // len(unit)))
        for start in range(0, samples, step := max(1, AT_ONCE // len(unit))):
            drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(step, samples - start))
            yield drawn[:, unit].astype(np.float64)

    def _mean_average_precision(self, weights: np.ndarray) -> np.ndarray:
        found = [
            average_precisions(self.probabilities[:, place], self.targets[:, place], weights)
            for place, known in enumerate(self.curves)
            if known
        ]
        return _mean_of_known(np.stack(found))

    def _counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(samples, labels): answers that are right, and answers and true labels together."""
        hits = weights @ (self.predicted & self.targets).astype(np.float64)
        return hits, weights @ (self.predicted.astype(np.float64) + self.targets)

    def _f1_micro(self, weights: np.ndarray) -> np.ndarray:
        hits, both = self._counts(weights)
        return 2 * hits.sum(axis=1) / np.maximum(both.sum(axis=1), 1e-12)

    def _f1_macro(self, weights: np.ndarray) -> np.ndarray:
        """Over the labels that images have. (A label that a sample lacks counts by its wrong answers: 0, or not.)"""
        hits, both = self._counts(weights)
        known = self.targets.any(axis=0)
        with np.errstate(invalid="ignore"):
            f1 = np.where(both > 0, 2 * hits / both, np.nan)
        return _mean_of_known(f1[:, known].T) if known.any() else np.zeros(len(weights))

    def to_json(self) -> dict:
        return self.metrics.to_json()

    def __str__(self) -> str:
        metrics, width = self.metrics, max(map(len, [*self.class_names, "label"]))
        lines = list(metrics.sentences)
        lines.append(f"{'label':<{width}}  precision               recall                     F1     AP  from  images")
        for row in metrics.per_class:
            shares = " ".join(f"{_between(each):<24}" for each in (row.precision, row.recall))
            numbers = " ".join(
                f"{'-' if each is None else f'{each:.3f}':>6}" for each in (row.f1, row.average_precision)
            )
            lines.append(f"{row.name:<{width}}  {shares} {numbers}  {row.threshold:.2f}  {row.support:>6,}")
        for row in metrics.per_class:
            if row.promised:
                what, share, is_given = row.promised
                lines.append(f"{row.name}: a {what} of {share:g} {'was' if is_given else 'could not be'} promised.")
        lines.append(f"expected calibration error {metrics.calibration.error:.1%}")
        return "\n".join(lines)


def _between(share: Interval | None) -> str:
    return "-" if share is None else f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"


def _mean_of_known(rows: Float[np.ndarray, "labels samples"]) -> Float[np.ndarray, " samples"]:
    """The mean over the labels, without those that a sample has no image of (NaN)."""
    known = ~np.isnan(rows)
    return np.where(known, rows, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def average_precisions(
    probabilities: Float[np.ndarray, " n"], targets: Bool[np.ndarray, " n"], weights: Float[np.ndarray, "samples n"]
) -> Float64[np.ndarray, " samples"]:
    """`Curves.average_precision` of a label in each sample of the images; NaN where none has the label. weights: how
    often each image is in each sample."""
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)  # of images that are alike
    ordered = weights[:, order]
    answered, hits = np.cumsum(ordered, axis=1)[:, ends], np.cumsum(ordered * targets[order], axis=1)[:, ends]
    with np.errstate(invalid="ignore"):
        precision = np.where(answered > 0, hits / np.maximum(answered, 1), 0.0)
        return (np.diff(hits, axis=1, prepend=0.0) * precision).sum(axis=1) / hits[:, -1]


def measure_labels(
    logits: Float[np.ndarray, "n labels"],
    targets: Float[np.ndarray, "n labels"],
    class_names: Sequence[str],
    calibration: LabelCalibration,
    *,
    groups: Sequence[str] = (),
) -> LabelEvaluation:
    """
    Args:
        logits: n is at least 1. targets: 0 or 1. groups: of the images, or none.

    Raises:
        ModelError: some logits are NaN or infinite.
    """
    logits = np.asarray(logits, np.float64)
    check_numbers(logits)
    return LabelEvaluation(tuple(class_names), targets > 0, logits, calibration, tuple(groups))
