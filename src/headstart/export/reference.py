"""The resizing of exports in NumPy: the squares that a file has to make of photos. Knows no files."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.array_types import UInt8
from headstart.export.resizing import Operations, Rows, squared, windows


def square_of(photo: UInt8[np.ndarray, "h w 3"], size: int, resizing: str) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """resizing: name of a row of RESIZINGS."""
    return squared(photo[None], OfNumPy(), size=size, resizing=resizing)[0].astype(np.uint8)


class OfNumPy(Operations):
    def sides(self, pixels: Any) -> tuple[Any, Any]:
        return np.array([pixels.shape[1]]), np.array([pixels.shape[2]])

    def whole(self, *values: int) -> Any:
        return np.array(values)

    def count(self, end: Any, most: int) -> Any:
        return np.arange(end[0])

    def column(self, vector: Any, ones: int = 1) -> Any:
        return vector.reshape(-1, *[1] * ones)

    def real(self, tensor: Any) -> Any:
        return tensor.astype(np.float32)

    def index(self, tensor: Any) -> Any:
        return tensor.astype(int)

    def take(self, images: Any, rows: Any) -> Any:
        return np.take(images, rows, axis=1)

    def turned(self, images: Any) -> Any:
        return images.transpose(0, 2, 3, 1)

    def upright(self, images: Any) -> Any:
        return images.transpose(0, 3, 1, 2)

    def summed(self, images: Any, rows: Rows) -> Any:
        source, weights = windows(self, rows)
        taps = self.real(self.take(images, source))
        found = weights[:, None] @ taps.reshape(*taps.shape[:3], -1)
        return found.reshape(*taps.shape[:2], *taps.shape[3:])

    def least(self, one: Any, other: Any) -> Any:
        return np.minimum(one, other)

    def greatest(self, one: Any, other: Any) -> Any:
        return np.maximum(one, other)

    def maximum(self, vector: Any) -> Any:
        return vector.max(keepdims=True)

    def floor(self, tensor: Any) -> Any:
        return np.floor(tensor)

    def round(self, tensor: Any) -> Any:
        return np.round(tensor)

    def where(self, condition: Any, one: Any, other: Any) -> Any:
        return np.where(condition, one, other)
