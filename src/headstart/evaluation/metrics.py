"""Logits + labels or shares -> Evaluation: every number about how good the answers are. Knows no model, no images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headstart.array_types import Bool, Float, Float64, Int, Int64
from headstart.classifier.calibration import Calibration
from headstart.evaluation.curves import Curves, curves
from headstart.evaluation.hierarchy import HierarchyMetrics, measure_hierarchy
from headstart.evaluation.reliability import Reliability, reliability
from headstart.evaluation.soft_labels import SoftMetrics, measure_shares
from headstart.evaluation.split_metrics import ClassAverages, ClassMetrics, SplitMetrics
from headstart.evaluation.stakes import StakesMetrics, measure_stakes
from headstart.numerics import Truth, check_numbers, cross_entropies, log_probabilities, most_probable, probabilities
from headstart.statistics import Interval, proportion

TOP = (3, 5)  # with more classes than that: is the true class among so many most probable ones?
AVERAGED = ("precision", "recall", "f1", "roc_area", "average_precision")
AREAS = ("roc_area", "average_precision")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a classifier answered for images whose classes are known.

    class_names: of the classifier.
    labels: the true classes; of labels that are probabilities, the most probable ones.
    logits: of the network, (n, 1) or (n, classes).
    calibration: of the classifier; its temperature calibrates the probabilities.
    loss: mean cross-entropy of the logits as they are, natural logarithm: what Keras' `evaluate` gives.
    accuracy: with its 95% interval.
    confusion: row: the true class, column: the answer.
    groups: of the images, if they come in groups that the user names: intervals then count these, see `proportion`.
    shares: of the classes in each image, where labels are probabilities: the losses are against these.
    """

    class_names: tuple[str, ...]
    labels: Int[np.ndarray, " n"] = field(repr=False)
    logits: Float64[np.ndarray, "n logits"] = field(repr=False)
    calibration: Calibration = field(repr=False)
    loss: float
    accuracy: Interval
    confusion: Int64[np.ndarray, "classes classes"]
    groups: tuple[str, ...] = field(default=(), repr=False)
    shares: Float[np.ndarray, "n classes"] | None = field(default=None, repr=False)

    @property
    def truth(self) -> Truth:
        """The shares, or else the labels."""
        return self.labels if self.shares is None else self.shares

    @cached_property
    def probabilities(self) -> Float64[np.ndarray, "n classes"]:
        """Calibrated."""
        return self.calibration.probabilities(self.logits)

    @property
    def predicted(self) -> Int64[np.ndarray, " n"]:
        """The answers."""
        return self.calibration.answers(self.probabilities)

    @property
    def answers(self) -> list[str]:
        """The same by their names."""
        return [self.class_names[answer] for answer in self.predicted]

    @property
    def confidence(self) -> Float64[np.ndarray, " n"]:
        """The probability of each answer."""
        return self.probabilities[np.arange(len(self.labels)), self.predicted]

    @property
    def correct(self) -> Bool[np.ndarray, " n"]:
        """Whether each answer is the true class."""
        return self.predicted == self.labels

    @property
    def right(self) -> Bool[np.ndarray, " n"]:
        """The older name of `correct`."""
        return self.correct

    @property
    def certainty(self) -> Calibration:
        """The older name of `calibration`."""
        return self.calibration

    @cached_property
    def reliability(self) -> Reliability:
        """Of the calibrated probabilities."""
        return reliability(self.probabilities, self.labels)

    @cached_property
    def reliability_before(self) -> Reliability:
        """Of the probabilities without calibration."""
        return reliability(probabilities(self.logits), self.labels)

    @property
    def log_loss(self) -> float:
        """Mean cross-entropy of the calibrated probabilities, natural logarithm."""
        return float(cross_entropies(self._logarithms, self.truth).mean())

    @property
    def _logarithms(self) -> Float64[np.ndarray, "n classes"]:
        """Of the calibrated probabilities."""
        return log_probabilities(self.logits / self.calibration.temperature)

    @cached_property
    def soft(self) -> SoftMetrics | None:
        """How far the probabilities are from labels that are probabilities, too; None where labels are classes."""
        return None if self.shares is None else measure_shares(self._logarithms, self.shares, self.groups)

    def top(self, count: int) -> Interval:
        """How often the true class is among the `count` most probable ones."""
        ranked = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        return self.proportion((ranked == self.labels[:, None]).any(axis=1))

    def proportion(self, hits: Bool[np.ndarray, " n"]) -> Interval:
        """The share of the images that are hits."""
        return proportion(hits, self.groups or None)

    @cached_property
    def curves(self) -> tuple[Curves | None, ...]:
        """Of each class; None where all images are of it, or none is."""
        return tuple(curves(self.probabilities, self.labels, label) for label in range(len(self.class_names)))

    @cached_property
    def classes(self) -> tuple[ClassMetrics, ...]:
        """Precision, recall, F1, areas under both curves, and support of each class."""
        hits = np.diag(self.confusion).tolist()
        support, answers = (self.confusion.sum(axis=axis).tolist() for axis in (1, 0))
        return tuple(
            ClassMetrics(
                name=name,
                precision=_ratio(hits[i], answers[i]),
                recall=_ratio(hits[i], support[i]),
                f1=_ratio(2 * hits[i], support[i] + answers[i]),
                roc_area=found.roc_area if found else None,
                average_precision=found.average_precision if found else None,
                support=support[i],
            )
            for i, (name, found) in enumerate(zip(self.class_names, self.curves, strict=True))
        )

    @property
    def macro(self) -> ClassAverages:
        """Averages over the classes that have images, each counting alike."""
        return self._average(None)

    @property
    def weighted(self) -> ClassAverages:
        """Averages over the classes, weighted by their numbers of images."""
        return self._average([row.support for row in self.classes if row.support])

    def _average(self, weights: Sequence[int] | None) -> ClassAverages:
        """A precision of 0 of 0 counts as 0, as in scikit-learn."""
        rows = [row for row in self.classes if row.support]
        averages: dict[str, float | None] = {}
        for key in AVERAGED:
            values = [getattr(row, key) for row in rows]
            one_class = key in AREAS and None in values
            averages[key] = None if one_class else float(np.average([v or 0.0 for v in values], weights=weights))
        return ClassAverages(**averages)  # pyright: ignore[reportArgumentType]

    @property
    def per_class(self) -> list[dict]:
        """`classes` as JSON."""
        return [row.to_json() for row in self.classes]

    def averages(self) -> dict[str, dict[str, float | None]]:
        """`macro` and `weighted` as JSON."""
        return {"macro": self.macro.to_json(), "weighted": self.weighted.to_json()}

    @cached_property
    def metrics(self) -> SplitMetrics:
        """All of the numbers, to be kept."""
        return SplitMetrics(
            loss=self.loss,
            accuracy=self.accuracy,
            top={count: self.top(count) for count in TOP if count < len(self.class_names)},
            per_class=self.classes,
            macro=self.macro,
            weighted=self.weighted,
            confusion=tuple(map(tuple, self.confusion.tolist())),
            calibration=self.reliability.summary(self.log_loss),
            calibration_before=self.reliability_before.summary(self.loss),
            stakes=self.stakes,
            soft=self.soft,
            hierarchy=self.hierarchy,
        )

    @cached_property
    def stakes(self) -> StakesMetrics | None:
        """What mistakes cost, and whether promised recall was kept; None where neither was said in training."""
        decision = self.calibration.decision
        return decision and measure_stakes(decision, self.probabilities, self.labels, self.groups)

    @cached_property
    def hierarchy(self) -> HierarchyMetrics | None:
        """The answers of each level, where classes are in classes; else None."""
        return measure_hierarchy(self.calibration, self.class_names, self.probabilities, self.labels, self.groups)

    def to_json(self) -> dict:
        return self.metrics.to_json()

    def __str__(self) -> str:
        width = max(map(len, [*self.class_names, "class"]))
        lines = [f"accuracy {self.accuracy}, loss {self.loss:.4f}", self.metrics.against_the_commonest]
        lines.append(f"{'class':<{width}}  precision  recall      F1  ROC area  images")
        for row in self.classes:
            values = (row.precision, row.recall, row.f1, row.roc_area)
            precision, recall, f1, area = ("-" if value is None else f"{value:.3f}" for value in values)
            lines.append(f"{row.name:<{width}}  {precision:>9}  {recall:>6}  {f1:>6}  {area:>8}  {row.support:>6,}")
        lines += self.stakes.lines if self.stakes else []
        lines += [str(self.soft)] if self.soft else []
        lines += self.hierarchy.lines if self.hierarchy else []
        before, after = self.reliability_before.error, self.reliability.error
        lines.append(f"expected calibration error {after:.1%} ({before:.1%} before calibration)")
        return "\n".join(lines)


