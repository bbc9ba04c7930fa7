"""Hierarchy: calibrated probabilities -> the parent that is answered where a class is not sure. NumPy only.

The classes are paths ('birds/robin'). The probability of a parent ('birds') is the sum of those of its classes. Where
the class is not sure, the answer is its lowest parent whose probability reaches the threshold of its level; level 1 is
the highest. The thresholds come from the photos whose class was not sure, and that no lower parent answered: so what is
guaranteed holds for the answers of each level alone, and not only for all together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from headstart.array_types import Bool, Float, Float64, Int, Int64
from headstart.classifier.decision import NEVER
from headstart.classifier.prediction import Prediction
from headstart.data.class_tree import parents_of


@dataclass(frozen=True)
class Hierarchy:
    """accuracy: guaranteed accuracy -> for each level, the highest first, the least probability of a parent that is
    answered, 0..1, or infinity: none is; at least that share of the level's answers is right, with 90% confidence.
    """

    class_names: tuple[str, ...]
    accuracy: Mapping[float, tuple[float, ...]] = field(default_factory=dict)

    @cached_property
    def parents(self) -> tuple[tuple[str, ...], ...]:
        """Of each class, the highest first; without those that hold all classes, which say nothing."""
        of_class = [parents_of(name) for name in self.class_names]
        common = set(of_class[0]).intersection(*of_class)
        return tuple(tuple(parent for parent in parents if parent not in common) for parents in of_class)

    @property
    def levels(self) -> int:
        """Of parents: 0 where no class has one."""
        return max(map(len, self.parents))

    @property
    def names(self) -> list[str]:
        """All parents."""
        return [name for level in range(1, self.levels + 1) for name in self.names_at(level)]

    def names_at(self, level: int) -> list[str]:
        """The parents at a level, from 1."""
        return sorted({parents[level - 1] for parents in self.parents if len(parents) >= level})

    @cached_property
    def _numbers(self) -> Int64[np.ndarray, "levels classes"]:
        """Of each class's parent at each level; -1: it has none there."""
        found = np.full((self.levels, len(self.class_names)), -1)
        for level, row in enumerate(found):
            names = self.names_at(level + 1)
            for place, parents in enumerate(self.parents):
                if len(parents) > level:
                    row[place] = names.index(parents[level])
        return found

    def is_right(
        self, answers: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"], level: int
    ) -> Bool[np.ndarray, " n"]:
        """Whether each answered class has a parent at a level, and the label is in it too."""
        numbers = self._numbers[level - 1]
        return (numbers[answers] >= 0) & (numbers[answers] == numbers[labels])

    def probabilities(
        self, probabilities: Float[np.ndarray, "n classes"], answers: Int[np.ndarray, " n"], level: int
    ) -> Float64[np.ndarray, " n"]:
        """Of the parent of each answered class, at a level; -1: it has none."""
        numbers = self._numbers[level - 1]
        is_inside = numbers[answers][:, None] == numbers
        return np.where(numbers[answers] >= 0, np.minimum((probabilities * is_inside).sum(axis=1), 1), -1.0)

    def answered(
        self,
        probabilities: Float[np.ndarray, "n classes"],
        answers: Int[np.ndarray, " n"],
        is_sure: Bool[np.ndarray, " n"],
        accuracy: float,
    ) -> Int64[np.ndarray, " n"]:
        """The level of the parent that is answered; 0: none, as the class is sure, or no parent is."""
        found = np.zeros(len(answers), np.int64)
        for level in range(self.levels, 0, -1):
            shares, least = self.probabilities(probabilities, answers, level), self.accuracy[accuracy][level - 1]
            found[~is_sure & (found == 0) & (shares >= least)] = level
        return found

    def with_parents(
        self, found: Sequence[Prediction], probabilities: Float[np.ndarray, "n classes"], accuracy: float
    ) -> list[Prediction]:
        """Predictions, and of those that are not sure the parents that are answered."""
        numbers = {name: number for number, name in enumerate(self.class_names)}
        answers = np.array([numbers[each.label] for each in found], np.int64)
        is_sure = np.array([each.sure for each in found], bool)
        levels = self.answered(probabilities, answers, is_sure, accuracy)
        result = list(found)
        for level in range(1, self.levels + 1):
            shares = self.probabilities(probabilities, answers, level).tolist()
            for row in np.flatnonzero(levels == level).tolist():
                parent = self.parents[answers[row]][level - 1]
                result[row] = replace(found[row], parent=parent, parent_probability=shares[row])
        return result

    def with_common_parent(self, prediction: Prediction) -> Prediction:
        """A prediction with candidates; if it is not sure, with the lowest parent that holds all of them, if there is
        one: the right class is in it at least as often as among the candidates."""
        parents = [self.parents[self.class_names.index(name)] for name in prediction.candidates]
        common = [each for each in parents[0] if all(each in others for others in parents)] if parents else []
        if prediction.sure or not common:
            return prediction
        inside = [share for name, share in prediction.probabilities.items() if common[-1] in parents_of(name)]
        return replace(prediction, parent=common[-1], parent_probability=min(float(sum(inside)), 1.0))

    def guaranteed(self, level: int) -> list[float]:
        """The accuracies that can be guaranteed for answers of a level."""
        return sorted(accuracy for accuracy, least in self.accuracy.items() if least[level - 1] != NEVER)

    def sentences(self, accuracy: float | None) -> list[str]:
        """What became of each level, if this accuracy is guaranteed for classes; None: none is."""
        return [self._sentence(level, accuracy) for level in range(1, self.levels + 1)]

    def _sentence(self, level: int, accuracy: float | None) -> str:
        names = self.names_at(level)
        which = f"a parent at level {level} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
        if accuracy is not None and (least := self.accuracy[accuracy][level - 1]) != NEVER:
            return f"Where a class is not sure, {which} is answered from a probability of {least:.3g} on."
        possible = self.guaranteed(level)
        text = f"The held-out photos whose class is not sure are too few, or too hard, to guarantee {which}"
        if accuracy is None or not possible:
            return f"{text}."
        others = " or ".join(f"{each:g}" for each in possible)
        return f"{text} with an accuracy of {accuracy:g}; one is answered with --accuracy {others}."

    def to_json(self) -> dict:
        """With null for what cannot be guaranteed; parents: of each class, the highest first."""
        return {
            "class_names": list(self.class_names),
            "parents": [list(parents) for parents in self.parents],
            "accuracy": {
                f"{accuracy:g}": [None if least == NEVER else least for least in levels]
                for accuracy, levels in self.accuracy.items()
            },
        }

    @classmethod
    def from_json(cls, content: Mapping) -> Hierarchy:
        """Raises ValueError, TypeError or KeyError for what `to_json` did not make."""
        accuracy = {
            float(accuracy): tuple(NEVER if least is None else float(least) for least in levels)
            for accuracy, levels in content["accuracy"].items()
        }
        found = cls(tuple(map(str, content["class_names"])), accuracy)
        if any(len(levels) != found.levels for levels in accuracy.values()):
            raise ValueError(f"thresholds for another number of levels than {found.levels}")
        return found
