"""Logits + labels -> Evaluation: every number about how good the answers are. NumPy only; knows no model, no images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from headstart.models.outputs import cross_entropies, log_probabilities

Z = 1.959963984540054  # the standard normal's 97.5% point: two-sided 95%


@dataclass(frozen=True)
class Interval:
    """A share of `correct` in `count`, with its 95% interval."""

    value: float
    low: float
    high: float
    correct: int
    count: int

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}; {self.correct:,} of {self.count:,})"

    def to_json(self) -> dict:
        return {
            "value": self.value, "low": self.low, "high": self.high, "correct": self.correct, "count": self.count,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a classifier answered for some images whose classes are known.

    class_names: of the classifier.
    labels: int (n,), the right answers.
    probabilities: float64 (n, classes), the classifier's.
    loss: mean cross-entropy, natural logarithm.
    accuracy: with its 95% interval.
    confusion: int (classes, classes); row: the right class, column: the answer.
    """

    class_names: tuple[str, ...]
    labels: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    loss: float
    accuracy: Interval
    confusion: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """int (n,): the answers."""
        return self.probabilities.argmax(axis=1)

    def per_class(self) -> list[dict]:
        """Precision, recall, F1 and support of each class; None where nothing can be said (0 of 0)."""
        hits = np.diag(self.confusion)
        support, answers = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return [
            {
                "class": name,
                "precision": _share(hits[i], answers[i]),
                "recall": _share(hits[i], support[i]),
                "f1": _share(2 * hits[i], support[i] + answers[i]),
                "support": int(support[i]),
            }
            for i, name in enumerate(self.class_names)
        ]

    def to_json(self) -> dict:
        return {
            "loss": self.loss,
            "accuracy": self.accuracy.to_json(),
            "per_class": self.per_class(),
            "confusion": self.confusion.tolist(),
        }

    def __str__(self) -> str:
        width = max(map(len, [*self.class_names, "class"]))
        lines = [f"accuracy {self.accuracy}, loss {self.loss:.4f}"]
        lines.append(f"{'class':<{width}}  precision  recall      F1  images")
        for row in self.per_class():
            numbers = (f"{row[key]:.3f}" if row[key] is not None else "-" for key in ("precision", "recall", "f1"))
            precision, recall, f1 = numbers
            lines.append(f"{row['class']:<{width}}  {precision:>9}  {recall:>6}  {f1:>6}  {row['support']:>6,}")
        return "\n".join(lines)


def measure(logits: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> Evaluation:
    """Logits (n, 1) or (n, classes) and int labels (n,), n at least 1 -> Evaluation."""
    log_probability = log_probabilities(logits)
    predicted = log_probability.argmax(axis=1)
    return Evaluation(
        class_names=tuple(class_names),
        labels=np.asarray(labels),
        probabilities=np.exp(log_probability),
        loss=float(cross_entropies(log_probability, labels).mean()),
        accuracy=wilson(int((predicted == labels).sum()), len(labels)),
        confusion=confusion_matrix(labels, predicted, len(class_names)),
    )


def wilson(correct: int, count: int) -> Interval:
    """The share with Wilson's score interval, 95%, which stays within 0..1 and is right for small counts too.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212.
    """
    if count < 1:
        raise ValueError("A share of nothing has no interval: count must be at least 1.")
    share = correct / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), correct, count)


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """int (num_classes, num_classes): how often each class (row) was answered as each (column)."""
    pairs = np.asarray(labels, dtype=np.int64) * num_classes + predicted
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
