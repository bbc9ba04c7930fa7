"""A hierarchy of classes, and answers to images whose classes are known -> how good the answers of each level are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Bool, Float, Int
from headstart.classifier.calibration import Calibration
from headstart.classifier.decision import NEVER
from headstart.evaluation.answered import AccuracyGuarantee
from headstart.statistics import Interval, groups_at, percent, proportion


@dataclass(frozen=True)
class LevelMetrics:
    """Of the parents at one level, from 1, the highest.

    parents: their names. accuracy: the share of images whose answered class, sure or not, is in the right parent; a
    class that has none at this level is to be answered itself.
    """

    level: int
    parents: tuple[str, ...]
    accuracy: Interval

    def to_json(self) -> dict:
        return {"level": self.level, "parents": list(self.parents), "accuracy": self.accuracy.to_json()}

    @classmethod
    def from_json(cls, content: Mapping) -> "LevelMetrics":
        return cls(content["level"], tuple(content["parents"]), Interval(**content["accuracy"]))


@dataclass(frozen=True)
class LevelAnswers:
    """What becomes of the images where an accuracy is guaranteed for the answers of each level.

    classes: those that are answered by a class. parents: by a parent, of each level, the highest first; None where it
    cannot be guaranteed. unanswered: neither by a class nor by a parent.
    """

    classes: AccuracyGuarantee | None
    parents: tuple[AccuracyGuarantee | None, ...]
    unanswered: Interval

    @property
    def cells(self) -> tuple[AccuracyGuarantee | None, ...]:
        """The most precise first."""
        return self.classes, *reversed(self.parents)

    def to_json(self) -> dict:
        return {
            "classes": self.classes and self.classes.to_json(),
            "parents": [found and found.to_json() for found in self.parents],
            "unanswered": self.unanswered.to_json(),
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "LevelAnswers":
        classes, *parents = (
            AccuracyGuarantee.from_json(found) if found else None for found in (content["classes"], *content["parents"])
        )
        return cls(classes, tuple(parents), Interval(**content["unanswered"]))


@dataclass(frozen=True)
class HierarchyMetrics:
    """levels: the highest first. answers: guaranteed accuracy, such as "0.95" -> what becomes of the images, for each
    that can be guaranteed at any level."""

    levels: tuple[LevelMetrics, ...]
    answers: Mapping[str, LevelAnswers]

    @property
    def columns(self) -> list[str]:
        """What an image may be answered by, the most precise first."""
        return ["a class", *(f"a parent at level {each.level}" for each in reversed(self.levels))]

    @property
    def lines(self) -> list[str]:
        """The same in words, a line each."""
        lines = [f"accuracy at level {each.level} ({', '.join(each.parents)}) {each.accuracy}" for each in self.levels]
        for accuracy, found in self.answers.items():
            cells = [f"{_in_words(cell)} by {name}" for name, cell in zip(self.columns, found.cells, strict=True)]
            lines.append(f"--accuracy {accuracy}: answered {', '.join(cells)}; {_share(found.unanswered)} not sure")
        return lines

    def to_json(self) -> dict:
        return {
            "levels": [level.to_json() for level in self.levels],
            "answers": {accuracy: found.to_json() for accuracy, found in self.answers.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "HierarchyMetrics":
        return cls(
            tuple(map(LevelMetrics.from_json, content["levels"])),
            {accuracy: LevelAnswers.from_json(found) for accuracy, found in content["answers"].items()},
        )


def measure_hierarchy(
    calibration: Calibration,
    class_names: Sequence[str],
    probabilities: Float[np.ndarray, "n classes"],
    labels: Int[np.ndarray, " n"],
    groups: Sequence[str] = (),
) -> HierarchyMetrics | None:
    """None where no class is in another. probabilities: calibrated. groups: of the images, or none; see `proportion`. n
    is at least 1."""
    hierarchy, of_images = calibration.hierarchy, groups or None
    if hierarchy is None:
        return None
    answers = calibration.answers(probabilities)
    of_answer, is_right = probabilities[np.arange(len(labels)), answers], answers == labels
    is_ever_sure = ~np.isin(class_names, calibration.unsure)[answers]
    levels = range(1, hierarchy.levels + 1)
    is_inside = {level: hierarchy.is_right(answers, labels, level) for level in levels}

    def of(least: float, given: Bool[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> AccuracyGuarantee | None:
        if least == NEVER:
            return None
        of_given = groups_at(groups, np.flatnonzero(given))
        correct = proportion(right[given], of_given) if given.any() else None
        return AccuracyGuarantee(proportion(given, of_images), correct)

    found = {}
    for accuracy in calibration.possible_accuracies:
        least, of_parents = calibration.accuracy[accuracy], hierarchy.accuracy[accuracy]
        is_sure = (of_answer >= least) & is_ever_sure
        answered = hierarchy.answered(probabilities, answers, is_sure, accuracy)
        parents = tuple(of(of_parents[level - 1], answered == level, is_inside[level]) for level in levels)
        unanswered = proportion(~is_sure & (answered == 0), of_images)
        found[f"{accuracy:g}"] = LevelAnswers(of(least, is_sure, is_right), parents, unanswered)
    return HierarchyMetrics(
        tuple(
            LevelMetrics(level, tuple(hierarchy.names_at(level)), proportion(is_inside[level] | is_right, of_images))
            for level in levels
        ),
        found,
    )


def _share(found: Interval) -> str:
    return percent(found.value)


def _in_words(found: AccuracyGuarantee | None) -> str:
    if found is None:
        return "none"
    return _share(found.answered) + ("" if found.accuracy is None else f" ({_share(found.accuracy)} of these rightly)")
