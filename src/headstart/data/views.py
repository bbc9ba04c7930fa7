"""The table VIEWS: the eight ways to turn and mirror a square image. None of them interpolates. Knows no files."""

from collections.abc import Callable

import numpy as np

from headstart.array_types import UInt8

View = Callable[[UInt8[np.ndarray, "size size 3"]], UInt8[np.ndarray, "size size 3"]]

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
