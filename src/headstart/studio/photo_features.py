"""Features of a collection's photos -> the few numbers of each that the studio works with. Knows no labels and no files
of photos.

Heads are solved again after each label. On the principal components of the last layer, and on those of the depths
before it, that takes a fifth of the time that it takes on all features; side by side, they can be weighed at will. How
alike photos are is told by directions: components of the last layer, of length 1.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from headstart.array_types import Bool, Float32, Float64, Int
from headstart.features.blocks import Blocks
from headstart.features.linear_head import Head
from headstart.features.neighbours import directions
from headstart.features.rows import Rows, pieces, row_by_row
from headstart.storage import cache

# Components of the last layer, and of the depths before it. With all of them 2,527 photos of six classes are answered
# as well (cross-validated cross-entropy 0.278 in place of 0.286; with 160 of either 0.328) in four times the time.
COMPONENTS = (256, 512)
MANY = 30_000  # photos; of more, fewer components: 100,000 take 130 MB
COMPONENTS_OF_MANY = (128, 192)
DIRECTION = 96  # components of the last layer that tell how alike photos are
SAMPLE = 1_500  # photos that components are found on
FAINT = 1e-7  # share of the largest variance, below which a component is rounding


@dataclass(frozen=True, eq=False)
class Basis:
    """What makes components of features.

    mean, factors: of each number: of the difference from the mean, and of its variance, see `Blocks`.
    last, depths: the principal directions of the last layer, and of the depths before it.
    """

    mean: Float32[np.ndarray, " numbers"]
    factors: Float32[np.ndarray, " numbers"]
    last: Float32[np.ndarray, "of_last a"]
    depths: Float32[np.ndarray, "of_depths b"]

    @classmethod
    def of(cls, features: Rows, sizes: Sequence[int], *, seed: int = 0) -> Basis:
        """Arguments: see `PhotoFeatures.of`."""
        order = np.random.default_rng(seed).permutation(len(features))
        some = features[np.sort(order[:SAMPLE])]
        blocks = Blocks.of([some], sizes)
        factors = blocks.factors * np.float32(np.sqrt(sizes[0]))
        scaled = (some - blocks.mean) * factors
        of_last, of_depths = COMPONENTS if len(features) <= MANY else COMPONENTS_OF_MANY
        last, depths = scaled[:, : sizes[0]], scaled[:, sizes[0] :]
        return cls(blocks.mean, factors, _components(last, of_last), _components(depths, of_depths))

    def __call__(self, features: Rows) -> Float32[np.ndarray, "n components"]:
        """Features (n, numbers) -> their components: of the last layer, then of the depths before it."""
        return row_by_row(features, self._of_piece)

    def _of_piece(self, piece: np.ndarray) -> np.ndarray:
        scaled, border = (piece - self.mean) * self.factors, len(self.last)
        return np.concatenate([scaled[:, :border] @ self.last, scaled[:, border:] @ self.depths], axis=1)

    def head(self, of_components: Float64[np.ndarray, "numbers classes"], C: float, weight: float) -> Head:
        """A head for components, with its bias in the last row -> the same for features as they come."""
        border = self.last.shape[1]
        parts = [self.last @ of_components[:border], self.depths @ of_components[border:-1]]
        kernel = np.concatenate(parts) * self.factors[:, None]
        bias = of_components[-1] - self.mean @ kernel
        return Head(kernel.astype(np.float32), bias.astype(np.float32), C, weight)


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """Of n photos, in the order of the collection's listing.

    components: of the last layer, then of the depths before it. The total variance of either is the number of features
        of the last layer, but for what the components leave out.
    directions: of length 1.
    basis: makes components of the features of other photos, too.

    In the rows of photos without features all are NaN.
    """

    components: Float32[np.ndarray, "n numbers"]
    directions: Float32[np.ndarray, "n c"]
    basis: Basis

    def __len__(self) -> int:
        return len(self.components)

    @property
    def of_last(self) -> int:
        """How many components are of the last layer; all, where there are no depths."""
        return self.basis.last.shape[1]

    @cached_property
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
        return cls.by(Basis.of(features, sizes, seed=seed), features)

    @classmethod
    def by(cls, basis: Basis, features: Rows) -> PhotoFeatures:
        """Of photos whose components others' features have given."""
        components = basis(features)
        return cls(components, _directions(basis, components), basis)

    @cached_property
    def variances(self) -> Float64[np.ndarray, " numbers"]:
        """Of the components of the photos that have features."""
        count, total, squares = 0, np.zeros(self.components.shape[1]), np.zeros(self.components.shape[1])
        for place, piece in pieces([self.components]):
            some = piece[self.known[place]].astype(np.float64)
            count, total, squares = count + len(some), total + some.sum(axis=0), squares + (some**2).sum(axis=0)
        return np.maximum(squares / max(count, 1) - (total / max(count, 1)) ** 2, 0.0)

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
        return PhotoFeatures(components, ways, self.basis)

    def joined(self, others: PhotoFeatures) -> PhotoFeatures:
        """These, and behind them others by the same basis."""
        components = np.concatenate([self.components, others.components])
        return PhotoFeatures(components, np.concatenate([self.directions, others.directions]), self.basis)

    def write(self, file: Path) -> bool:
        """Whether it could be kept; it appears whole or not at all."""
        basis = {field.name: getattr(self.basis, field.name) for field in fields(self.basis)}
        with io.BytesIO() as content:
            np.savez(content, components=self.components, directions=self.directions, **basis)
            return cache.store_file(file, content.getvalue())

    @classmethod
    def read(cls, file: Path) -> PhotoFeatures | None:
        """None where the file is missing or damaged."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
                basis = Basis(*(content[field.name] for field in fields(Basis)))
                return cls(content["components"], content["directions"], basis)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def _directions(basis: Basis, components: np.ndarray) -> np.ndarray:
    return directions(components[:, : min(DIRECTION, basis.last.shape[1])])


def _components(scaled: Float32[np.ndarray, "m numbers"], most: int) -> Float32[np.ndarray, "numbers components"]:
    """The principal directions of centred rows, the strongest first: at least one."""
    rows, numbers = scaled.shape
    if not numbers:
        return np.zeros((0, 0), np.float32)
    of_rows = rows <= numbers
    products = scaled @ scaled.T if of_rows else scaled.T @ scaled
    # NumPy's, as with SciPy's no other thread of Python could work meanwhile, which takes seconds
    variances, vectors = np.linalg.eigh(products.astype(np.float64))
    variances, vectors = variances[: -most - 1 : -1], vectors[:, : -most - 1 : -1]
    kept = variances > FAINT * max(float(variances[0]), 1e-12)
    kept[0] = True
    vectors = vectors[:, kept]
    if of_rows:
        vectors = scaled.T @ (vectors / np.sqrt(np.maximum(variances[kept], 1e-12)))
    return vectors.astype(np.float32)
