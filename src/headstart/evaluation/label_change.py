"""What another state of the labels has changed: accuracies before and after, in numbers and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.evaluation.comparison import Comparison


@dataclass(frozen=True, eq=False)
class LabelChange:
    """How answers changed, on the photos that have the same label before and after: one that was corrected is right now
    because its label is another, which says nothing of the rest.

    relabelled: how many photos have another label, or have one only now. compared: accuracies on the others; the first
    is before.
    """

    relabelled: int
    compared: Comparison

    @property
    def gained(self) -> int:
        """Photos whose answers are right now, and were not."""
        return self.compared.between.only_second

    @property
    def lost(self) -> int:
        return self.compared.between.only_first

    @property
    def points(self) -> float:
        """Change of the accuracy, in percentage points."""
        return 100 * (self.compared.second.value - self.compared.first.value)

    @property
    def is_distinguishable(self) -> bool:
        return self.compared.between.is_distinguishable

    @property
    def text(self) -> str:
        """Such as "12 labels changed: +0.4 points on the 988 other photos (p = 0.01)." """
        labels = f"{self.relabelled:,} label{'' if self.relabelled == 1 else 's'} changed"
        chance = f"(p = {self.compared.between.p:.2g})"
        tail = chance if self.is_distinguishable else f"not distinguishable from chance {chance}"
        photos = f"on the {self.compared.first.count:,} other photos"
        return f"{labels}: {self.points:+.1f} points {photos}{' ' if self.is_distinguishable else ', '}{tail}."

    def to_json(self) -> dict:
        return {
            "relabelled": self.relabelled,
            "before": self.compared.first.to_json(),
            "after": self.compared.second.to_json(),
            "points": self.points,
            "gained": self.gained,
            "lost": self.lost,
            "p": self.compared.between.p,
            "distinguishable": self.is_distinguishable,
            "text": self.text,
        }
