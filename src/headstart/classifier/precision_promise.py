"""PrecisionPromise: probabilities of a label -> the threshold from which on it is right as often as was promised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.array_types import Bool, Float
from headstart.classifier.promise import CONFIDENCE, NEVER, Promise
from headstart.statistics import Hashables, groups_at, least_share

TRIED = 20  # thresholds: those with all candidates, 95%, 90%, ... 5% of them


@dataclass(frozen=True)
class PrecisionPromise(Promise):
    """Of the photos that are given the label, at least `share` show it, with 90% confidence.

    threshold: the probability from which on it is given; infinity where the promise cannot be given.
    photos: that were given it, of those that were asked; 0 where it cannot be given. possible: the strictest share that
    they allow, 0 to 1.
    """

    @property
    def sentence(self) -> str:
        """What became of it."""
        share = f"{self.share:.6g}"
        if self.is_given:
            return (
                f"A precision of {share} is promised for '{self.label}': it is answered from a probability of "
                f"{self.threshold:.3g} on, as shown by {self.photos:,} held-out photos that are given it."
            )
        text = f"A precision of {share} cannot be promised for '{self.label}' by the held-out photos"
        remedy = f"At most {self.offer:g} can: --label-precision '{self.label}={self.offer:g}'. " if self.offer else ""
        return f"{text}. {remedy}The classifier is trained, and answers without this promise."


def promise_precision(
    label: str,
    share: float,
    probabilities: Float[np.ndarray, " n"],
    is_right: Bool[np.ndarray, " n"],
    groups: Hashables | None = None,
) -> PrecisionPromise:
    """The lowest of TRIED thresholds whose precision is at least the share, with a confidence of CONFIDENCE.

    probabilities: of the label. is_right: whether the photo has it.

    The candidates are the photos with at least half of the share as their probability: photos below hardly have the
    label. Precision does not rise with every threshold, so all bounds (Clopper and Pearson) are to hold together
    (Bonferroni), as in `calibration.least_probability`.
    """
    candidates = np.sort(probabilities[probabilities >= share / 2])
    doubt, possible = (1 - CONFIDENCE) / TRIED, 0.0
    for number in range(TRIED if len(candidates) else 0):
        threshold = candidates[len(candidates) * number // TRIED]
        given = np.flatnonzero(probabilities >= threshold)
        of_given = groups_at(groups, given)
        least = least_share(is_right[given], 1 - doubt, of_given)
        possible = max(possible, least)
        if least >= share:
            return PrecisionPromise(label, share, float(threshold), len(given), possible)
    return PrecisionPromise(label, share, NEVER, 0, possible)
