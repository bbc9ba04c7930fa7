"""Answers to images whose classes are ranks -> how far they are off. Knows no images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from headstart.array_types import Float64, Int
from headstart.classifier.decision import Decision
from headstart.statistics import Interval, MeanInterval, bootstrap, mean, percent, proportion


@dataclass(frozen=True)
class RankMetrics:
    """order: the classes, from the lowest to the highest.

    kappa: quadratic weighted kappa of answers and labels: 1: all are right, 0: as by chance, below: worse.
    distance: the mean absolute error in ranks. within_one: how many answers are off by one rank at most.
    kappa_of_most_probable, distance_of_most_probable: if the most probable class were answered.
    constant, distance_of_constant: the class that always to answer would be off least, and by how much.
    """

    order: tuple[str, ...]
    kappa: MeanInterval
    distance: MeanInterval
    within_one: Interval
    kappa_of_most_probable: float
    distance_of_most_probable: float
    constant: str
    distance_of_constant: float

    def to_json(self) -> dict:
        return {**asdict(self), "order": list(self.order)}

    @classmethod
    def from_json(cls, content: Mapping) -> "RankMetrics":
        numbers = {name: MeanInterval(**content[name]) for name in ("kappa", "distance")}
        within = Interval(**content["within_one"])
        return cls(**{**content, **numbers, "within_one": within, "order": tuple(content["order"])})

    def __str__(self) -> str:
        kappa, off = self.kappa, self.distance
        return (
            f"quadratic weighted kappa {kappa.value:.3f} ({kappa.low:.3f} to {kappa.high:.3f}); mean absolute error "
            f"{off.value:.3f} ranks ({off.low:.3f} to {off.high:.3f}), at most one in {percent(self.within_one.value)} "
            f"of answers; if the most probable class were answered, {self.kappa_of_most_probable:.3f} and "
            f"{self.distance_of_most_probable:.3f}; if always '{self.constant}', 0 and {self.distance_of_constant:.3f}"
        )


def measure_ranks(
    decision: Decision,
    answers: Int[np.ndarray, " n"],
    most_probable: Int[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    groups: Sequence[str] = (),
) -> RankMetrics:
    """decision: with ranks. All others: classes by their number. groups: of the images, or none; n is at least 1.

    Raises:
        ValueError: the decision knows no ranks.
    """
    if decision.ranks is None or decision.costs is None:
        raise ValueError("a decision about classes that are no ranks; expected ranks")
    place = np.array([decision.ranks.index(name) for name in decision.class_names])
    classes, of_images, right = len(place), groups or None, place[labels]
    far = np.abs(place[answers] - right)
    always = np.array(decision.costs)[labels].mean(axis=0)

    def kappa(rows: np.ndarray, said: np.ndarray = place[answers]) -> float:
        pairs = np.bincount(right[rows] * classes + said[rows], minlength=classes**2)
        return quadratic_kappa(pairs.reshape(classes, classes).astype(np.float64))

    return RankMetrics(
        order=decision.ranks,
        kappa=bootstrap(kappa, len(labels), of_images, lowest=-1.0, highest=1.0),
        distance=mean(far.astype(float), classes - 1, of_images),
        within_one=proportion(far <= 1, of_images),
        kappa_of_most_probable=kappa(np.arange(len(labels)), place[most_probable]),
        distance_of_most_probable=float(np.abs(place[most_probable] - right).mean()),
        constant=decision.class_names[int(always.argmin())],
        distance_of_constant=float(always.min()),
    )


def quadratic_kappa(confusion: Float64[np.ndarray, "ranks ranks"]) -> float:
    """Of a confusion matrix in the order of ranks; 0 where labels and answers are all of one class: that shows nothing.

    J. Cohen, Weighted kappa: nominal scale agreement provision for scaled disagreement or partial credit, Psychological
    Bulletin 70 (1968): 1 - (observed disagreement) / (that by chance), a disagreement counting its squared distance.
    """
    ranks = np.arange(len(confusion))
    squares = (ranks[:, None] - ranks) ** 2
    by_chance = np.outer(confusion.sum(axis=1), confusion.sum(axis=0)) / confusion.sum()
    expected = float((squares * by_chance).sum())
    return 1 - float((squares * confusion).sum()) / expected if expected else 0.0
