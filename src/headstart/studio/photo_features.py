"""Features of a collection's photos -> the few numbers of each that the studio works with. Knows no labels and no files
of photos.

Heads are solved again after each label. On the principal components of the last layer, and on those of the depths
before it, that takes a fifth of the time that it takes on all features; side by side, they can be weighed at will. How
alike photos are is told by directions: components of the last layer, of length 1.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from scipy.linalg import eigh

from headstart.array_types import Bool, Float32, Float64, Int
from headstart.features.blocks import Blocks
from headstart.features.neighbours import directions
from headstart.features.rows import Rows, row_by_row
from headstart.storage import cache

COMPONENTS = 384  # of the last layer, and as many of the depths before it
DIRECTION = 96  # components of the last layer that tell how alike photos are
SAMPLE = 2_000  # photos that components are found on
FAINT = 1e-7  # share of the largest variance, below which a component is rounding


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """Of n photos, in the order of the collection's listing.

    components: of the last layer, then of the depths before it. The total variance of either is the number of features
        of the last layer, but for what the components leave out.
    of_last: how many are of the last layer; all, where there are no depths.
    directions: of length 1.

    In the rows of photos without features all are NaN.
    """

    components: Float32[np.ndarray, "n numbers"]
    of_last: int
    directions: Float32[np.ndarray, "n c"]

    def __len__(self) -> int:
        return len(self.components)

    @property
    def known(self) -> Bool[np.ndarray, " n"]:
        """Which photos have features."""
        return ~np.isnan(self.directions[:, 0])

    @property
    def has_depths(self) -> bool:
        return self.of_last < self.components.shape[1]

    @classmethod
    def of(cls, features: Rows, sizes: Sequence[int], *, seed: int = 0) -> PhotoFeatures:
        """
        Args:
            features: (n, numbers), such as `rows_of(extractor.features(images))`; n at least 1.
            sizes: how many numbers each block has: `extractor.spec.block_sizes`.
            seed: of the choice of photos that components are found on, where there are many.
        """
        order = np.random.default_rng(seed).permutation(len(features))
        some = features[np.sort(order[:SAMPLE])]
        blocks = Blocks.of([some], sizes)
        factors = blocks.factors * np.float32(np.sqrt(sizes[0]))
        parts = slice(sizes[0]), slice(sizes[0], None)
        scaled = (some - blocks.mean) * factors
        kernels = [_components(scaled[:, part]) for part in parts]

        def reduced(piece: np.ndarray) -> np.ndarray:
            scaled = (piece - blocks.mean) * factors
            found = [scaled[:, part] @ kernel for part, kernel in zip(parts, kernels, strict=True)]
            return np.concatenate(found, axis=1)

        components, of_last = row_by_row(features, reduced), kernels[0].shape[1]
        return cls(components, of_last, directions(components[:, : min(DIRECTION, of_last)]))

    def emphasis(self, weight: float) -> Float64[np.ndarray, " numbers"]:
        """What components are multiplied with, where the depths have a weight, 0 to 1; see `Blocks.emphasis`."""
        share = np.full(self.components.shape[1], weight)
        share[: self.of_last] = 1 - weight
        return np.sqrt(share)

    def likeness(self, photo: int) -> Float32[np.ndarray, " n"]:
        """How alike all photos are to one, -1 to 1 (itself); NaN where there are no features."""
        return self.directions @ self.directions[photo]

    def take(self, photos: Int[np.ndarray, " m"]) -> PhotoFeatures:
        """Those of some photos, in that order; -1: a photo that has none yet."""
        components, ways = self.components[photos], self.directions[photos]
        components[photos < 0] = ways[photos < 0] = np.nan
        return PhotoFeatures(components, self.of_last, ways)

    def write(self, file: Path) -> bool:
        """Whether it could be kept; it appears whole or not at all."""
        with io.BytesIO() as content:
            np.savez(content, components=self.components, of_last=self.of_last, directions=self.directions)
            return cache.store_file(file, content.getvalue())

    @classmethod
    def read(cls, file: Path) -> PhotoFeatures | None:
        """None where the file is missing or damaged."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
                return cls(content["components"], int(content["of_last"]), content["directions"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def _components(scaled: Float32[np.ndarray, "m numbers"]) -> Float32[np.ndarray, "numbers components"]:
    """The principal directions of centred rows, the strongest first: at most COMPONENTS, at least one."""
    rows, numbers = scaled.shape
    if not numbers:
        return np.zeros((0, 0), np.float32)
    of_rows = rows <= numbers
    products = scaled @ scaled.T if of_rows else scaled.T @ scaled
    wanted = [max(0, len(products) - COMPONENTS), len(products) - 1]
    variances, vectors = eigh(products.astype(np.float64), subset_by_index=wanted)
    variances, vectors = variances[::-1], vectors[:, ::-1]
    kept = variances > FAINT * max(float(variances[0]), 1e-12)
    kept[0] = True
    vectors = vectors[:, kept]
    if of_rows:
        vectors = scaled.T @ (vectors / np.sqrt(np.maximum(variances[kept], 1e-12)))
    return vectors.astype(np.float32)
