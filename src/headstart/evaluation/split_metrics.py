"""SplitMetrics: the numbers of one split, as `metrics.json` keeps them. Plain data; measures nothing, knows no images.

Each class has `to_json` and `from_json`. The JSON keys are a file format: some attributes have clearer names.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from headstart.evaluation.answered import AccuracyGuarantee
from headstart.evaluation.hierarchy import HierarchyMetrics
from headstart.evaluation.soft_labels import SoftMetrics
from headstart.evaluation.stakes import StakesMetrics
from headstart.statistics import Interval, percent

UNEVEN = 2


@dataclass(frozen=True)
class ClassMetrics:
    """Of one class against all others; None where there is nothing to divide by.

    name: of the class; the JSON key is "class".
    roc_area, average_precision: see `Curves`.
    support: images of the class.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    roc_area: float | None
    average_precision: float | None
    support: int

    def to_json(self) -> dict:
        content = asdict(self)
        return {"class": content.pop("name"), **content}

    @classmethod
    def from_json(cls, content: Mapping) -> "ClassMetrics":
        return cls(**{"name" if key == "class" else key: value for key, value in content.items()})


@dataclass(frozen=True)
class ClassAverages:
    """Averages over the classes that have images; areas are None where all images are of one class."""

    precision: float
    recall: float
    f1: float
    roc_area: float | None
    average_precision: float | None

    def to_json(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers with a probability in (low, high]: how many, their mean probability, and their accuracy."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CalibrationMetrics:
    """How far probabilities can be trusted.

    log_loss: mean cross-entropy, natural logarithm.
    error: expected calibration error, 0..1. error_by_chance: see `Reliability.by_chance`.
    bins: those with answers.
    """

    log_loss: float
    error: float
    error_by_chance: float
    bins: tuple[ReliabilityBin, ...]

    def to_json(self) -> dict:
        return {
            "log_loss": self.log_loss,
            "expected_calibration_error": self.error,
            "error_by_chance": self.error_by_chance,
            "bins": [asdict(part) for part in self.bins],
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "CalibrationMetrics":
        bins = tuple(ReliabilityBin(**part) for part in content["bins"])
        return cls(content["log_loss"], content["expected_calibration_error"], content["error_by_chance"], bins)


@dataclass(frozen=True)
class CoverageGuarantee:
    """The sets of candidate classes that a guaranteed coverage needs.

    covered: the share of images whose true class is a candidate. sure: the share with exactly one candidate.
    mean_size: candidates per image.
    """

    covered: Interval
    sure: Interval
    mean_size: float

    def to_json(self) -> dict:
        return {"covered": self.covered.to_json(), "sure": self.sure.to_json(), "mean_size": self.mean_size}

    @classmethod
    def from_json(cls, content: Mapping) -> "CoverageGuarantee":
        return cls(Interval(**content["covered"]), Interval(**content["sure"]), content["mean_size"])


@dataclass(frozen=True)
class Guarantees:
    """What became of the guarantees on other images than those that gave them; the JSON key is "promises".

    accuracy, coverage: level, such as "0.95" -> the result; None where that accuracy could not be guaranteed.
    """

    accuracy: Mapping[str, AccuracyGuarantee | None]
    coverage: Mapping[str, CoverageGuarantee]

    def to_json(self) -> dict:
        return {
            "accuracy": {level: found.to_json() if found else None for level, found in self.accuracy.items()},
            "coverage": {level: found.to_json() for level, found in self.coverage.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Guarantees":
        return cls(
            {level: AccuracyGuarantee.from_json(row) if row else None for level, row in content["accuracy"].items()},
            {level: CoverageGuarantee.from_json(row) for level, row in content["coverage"].items()},
        )


@dataclass(frozen=True)
class SplitMetrics:
    """Every number about the answers to the images of one split.

    loss: mean cross-entropy of the logits as they are. top: k -> how often the true class is among the k most probable.
    macro: averages over the classes, each counting alike; weighted: by their numbers of images.
    confusion: a row for each true class, a column for each answer.
    calibration: with the temperature; calibration_before: without it.
    guarantees: None for training images, on which they would mean nothing.
    stakes: None for a classifier that answers the most probable class.
    soft: where labels are probabilities, how far the answers' are from them; else None.
    hierarchy: None where no class is in another.
    """

    loss: float
    accuracy: Interval
    top: Mapping[int, Interval]
    per_class: tuple[ClassMetrics, ...]
    macro: ClassAverages
    weighted: ClassAverages
    confusion: tuple[tuple[int, ...], ...]
    calibration: CalibrationMetrics
    calibration_before: CalibrationMetrics
    guarantees: Guarantees | None = None
    stakes: StakesMetrics | None = None
    soft: SoftMetrics | None = None
    hierarchy: HierarchyMetrics | None = None

    @property
    def commonest(self) -> ClassMetrics:
        """The class with the most images."""
        return max(self.per_class, key=lambda row: row.support)

    @property
    def baseline(self) -> float:
        """The accuracy of answering always with the commonest class."""
        return self.commonest.support / self.accuracy.count

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have images: K. Brodersen et al., ICPR 2010."""
        return self.macro.recall

    @property
    def is_uneven(self) -> bool:
        """Whether a class has at least UNEVEN times the images of another."""
        return self.commonest.support >= UNEVEN * min(row.support for row in self.per_class if row.support)

    @property
    def against_the_commonest(self) -> str:
        """What always answering with the commonest class would score, in sentences."""
        text = f"Always answering '{self.commonest.name}' would score {percent(self.baseline)}"
        if self.baseline == 1:
            return f"{text}, as all of these images are of that class."
        if self.is_uneven:
            text += f"; balanced accuracy (the mean recall of the classes): {percent(self.balanced_accuracy)}"
        if self.accuracy.low <= self.baseline:
            text += ". The classifier is not shown to be better than that"
        return f"{text}."

    @property
    def sentences(self) -> list[str]:
        """What is said of them besides accuracy and loss."""
        return [
            self.against_the_commonest,
            *(self.stakes.lines if self.stakes else ()),
            *([str(self.soft)] if self.soft else ()),
            *(self.hierarchy.lines if self.hierarchy else ()),
        ]

    def to_json(self) -> dict:
        content = {
            "loss": self.loss,
            "accuracy": self.accuracy.to_json(),
            "baseline": {"class": self.commonest.name, "accuracy": self.baseline},
            "balanced_accuracy": self.balanced_accuracy,
            "top": {str(count): share.to_json() for count, share in self.top.items()},
            "per_class": [row.to_json() for row in self.per_class],
            "macro": self.macro.to_json(),
            "weighted": self.weighted.to_json(),
            "confusion": [list(row) for row in self.confusion],
            "calibration": self.calibration.to_json() | {"before": self.calibration_before.to_json()},
        }
        if self.stakes:
            content["stakes"] = self.stakes.to_json()
        if self.soft:
            content["soft_labels"] = self.soft.to_json()
        if self.hierarchy:
            content["hierarchy"] = self.hierarchy.to_json()
        return content | {"promises": self.guarantees.to_json()} if self.guarantees else content

    @classmethod
    def from_json(cls, content: Mapping) -> "SplitMetrics":
        promises, stakes, hierarchy = map(content.get, ("promises", "stakes", "hierarchy"))
        return cls(
            loss=content["loss"],
            accuracy=Interval(**content["accuracy"]),
            top={int(count): Interval(**share) for count, share in content["top"].items()},
            per_class=tuple(map(ClassMetrics.from_json, content["per_class"])),
            macro=ClassAverages(**content["macro"]),
            weighted=ClassAverages(**content["weighted"]),
            confusion=tuple(map(tuple, content["confusion"])),
            calibration=CalibrationMetrics.from_json(content["calibration"]),
            calibration_before=CalibrationMetrics.from_json(content["calibration"]["before"]),
            guarantees=Guarantees.from_json(promises) if promises else None,
            stakes=StakesMetrics.from_json(stakes) if stakes else None,
            soft=SoftMetrics.from_json(content["soft_labels"]) if content.get("soft_labels") else None,
            hierarchy=HierarchyMetrics.from_json(hierarchy) if hierarchy else None,
        )
