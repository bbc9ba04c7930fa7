"""Scores of photos of the classes, and of `_other` photos, that were not trained on -> how well they are told apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart.array_types import Bool, Float
from headstart.classifier.base import BasePredictor
from headstart.classifier.others import IS_OTHER
from headstart.statistics import Interval, percent, wilson


@dataclass(frozen=True)
class OthersMetrics:
    """How photos of none of the classes are recognised.

    recognised: of the `_other` photos, those that are said to be none of the classes, or unlike all training photos;
        by_novelty: those that are said to be the latter, as without `_other`.
    refused, refused_by_novelty: the same, wrongly, of the photos of the classes.
    roc_area: of the probability of being none of them; roc_area_of_novelty: of the distance to the training photos,
        which is all that there is without `_other`. None where there is no such score.
    """

    recognised: Interval
    by_novelty: Interval
    refused: Interval
    refused_by_novelty: Interval
    roc_area: float | None
    roc_area_of_novelty: float | None

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping) -> "OthersMetrics":
        found: dict[str, Any] = {
            name: Interval(**each) if isinstance(each, Mapping) else each for name, each in content.items()
        }
        return cls(**found)

    @property
    def sentence(self) -> str:
        areas = ", ".join(
            f"{area:.3f} {by}"
            for area, by in ((self.roc_area, "with it"), (self.roc_area_of_novelty, "by novelty detection alone"))
            if area is not None
        )
        refused, by_novelty = percent(self.refused.value), percent(self.refused_by_novelty.value)
        return (
            f"None of the classes: {self.recognised} of the '_other' photos are recognised as such "
            f"({percent(self.by_novelty.value)} by novelty detection alone), and {refused} of the photos of the "
            f"classes are taken for such ({by_novelty}). ROC area: {areas or 'none'}."
        )


@dataclass(frozen=True, eq=False)
class Scores:
    """Of n photos. other: probability of being none of the classes; distance: to the training photos; None where the
    classifier has no such score. is_familiar: as novelty detection says."""

    other: Float[np.ndarray, " n"] | None
    distance: Float[np.ndarray, " n"] | None
    is_familiar: Bool[np.ndarray, " n"]

    @property
    def is_refused(self) -> Bool[np.ndarray, " n"]:
        return ~self.is_familiar if self.other is None else ~self.is_familiar | (self.other >= IS_OTHER)


def scores_of(classifier: BasePredictor, features: Float[np.ndarray, "n numbers"]) -> Scores:
    """features: what the network of the classifier says of images, see `NetworkOutput`; n is at least 1."""
    detector, head = classifier.novelty_detector, classifier.other_head
    return Scores(
        head.probabilities(features) if head else None,
        detector.distances(features) if detector else None,
        detector.is_familiar(features) if detector else np.ones(len(features), bool),
    )


def measure_others(known: Scores, others: Scores) -> OthersMetrics:
    """known, others: of photos of the classes and of others, at least one each."""
    return OthersMetrics(
        recognised=_share(others.is_refused),
        by_novelty=_share(~others.is_familiar),
        refused=_share(known.is_refused),
        refused_by_novelty=_share(~known.is_familiar),
        roc_area=_roc_area(known.other, others.other),
        roc_area_of_novelty=_roc_area(known.distance, others.distance),
    )


def _share(hits: Bool[np.ndarray, " n"]) -> Interval:
    return wilson(int(hits.sum()), len(hits))


def _roc_area(known: Float[np.ndarray, " n"] | None, others: Float[np.ndarray, " m"] | None) -> float | None:
    """The probability that the score of an other photo is higher than that of a photo of the classes."""
    from scipy.stats import mannwhitneyu

    if known is None or others is None:
        return None
    return float(mannwhitneyu(others, known).statistic) / (len(known) * len(others))
