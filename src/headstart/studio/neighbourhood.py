"""Directions of photos -> the most similar photos of each, and from them how unlike all others each is. Knows no
labels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from headstart.array_types import Bool, Float32, Int32
from headstart.features.neighbour_index import NeighbourIndex
from headstart.storage import cache

NEIGHBOURS = 15  # of a photo
NOVELTY = (
    5  # which of them tells how novel a photo is, as in `classifier/novelty.py`: one odd photo vouches for nothing
)
EXACT = 10_000  # photos; more are looked up in an index
BLOCK = 1_024  # rows, whose products with all others are in memory together
UNUSUAL = 5.0  # robust standard deviations above the median, from which on a photo is unlike all others


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """neighbours: of each photo the most similar others, the most similar first; -1: there are no more.
    similarities: cosines, -1 to 1; NaN where there is no neighbour."""

    neighbours: Int32[np.ndarray, "n k"]
    similarities: Float32[np.ndarray, "n k"]

    @classmethod
    def of(cls, directions: Float32[np.ndarray, "n c"]) -> Neighbourhood:
        """Exact up to EXACT photos; of more, nearly. 20,000 take some seconds, 100,000 a minute: keep it."""
        known = np.flatnonzero(~np.isnan(directions[:, 0]))
        count = min(NEIGHBOURS, max(len(known) - 1, 0))
        neighbours = np.full((len(directions), NEIGHBOURS), -1, np.int32)
        similarities = np.full((len(directions), NEIGHBOURS), np.nan, np.float32)
        if count:
            search = _exact if len(known) <= EXACT else _indexed
            places, cosines = search(directions[known], count)
            neighbours[known, :count], similarities[known, :count] = known[places], cosines
        return cls(neighbours, similarities)

    def __len__(self) -> int:
        return len(self.neighbours)

    @cached_property
    def novelty(self) -> Float32[np.ndarray, " n"]:
        """The distance to the fifth nearest, 0 (alike) to 2; NaN where a photo has no features, or fewer neighbours."""
        return 1 - self.similarities[:, NOVELTY - 1]

    @cached_property
    def unlike_all(self) -> Bool[np.ndarray, " n"]:
        """Those whose novelty is far above what is usual in the collection."""
        known = self.novelty[~np.isnan(self.novelty)]
        if not len(known):
            return np.zeros(len(self), bool)
        median = np.median(known)
        deviation = 1.4826 * np.median(np.abs(known - median))  # the standard deviation of a normal distribution
        return np.nan_to_num(self.novelty, nan=-1.0) > median + UNUSUAL * max(float(deviation), 1e-6)

    def write(self, file: Path) -> bool:
        """Whether it could be kept; it appears whole or not at all."""
        with io.BytesIO() as content:
            np.savez(content, neighbours=self.neighbours, similarities=self.similarities)
            return cache.store_file(file, content.getvalue())

    @classmethod
    def read(cls, file: Path) -> Neighbourhood | None:
        """None where the file is missing or damaged."""
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as content:
                return cls(content["neighbours"], content["similarities"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def _exact(directions: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    places, cosines = [], []
    for start in range(0, len(directions), BLOCK):
        found = directions[start : start + BLOCK] @ directions.T
        found[np.arange(len(found)), start + np.arange(len(found))] = -np.inf
        best = np.argpartition(-found, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(found, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places.append(np.take_along_axis(best, order, axis=1))
        cosines.append(np.take_along_axis(values, order, axis=1))
    return np.concatenate(places), np.concatenate(cosines)


def _indexed(directions: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    places, cosines, start = [], [], 0
    for found, squares in NeighbourIndex(directions).nearest(count + 1):
        own = found == (start + np.arange(len(found)))[:, None]
        own[~own.any(axis=1), -1] = True  # it was not found itself: then the farthest is left out
        start += len(found)
        places.append(found[~own].reshape(len(found), count))
        cosines.append(1 - squares[~own].reshape(len(found), count) / 2)  # of directions, in the projection
    return np.concatenate(places), np.concatenate(cosines).astype(np.float32)
