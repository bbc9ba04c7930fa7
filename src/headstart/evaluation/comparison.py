"""Two classifiers on the same images, in numbers and in a sentence. Right or wrong, twice -> Comparison."""

from dataclasses import dataclass

import numpy as np

from headstart.statistics import Disagreement, Interval, disagreement, wilson


@dataclass(frozen=True)
class Comparison:
    """first, second: accuracies. between: on which images they disagree, and whether that is more than chance."""

    first: Interval
    second: Interval
    between: Disagreement

    @property
    def verdict(self) -> str:
        """In a sentence."""
        only_first, only_second, count = self.between.only_first, self.between.only_second, self.first.count
        if not self.between.is_distinguishable:
            return (
                f"Not distinguishable: {only_first:,} images are answered rightly by the first alone, "
                f"{only_second:,} by the second alone, of {count:,} (p = {self.between.p:.2g})."
            )
        better, more, less = ("first", only_first, only_second)
        if only_second > only_first:
            better, more, less = ("second", only_second, only_first)
        return (
            f"The {better} is better: {more:,} images are answered rightly by it alone, {less:,} by the other alone, "
            f"of {count:,} (p = {self.between.p:.2g})."
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


def compare(first_right: np.ndarray, second_right: np.ndarray) -> Comparison:
    """bool (n,) twice: whether the one and the other answered each of the same n images rightly; n at least 1."""
    between = disagreement(first_right, second_right)
    count = len(first_right)
    return Comparison(wilson(int(np.sum(first_right)), count), wilson(int(np.sum(second_right)), count), between)
