"""Logits + labels -> Evaluation: every number about how good the answers are. Knows no model and no images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from headstart.classifier.calibration import Calibration
from headstart.evaluation.curves import Curves, curves
from headstart.evaluation.reliability import Reliability, reliability
from headstart.numerics import check_numbers, cross_entropies, log_probabilities, probabilities
from headstart.statistics import Interval, wilson

TOP = (3, 5)  # of more classes than that: is the right one among so many most probable ones?


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a classifier answered for some images whose classes are known.

    class_names: of the classifier.
    labels: int (n,), the right answers.
    logits: float64 (n, 1) or (n, classes), as the network gives them.
    certainty: the classifier's, whose temperature the probabilities are calibrated with.
    loss: mean cross-entropy of the logits as they are, natural logarithm: what Keras' `evaluate` says.
    accuracy: with its 95% interval.
    confusion: int (classes, classes); row: the right class, column: the answer.
    """

    class_names: tuple[str, ...]
    labels: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)
    certainty: Calibration = field(repr=False)
    loss: float
    accuracy: Interval
    confusion: np.ndarray

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float64 (n, classes), calibrated."""
        return self.certainty.probabilities(self.logits)

    @property
    def predicted(self) -> np.ndarray:
        """int (n,): the answers."""
        return self.probabilities.argmax(axis=1)

    @property
    def right(self) -> np.ndarray:
        """bool (n,): whether an answer is the right one."""
        return self.predicted == self.labels

    @cached_property
    def reliability(self) -> Reliability:
        """Of the calibrated probabilities."""
        return reliability(self.probabilities, self.labels)

    @cached_property
    def reliability_before(self) -> Reliability:
        """Of the probabilities as the network gives them."""
        return reliability(probabilities(self.logits), self.labels)

    @property
    def log_loss(self) -> float:
        """Mean cross-entropy of the calibrated probabilities, natural logarithm."""
        shares = log_probabilities(np.asarray(self.logits, np.float64) / self.certainty.temperature)
        return float(cross_entropies(shares, self.labels).mean())

    def top(self, count: int) -> Interval:
        """How often the right class is among the `count` most probable ones."""
        ranked = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        return wilson(int((ranked == self.labels[:, None]).any(axis=1).sum()), len(self.labels))

    @cached_property
    def curves(self) -> tuple[Curves | None, ...]:
        """Of each class; None where all images are of it, or none is."""
        return tuple(curves(self.probabilities, self.labels, label) for label in range(len(self.class_names)))

    @cached_property
    def per_class(self) -> list[dict]:
        """Precision, recall, F1, areas under both curves, and support of each class; None where nothing can be said."""
        hits = np.diag(self.confusion)
        support, answers = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        rows = []
        for i, name in enumerate(self.class_names):
            found = self.curves[i]
            rows.append(
                {
                    "class": name,
                    "precision": _share(hits[i], answers[i]),
                    "recall": _share(hits[i], support[i]),
                    "f1": _share(2 * hits[i], support[i] + answers[i]),
                    "roc_area": found.roc_area if found else None,
                    "average_precision": found.average_precision if found else None,
                    "support": int(support[i]),
                }
            )
        return rows

    def averages(self) -> dict[str, dict[str, float | None]]:
        """ "macro": over the classes that have images, each counting alike; "weighted": by their numbers of images.

        A precision of 0 of 0 counts as 0, as in scikit-learn.
        """
        rows = [row for row in self.per_class if row["support"]]
        support = [row["support"] for row in rows]

        def over(key: str, weights: Sequence[float] | None) -> float | None:
            values = [row[key] for row in rows]
            if key.endswith(("area", "average_precision")) and None in values:
                return None  # all images are of one class
            return float(np.average([value or 0.0 for value in values], weights=weights))

        keys = ("precision", "recall", "f1", "roc_area", "average_precision")
        return {
            "macro": {key: over(key, None) for key in keys},
            "weighted": {key: over(key, support) for key in keys},
        }

    def to_json(self) -> dict:
        return {
            "loss": self.loss,
            "accuracy": self.accuracy.to_json(),
            "top": {str(count): self.top(count).to_json() for count in TOP if count < len(self.class_names)},
            "per_class": self.per_class,
            **self.averages(),
            "confusion": self.confusion.tolist(),
            "calibration": {
                "log_loss": self.log_loss,
                **self.reliability.to_json(),
                "before": {"log_loss": self.loss, **self.reliability_before.to_json()},
            },
        }

    def __str__(self) -> str:
        width = max(map(len, [*self.class_names, "class"]))
        lines = [f"accuracy {self.accuracy}, loss {self.loss:.4f}"]
        lines.append(f"{'class':<{width}}  precision  recall      F1  ROC area  images")
        for row in self.per_class:
            keys = ("precision", "recall", "f1", "roc_area")
            precision, recall, f1, area = (f"{row[key]:.3f}" if row[key] is not None else "-" for key in keys)
            lines.append(
                f"{row['class']:<{width}}  {precision:>9}  {recall:>6}  {f1:>6}  {area:>8}  {row['support']:>6,}"
            )
        before, after = self.reliability_before.error, self.reliability.error
        lines.append(f"probabilities are off by {after:.1%} on average ({before:.1%} before calibration)")
        return "\n".join(lines)


def measure(
    logits: np.ndarray, labels: np.ndarray, class_names: Sequence[str], certainty: Calibration | None = None
) -> Evaluation:
    """Logits (n, 1) or (n, classes) and int labels (n,), n at least 1 -> Evaluation.

    Raises:
        ModelError: there are numbers among the logits that are none.
    """
    logits = np.asarray(logits, np.float64)
    check_numbers(logits)
    shares = log_probabilities(logits)
    predicted = shares.argmax(axis=1)
    return Evaluation(
        class_names=tuple(class_names),
        labels=np.asarray(labels),
        logits=logits,
        certainty=certainty or Calibration(),
        loss=float(cross_entropies(shares, labels).mean()),
        accuracy=wilson(int((predicted == labels).sum()), len(labels)),
        confusion=confusion_matrix(labels, predicted, len(class_names)),
    )


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """int (num_classes, num_classes): how often each class (row) was answered as each (column)."""
    pairs = np.asarray(labels, dtype=np.int64) * num_classes + predicted
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
