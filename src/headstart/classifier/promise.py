"""Promise: a share that is to hold for new photos with 90% confidence, and what became of it. Plain data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

CONFIDENCE = 0.9  # that a promise holds, as for a guaranteed accuracy
NEVER = float("inf")  # a threshold that no probability reaches


@dataclass(frozen=True)
class Promise:
    """label: what is answered from the threshold on. share: that is promised.

    threshold: a probability; infinity where the promise cannot be given. photos: that speak for it. possible: the
    strictest share that they allow, 0 to 1.
    """

    label: str
    share: float
    threshold: float
    photos: int
    possible: float

    @property
    def is_given(self) -> bool:
        return self.threshold != NEVER

    @property
    def offer(self) -> float:
        """`possible` in thousandths, cut off; 0: nothing can be promised."""
        return math.floor(1000 * self.possible) / 1000

    def to_json(self) -> dict:
        """With null for the threshold of a promise that cannot be given."""
        return {
            "class": self.label,
            "promised": self.share,
            "threshold": self.threshold if self.is_given else None,
            "photos": self.photos,
            "possible": self.possible,
        }

    @classmethod
    def from_json(cls, content: Mapping) -> Self:
        """Raises ValueError, TypeError or KeyError for what `to_json` did not make."""
        least = content["threshold"]
        return cls(
            str(content["class"]),
            float(content["promised"]),
            NEVER if least is None else float(least),
            int(content["photos"]),
            float(content["possible"]),
        )
