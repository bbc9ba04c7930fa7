"""Directions of photos -> the nearest photos of each, and from them how unlike all others each is. Knows no labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Bool, Float32, Int


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """neighbours: of each photo the most similar others, the most similar first; -1 where there are none.
    similarities: cosines, -1 to 1."""

    neighbours: Int[np.ndarray, "n k"]
    similarities: Float32[np.ndarray, "n k"]

    @classmethod
    def of(cls, directions: Float32[np.ndarray, "n c"]) -> Neighbourhood:
        """Exact for some thousands of photos; of more, nearly. 20,000 take seconds, 100,000 a minute: keep it."""
        raise NotImplementedError

    @property
    def novelty(self) -> Float32[np.ndarray, " n"]:
        """Distance to the fifth nearest, 0 (alike) to 2; NaN without features."""
        raise NotImplementedError

    @property
    def unlike_all(self) -> Bool[np.ndarray, " n"]:
        """Those whose novelty is far above what is usual in the collection."""
        raise NotImplementedError

    def write(self, file: Path) -> None:
        raise NotImplementedError

    @classmethod
    def read(cls, file: Path) -> Neighbourhood | None:
        """None where the file is missing or damaged."""
        raise NotImplementedError
