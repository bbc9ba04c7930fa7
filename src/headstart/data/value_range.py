"""The values that are black and white in images with 16 bits a value -> shades from 0 to 255.

Scientific cameras write 10, 12 or 14 bits into files of 16 bits, and no file says so. The range is that of a
collection: found for each photo by itself, it would hide which photo is brighter. Knows no files.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from headstart.array_types import UInt8, UInt16
from headstart.errors import ModelError

DEPTHS = (8, 10, 12, 14, 16)  # bits of cameras and converters
AUTO = "auto"  # found in the photos of a collection


class ValueRange(NamedTuple):
    """low: the value that is black. high: the value that is white. What lies beyond them is black or white, too."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}:{self.high}"


FULL = ValueRange(0, 65535)


def parse_value_range(text: str) -> ValueRange:
    """`0:4095` -> ValueRange(0, 4095).

    Raises:
        ModelError: it has another form, or is not a range of 16-bit values.
    """
    low, _, high = text.partition(":")
    try:
        return checked(ValueRange(int(low), int(high)))
    except ValueError:
        raise ModelError(f"'{text}' is no range of values. Give black and white, such as 0:4095.") from None


def checked(value_range: ValueRange) -> ValueRange:
    """
    Raises:
        ModelError: it is not a range of 16-bit values.
    """
    if not FULL.low <= value_range.low < value_range.high <= FULL.high:
        raise ModelError(
            f"{value_range} is no range of 16-bit values. Give black and white, such as 0:4095; black is at least 0, "
            f"white at most {FULL.high}, and black less than white."
        )
    return value_range


def depth_of(highest: int) -> int:
    """How many bits hold a value: one of DEPTHS."""
    return next(depth for depth in DEPTHS if highest < 1 << depth)


def range_of(highest: Iterable[int]) -> ValueRange:
    """Of a collection. highest: the highest value of each image with 16 bits; without any, FULL."""
    most = max(highest, default=FULL.high)
    return ValueRange(0, (1 << depth_of(most)) - 1)


def to_shades(values: UInt16[np.ndarray, "*shape"], value_range: ValueRange) -> UInt8[np.ndarray, "*shape"]:
    """Each value as a shade from 0 (black) to 255 (white), rounded."""
    width = value_range.high - value_range.low
    above = np.clip(values, value_range.low, value_range.high).astype(np.uint32) - value_range.low
    return ((above * 255 + width // 2) // width).astype(np.uint8)
