"""Directions of photos -> a map: a place in the plane for each, like photos near to each other. Knows no labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headstart.array_types import Float32


def first_map(directions: Float32[np.ndarray, "n c"]) -> Float32[np.ndarray, "n 2"]:
    """At once: the two principal components, in [-1, 1]; NaN in the rows of photos without features."""
    raise NotImplementedError


def map_of_collection(
    directions: Float32[np.ndarray, "n c"], *, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
) -> Float32[np.ndarray, "n 2"]:
    """In seconds (2,000 photos: some 5; 100,000: some 30): neighbours stay neighbours (t-SNE). The same places for the
    same photos and seed.

    Raises:
        CancelledError
    """
    raise NotImplementedError
