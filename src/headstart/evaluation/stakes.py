"""A decision, and the answers to images whose classes are known -> what mistakes cost, and whether recall was kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from headstart.array_types import Bool, Float, Int
from headstart.classifier.decision import Decision
from headstart.evaluation.ranks import RankMetrics, measure_ranks
from headstart.statistics import Interval, MeanInterval, groups_at, mean, percent, proportion


@dataclass(frozen=True)
class CostMetrics:
    """What an answer costs on average. of_most_probable: if the most probable class were answered. constant: the class
    that always to answer would cost least, of_constant: how much."""

    each: MeanInterval
    of_most_probable: float
    constant: str
    of_constant: float

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> "CostMetrics":
        return cls(**{**content, "each": MeanInterval(**content["each"])})

    def __str__(self) -> str:
        return (
            f"cost per photo {self.each}; {self.of_most_probable:.4g} if the most probable class were answered, "
            f"{self.of_constant:.4g} if always '{self.constant}'"
        )


@dataclass(frozen=True)
class RecallMetrics:
    """label: of the class. promised: its recall; is_given: whether it could be promised. recall: None where there are
    no images of the class; answered: the share of all images with that answer; precision: None where there is none."""

    label: str
    promised: float
    is_given: bool
    recall: Interval | None
    answered: Interval
    precision: Interval | None

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> "RecallMetrics":
        intervals = {name: content[name] and Interval(**content[name]) for name in ("recall", "answered", "precision")}
        return cls(**{**content, **intervals})

    def __str__(self) -> str:
        promised = f"promised: {self.promised:.6g}" if self.is_given else f"{self.promised:.6g} could not be promised"
        right = "none" if self.precision is None else percent(self.precision.value)
        return (
            f"recall of '{self.label}' {self.recall or '(no images)'}, {promised}; {percent(self.answered.value)} of "
            f"all are answered so, {right} of these rightly"
        )


@dataclass(frozen=True)
class StakesMetrics:
    """cost: None where the classifier has no table of costs. ranks: None where its classes are no ranks."""

    cost: CostMetrics | None
    recall: tuple[RecallMetrics, ...]
    ranks: RankMetrics | None = None

    def to_json(self) -> dict:
        found = {"cost": self.cost and self.cost.to_json(), "recall": [row.to_json() for row in self.recall]}
        return found | {"ranks": self.ranks.to_json()} if self.ranks else found

    @classmethod
    def from_json(cls, content: Mapping) -> "StakesMetrics":
        cost = content["cost"] and CostMetrics.from_json(content["cost"])
        ranks = RankMetrics.from_json(content["ranks"]) if content.get("ranks") else None  # new
        return cls(cost, tuple(map(RecallMetrics.from_json, content["recall"])), ranks)

    @property
    def lines(self) -> list[str]:
        """A sentence each."""
        return [str(row) for row in (self.cost, self.ranks, *self.recall) if row is not None]


def measure_stakes(
    decision: Decision,
    probabilities: Float[np.ndarray, "n classes"],
    labels: Int[np.ndarray, " n"],
    groups: Sequence[str] = (),
) -> StakesMetrics:
    """probabilities: calibrated. groups: of the images, or none; see `proportion`. n is at least 1."""
    answers, of_images = decision.answers(probabilities), groups or None
    found = []
    for promise in decision.recall:
        number = decision.class_names.index(promise.label)
        own, named = labels == number, answers == number
        found.append(
            RecallMetrics(
                label=promise.label,
                promised=promise.share,
                is_given=promise.is_given,
                recall=_share(named, own, groups),
                answered=proportion(named, of_images),
                precision=_share(own, named, groups),
            )
        )
    if decision.costs is None:
        return StakesMetrics(None, tuple(found))
    if decision.ranks:
        ranks = measure_ranks(decision, answers, probabilities.argmax(axis=1), labels, groups)
        return StakesMetrics(None, tuple(found), ranks)
    costs = np.array(decision.costs)
    always = costs[labels].mean(axis=0)
    return StakesMetrics(
        CostMetrics(
            each=mean(costs[labels, answers], float(costs.max()), of_images),
            of_most_probable=float(costs[labels, probabilities.argmax(axis=1)].mean()),
            constant=decision.class_names[int(always.argmin())],
            of_constant=float(always.min()),
        ),
        tuple(found),
    )


def _share(hits: Bool[np.ndarray, " n"], among: Bool[np.ndarray, " n"], groups: Sequence[str]) -> Interval | None:
    """The share of hits among some images; None where there are none."""
    if not among.any():
        return None
    return proportion(hits[among], groups_at(groups, np.flatnonzero(among)))