def measure(
    logits: Float[np.ndarray, "n logits"],
    truth: Truth,
    class_names: Sequence[str],
    calibration: Calibration | None = None,
    *,
    groups: Sequence[str] = (),
) -> Evaluation:
    """
    Args:
        logits: (n, 1) for two classes, otherwise (n, classes); n is at least 1.
        truth: the true classes, or what share of each image they have.
        calibration: by default none: a temperature of 1.
        groups: of the images, or none.

    Raises:
        ModelError: some logits are NaN or infinite.
    """
    logits = np.asarray(logits, np.float64)
    check_numbers(logits)
    logarithms, calibration, labels = log_probabilities(logits), calibration or Calibration(), most_probable(truth)
    predicted = logarithms.argmax(axis=1)
    if calibration.decision:
        predicted = calibration.answers(calibration.probabilities(logits))
    return Evaluation(
        class_names=tuple(class_names),
        labels=labels,
        logits=logits,
        calibration=calibration,
        loss=float(cross_entropies(logarithms, truth).mean()),
        accuracy=proportion(predicted == labels, groups or None),
        confusion=confusion_matrix(labels, predicted, len(class_names)),
        groups=tuple(groups),
        shares=truth if truth.ndim == 2 else None,
    )


def confusion_matrix(
    labels: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], num_classes: int
) -> Int64[np.ndarray, "classes classes"]:
    """How often each class (row) was answered as each class (column)."""
    pairs = np.asarray(labels, dtype=np.int64) * num_classes + predicted
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
