"""LabelMetrics: the numbers of one split of several labels per photo, as `metrics.json` keeps them. Plain data; the
counterpart of `SplitMetrics`, with the same names where the meaning is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from headstart.evaluation.answered import interval_from_json
from headstart.evaluation.split_metrics import CalibrationMetrics
from headstart.statistics import Interval, percent


@dataclass(frozen=True)
class Estimate:
    """A number between 0 and 1, with its 95% interval by the bootstrap (of photos, or of groups of them)."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class OneLabel:
    """Of one label; None where there is nothing to divide by.

    threshold: the probability from which on it is answered. support: images that have it. answered: that are given it.
    promised: what was promised of it, such as ("recall", 0.99), and whether it could be; None: nothing was.
    """

    name: str
    precision: Interval | None
    recall: Interval | None
    f1: float | None
    average_precision: float | None
    roc_area: float | None
    support: int
    answered: int
    threshold: float
    promised: tuple[str, float, bool] | None = None

    def to_json(self) -> dict:
        promised = self.promised and dict(zip(("what", "share", "is_given"), self.promised, strict=True))
        return {
            "class": self.name,
            "precision": self.precision and self.precision.to_json(),
            "recall": self.recall and self.recall.to_json(),
            "f1": self.f1,
            "average_precision": self.average_precision,
            "roc_area": self.roc_area,
            "support": self.support,
            "answered": self.answered,
            "threshold": self.threshold,
            "promised": promised,
        }

    @classmethod
    def from_json(cls, content: Mapping) -> OneLabel:
        promised = content["promised"]
        as_they_are = ("f1", "average_precision", "roc_area", "support", "answered", "threshold")
        return cls(
            name=content["class"],
            precision=interval_from_json(content["precision"]),
            recall=interval_from_json(content["recall"]),
            promised=(promised["what"], promised["share"], promised["is_given"]) if promised else None,
            **{key: content[key] for key in as_they_are},
        )


@dataclass(frozen=True)
class LabelMetrics:
    """How n images with known labels were answered.

    loss: mean cross-entropy of a label of an image, of the calibrated probabilities, natural logarithm.
    accuracy: the exact-match ratio: how many images are given exactly their labels.
    mean_average_precision: the mean over the labels of the average precision; by_chance: what it is without looking at
        the images, the mean share of a label.
    f1_micro: of all answers of all labels together. f1_macro: the mean of the labels that have images.
    commonest: the labels that most images have exactly, and how many: what always answering these would score.
    """

    loss: float
    accuracy: Interval
    mean_average_precision: Estimate | None
    by_chance: float | None
    f1_micro: Estimate
    f1_macro: Estimate
    per_class: tuple[OneLabel, ...]
    commonest: tuple[str, int]
    calibration: CalibrationMetrics

    @property
    def baseline(self) -> float:
        """The exact-match ratio of always answering the commonest labels."""
        return self.commonest[1] / self.accuracy.count

    @property
    def sentences(self) -> list[str]:
        """What the numbers say, and what they would be by chance."""
        lines = []
        if self.mean_average_precision:
            lines.append(f"mean average precision {self.mean_average_precision}; by chance {self.by_chance:.3f}.")
        labels = f"'{self.commonest[0]}'" if self.commonest[0] else "no label"
        lines += [
            f"F1 {self.f1_micro} over all labels together (micro), {self.f1_macro} averaged over the labels (macro).",
            f"Exactly right: {self.accuracy}; always answering {labels} would score {percent(self.baseline)}.",
        ]
        if self.accuracy.low <= self.baseline:
            lines.append("By this measure, the classifier is not shown to be better.")
        return lines

    def to_json(self) -> dict:
        labels, count = self.commonest
        return {
            "loss": self.loss,
            "accuracy": self.accuracy.to_json(),
            "baseline": {"labels": labels, "count": count, "accuracy": self.baseline},
            "mean_average_precision": self.mean_average_precision and self.mean_average_precision.to_json(),
            "mean_average_precision_by_chance": self.by_chance,
            "f1": {"micro": self.f1_micro.to_json(), "macro": self.f1_macro.to_json()},
            "per_class": [row.to_json() for row in self.per_class],
            "calibration": self.calibration.to_json(),
        }

    @classmethod
    def from_json(cls, content: Mapping) -> LabelMetrics:
        baseline, mean = content["baseline"], content["mean_average_precision"]
        return cls(
            loss=content["loss"],
            accuracy=Interval(**content["accuracy"]),
            mean_average_precision=Estimate(**mean) if mean else None,
            by_chance=content["mean_average_precision_by_chance"],
            f1_micro=Estimate(**content["f1"]["micro"]),
            f1_macro=Estimate(**content["f1"]["macro"]),
            per_class=tuple(map(OneLabel.from_json, content["per_class"])),
            commonest=(baseline["labels"], baseline["count"]),
            calibration=CalibrationMetrics.from_json(content["calibration"]),
        )
