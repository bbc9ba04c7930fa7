"""Decision: calibrated probabilities -> the answer, where mistakes differ in what they cost. NumPy only.

Without one, the answer is the most probable class. With one, the rule is, in this order:
1. a class whose recall is promised, as soon as its probability reaches its threshold; of several, the first one;
2. the class of the least expected cost: the sum over all classes of probability times cost; or, without costs, the most
   probable class.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.array_types import Bool, Float, Float64, Int, Int64
from headstart.classifier.promise import CONFIDENCE, NEVER, Promise
from headstart.classifier.stakes import Stakes
from headstart.statistics import Hashables, groups_at, least_share

COST, RECALL = "cost", "recall"  # what an answer follows from that is not the most probable class


@dataclass(frozen=True)
class RecallPromise(Promise):
    """At least `share` of the photos of the class `label` are answered as it, with 90% confidence.

    threshold: the probability from which on the answer is that class; infinity where the promise cannot be given.
    photos: of the class, that were asked. possible: the strictest share that they allow, 0 to 1.
    """

    @property
    def needed(self) -> int:
        """How many independent photos of the class it takes at least: if all of n are found, the bound of Clopper and
        Pearson is (1 - CONFIDENCE) ** (1 / n)."""
        return math.ceil(math.log(1 - CONFIDENCE) / math.log(self.share))

    @property
    def sentence(self) -> str:
        """What became of it."""
        share = f"{self.share:.6g}"
        if self.is_given:
            return (
                f"A recall of {share} is promised for '{self.label}', as {self.photos:,} held-out photos of it allow: "
                f"a photo with a probability of {self.threshold:.3g} or more for it is answered as it."
            )
        text = f"A recall of {share} cannot be promised for '{self.label}'"
        if self.photos < self.needed:
            text += f": that takes {self.needed:,} held-out photos of it, and there are {self.photos:,}"
        else:
            text += (
                f" by {self.photos:,} held-out photos of it: they are alike (of few groups), or are answered as a "
                f"class that was promised before"
            )
        if not self.offer:
            return f"{text}. No recall can be promised. The classifier is trained, and answers without this promise."
        return (
            f"{text}. With these, at most {self.offer:g} can be promised: --recall '{self.label}={self.offer:g}'. The "
            f"classifier is trained, and answers without this promise."
        )


@dataclass(frozen=True)
class Decision:
    """costs: a row for each right class, a column for each answer, in the order of `class_names`; None: all mistakes
    cost alike. recall: in the order in which they are looked at. ranks: the classes from the lowest to the highest, if
    they are that: costs are then distances in ranks, and the least expected one is that of the median."""

    class_names: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...] | None = None
    recall: tuple[RecallPromise, ...] = ()
    ranks: tuple[str, ...] | None = None

    def answers(self, probabilities: Float[np.ndarray, "n classes"]) -> Int64[np.ndarray, " n"]:
        """The class of each row, by its number."""
        expected = self.expected_costs(probabilities)
        found = probabilities.argmax(axis=1) if expected is None else expected.argmin(axis=1)
        for promise in reversed(self.recall):
            number = self.class_names.index(promise.label)
            found = np.where(probabilities[:, number] >= promise.threshold, number, found)
        return found

    def expected_costs(self, probabilities: Float[np.ndarray, "n classes"]) -> Float64[np.ndarray, "n classes"] | None:
        """Of each answer that could be given; None without costs."""
        return None if self.costs is None else probabilities @ np.array(self.costs)

    def rule(self, row: Float[np.ndarray, " classes"], answer: int) -> str | None:
        """What the answer to a photo follows from; None where it is the most probable class."""
        if answer == int(row.argmax()):
            return None
        promised = {promise.label: promise.threshold for promise in self.recall}
        return RECALL if row[answer] >= promised.get(self.class_names[answer], NEVER) else COST

    def to_json(self) -> dict:
        return {
            "class_names": list(self.class_names),
            "costs": None if self.costs is None else [list(row) for row in self.costs],
            "recall": [promise.to_json() for promise in self.recall],
            **({"ranks": list(self.ranks)} if self.ranks else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping) -> "Decision":
        """Raises ValueError, TypeError or KeyError for what `to_json` did not make."""
        names = tuple(map(str, content["class_names"]))
        costs = content["costs"]
        if costs is not None and np.shape(costs) != (len(names), len(names)):
            raise ValueError(f"a table of costs of the shape {np.shape(costs)}; expected a row and a column a class")
        recall = tuple(map(RecallPromise.from_json, content["recall"]))
        if unknown := {promise.label for promise in recall} - set(names):
            raise ValueError(f"a promise for {unknown}, which is no class")
        ranks = tuple(map(str, content.get("ranks", ())))  # new
        if ranks and sorted(ranks) != sorted(names):
            raise ValueError(f"the ranks {ranks}; expected each class once")
        return cls(names, costs and tuple(tuple(map(float, row)) for row in costs), recall, ranks or None)


def fit_decision(
    stakes: Stakes,
    class_names: Sequence[str],
    probabilities: Float[np.ndarray, "n classes"],
    labels: Int[np.ndarray, " n"],
    groups: Sequence[str] = (),
) -> Decision:
    """Find the thresholds of the promises, on photos that were not trained on; groups: see `proportion`."""
    costs, ranks = None, stakes.ranks(class_names)
    if ranks:
        place = [ranks.index(name) for name in class_names]
        costs = tuple(tuple(float(abs(one - other)) for other in place) for one in place)
    elif stakes.costs is not None:
        costs = tuple(tuple(float(stakes.costs[label][answer]) for answer in class_names) for label in class_names)
    promises, names = [], list(class_names)
    is_taken = np.zeros(len(labels), bool)
    for label, share in (stakes.recall or {}).items():
        number = names.index(label)
        own = np.flatnonzero(labels == number)
        groups_of_own = groups_at(groups, own)
        promise = promise_recall(label, share, probabilities[own, number], is_taken[own], groups_of_own)
        promises.append(promise)
        is_taken |= probabilities[:, number] >= promise.threshold
    return Decision(tuple(class_names), costs, tuple(promises), ranks)


def promise_recall(
    label: str,
    share: float,
    probabilities: Float[np.ndarray, " n"],
    is_taken: Bool[np.ndarray, " n"],
    groups: Hashables | None = None,
) -> RecallPromise:
    """The highest threshold of a class that finds at least a share of its photos, with a confidence of CONFIDENCE.

    probabilities: of the class, for n photos of it. is_taken: whether a promise before it has the photo already, so
    that it is missed whatever the threshold.

    Recall only falls as the threshold rises, so that the thresholds may be tried from the lowest on, up to the first
    that the bound of Clopper and Pearson does not allow, without a correction for trying many: S. Bates et al.,
    Distribution-free, risk-controlling prediction sets, JACM 68 (2021).
    """
    best, possible = NEVER, 0.0
    for threshold in np.unique(probabilities[~is_taken]):
        least = least_share((probabilities >= threshold) & ~is_taken, CONFIDENCE, groups)
        possible = max(possible, least)
        if least < share:
            break
        best = float(threshold)
    return RecallPromise(label, share, best, len(probabilities), possible)
