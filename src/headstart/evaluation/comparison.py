"""Two classifiers on the same images: which is better? Correct or not, twice -> Comparison, numbers and a sentence."""

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Bool
from headstart.statistics import Disagreement, Hashables, Interval, disagreement, proportion


@dataclass(frozen=True)
class Comparison:
    """first, second: accuracies. between: on which images they disagree, and whether that is more than chance. groups:
    how many groups the images come in, if they come in groups."""

    first: Interval
    second: Interval
    between: Disagreement
    groups: int | None = None

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        only_first, only_second = self.between.only_first, self.between.only_second
        images = f"{self.first.count:,} images" + (f" in {self.groups:,} groups" if self.groups else "")
        out_of = f"of {images} (p = {self.between.p:.2g})"
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


def compare(
    first_correct: Bool[np.ndarray, " n"], second_correct: Bool[np.ndarray, " n"], groups: Hashables | None = None
) -> Comparison:
    """Whether each of two classifiers classified each of the same n images correctly; n is at least 1.

    groups: of the images, if they come in groups: intervals and the test then count these.
    """
    return Comparison(
        proportion(first_correct, groups),
        proportion(second_correct, groups),
        disagreement(first_correct, second_correct, groups),
        len(set(groups)) if groups else None,
    )
