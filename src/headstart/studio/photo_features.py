"""Features of a collection's photos -> the few numbers of each that the studio works with. Knows no labels and no files
of photos.

Heads are solved again after each label. On the principal components of the last layer, and on those of the depths
before it, that takes a tenth of the time that it takes on all features; side by side they are weighed at will. How
alike photos are is told by directions: components of the last layer, of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Float32
from headstart.features.rows import Rows


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """Of n photos, in the order of the collection's listing.

    last: principal components of the last layer. depths: those of the depths before it; of no columns where there are
    none. directions: of length 1. In the rows of photos without features all are NaN.
    """

    last: Float32[np.ndarray, "n a"]
    depths: Float32[np.ndarray, "n b"]
    directions: Float32[np.ndarray, "n c"]

    def __len__(self) -> int:
        return len(self.last)

    @classmethod
    def of(cls, features: Rows, sizes: Sequence[int], *, seed: int = 0) -> PhotoFeatures:
        """
        features: (n, numbers), such as `rows_of(extractor.features(images))`; n at least 1.
        sizes: how many numbers each block has: `extractor.spec.block_sizes`.
        """
        raise NotImplementedError

    def likeness(self, photo: int) -> Float32[np.ndarray, " n"]:
        """How alike all photos are to one, -1 to 1 (itself); NaN where there are no features."""
        return self.directions @ self.directions[photo]

    def take(self, photos: np.ndarray) -> PhotoFeatures:
        """Those of some photos, in that order; -1: a photo that has none (yet)."""
        raise NotImplementedError

    def write(self, file: Path) -> None:
        """Appears whole or not at all (.npz, no pickle)."""
        raise NotImplementedError

    @classmethod
    def read(cls, file: Path) -> PhotoFeatures | None:
        """None where the file is missing or damaged."""
        raise NotImplementedError
