"""Two classifiers on the same images: which is better? Correct or not, twice -> Comparison, numbers and a sentence."""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Bool
from headstart.statistics import Disagreement, Interval, disagreement, wilson


@dataclass(frozen=True)
class Comparison:
    """first, second: accuracies. between: on which images they disagree, and whether that is more than chance."""

    first: Interval
    second: Interval
    between: Disagreement

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        only_first, only_second = self.between.only_first, self.between.only_second
        out_of = f"of {self.first.count:,} images (p = {self.between.p:.2g})"
        if not self.between.is_distinguishable:
            return (
                f"Not distinguishable: only the first is correct on {only_first:,}, only the second on {only_second:,} "
                f"{out_of}."
            )
        better, other, more, less = "first", "second", only_first, only_second
        if only_second > only_first:
            better, other, more, less = "second", "first", only_second, only_first
        return (
            f"The {better} is better: only the {better} is correct on {more:,}, only the {other} on {less:,} {out_of}."
        )

    def to_json(self) -> dict:
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "only_first_right": self.between.only_first,
            "only_second_right": self.between.only_second,
            "p": self.between.p,
            "distinguishable": self.between.is_distinguishable,
            "verdict": self.verdict,
        }


def compare(first_correct: Bool[np.ndarray, " n"], second_correct: Bool[np.ndarray, " n"]) -> Comparison:
    """Whether each of two classifiers classified each of the same n images correctly; n is at least 1."""
    between = disagreement(first_correct, second_correct)
    count = len(first_correct)
    return Comparison(wilson(int(np.sum(first_correct)), count), wilson(int(np.sum(second_correct)), count), between)
