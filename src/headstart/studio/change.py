"""Two Answers for the same photos -> what has changed between them, in numbers and a sentence. Knows no journal."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.statistics import Disagreement, Interval
from headstart.studio.answers import Answers


@dataclass(frozen=True)
class Change:
    """How answers changed, on the photos whose labels are the same before and after (a label that was corrected counts
    for itself, and would say nothing of the rest).

    relabelled: photos whose labels differ. before, after: accuracies on the others. between: the first is before.
    """

    relabelled: int
    before: Interval
    after: Interval
    between: Disagreement

    @property
    def gained(self) -> int:
        """Photos that are right now, and were not."""
        return self.between.only_second

    @property
    def lost(self) -> int:
        return self.between.only_first

    @property
    def text(self) -> str:
        """Such as "12 labels changed: +0.4 points, not distinguishable from chance (p = 0.21)"."""
        raise NotImplementedError

    def to_json(self) -> dict:
        """before, after, gained, lost, p, distinguishable, relabelled, text"""
        raise NotImplementedError


def change(before: Answers, after: Answers) -> Change | None:
    """None where no photo has cross-validated answers and the same label in both."""
    raise NotImplementedError
