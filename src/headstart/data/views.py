"""The table VIEWS: the eight ways to lay a square image on itself, by turning and mirroring. None interpolates."""

from collections.abc import Callable

import numpy as np

View = Callable[[np.ndarray], np.ndarray]

ORIGINAL, MIRRORED, UPSIDE_DOWN = "original", "mirrored", "upside_down"
HALF, QUARTER = "half_turn", "quarter_turn"

VIEWS: dict[str, View] = {
    ORIGINAL: lambda image: image,
    MIRRORED: lambda image: image[:, ::-1],
    UPSIDE_DOWN: lambda image: image[::-1],
    HALF: lambda image: image[::-1, ::-1],
    QUARTER: lambda image: image.transpose(1, 0, 2)[::-1],
    "three_quarter_turn": lambda image: image.transpose(1, 0, 2)[:, ::-1],
    "transposed": lambda image: image.transpose(1, 0, 2),
    "transposed_half_turn": lambda image: image.transpose(1, 0, 2)[::-1, ::-1],
}
