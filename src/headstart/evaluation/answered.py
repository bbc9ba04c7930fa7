"""AccuracyGuarantee: how many images get an answer, and how many of these answers are right. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass

from headstart.statistics import Interval


@dataclass(frozen=True)
class AccuracyGuarantee:
    """The confident answers that a guaranteed accuracy allows.

    answered: the share of images that get one. accuracy: of these answers; None where there are none.
    """

    answered: Interval
    accuracy: Interval | None

    def to_json(self) -> dict:
        return {"answered": self.answered.to_json(), "accuracy": self.accuracy.to_json() if self.accuracy else None}

    @classmethod
    def from_json(cls, content: Mapping) -> "AccuracyGuarantee":
        return cls(Interval(**content["answered"]), interval_from_json(content["accuracy"]))


def interval_from_json(content: Mapping | None) -> Interval | None:
    return Interval(**content) if content else None
