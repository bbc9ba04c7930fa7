"""A photo of any size -> the square that a network sees, as arithmetic for the graph of any runtime. Knows no runtime.

The pixels are those of `data/resizing.py`, except for ties that OpenCV rounds by chance, too. Each side is averaged by
the largest power of two that leaves at least the target, rounded to whole numbers, and interpolated between neighbours.
Each pixel reads only those that it is made of, so a photo costs one pass over it. The operators for resizing that
runtimes have would give other pixels: with antialiasing, they weigh by a triangle, as Pillow does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from headstart.data.resizing import CROP, PAD, PADDING, RESIZE_CROP

Tensor = Any  # of a runtime: + - * / // and comparisons work on it, element by element, with broadcasting
POWERS = tuple(2**exponent for exponent in range(1, 21))  # a side may be averaged by one of these
LEAST = 1e-3  # a smaller share of a source pixel is left out, as in OpenCV's computeResizeAreaTab
# OpenCV interpolates 8 bits with weights of 11 bits (INTER_RESIZE_COEF_BITS), keeps 7 bits of what it interpolates from
# left to right, and adds up quarters from top to bottom (VResizeLinear), all cut off rather than rounded.
WEIGHTS, KEPT, QUARTERS = 2**11, 2**7, 4


class Operations(Protocol):
    """What a runtime does besides operators. Tensors are of whole numbers or of float32, which are never mixed."""

    def sides(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Height and width of photos (n, height, width, 3): whole numbers, each of shape (1)."""
        ...

    def whole(self, *values: int) -> Tensor:
        """A constant."""
        ...

    def count(self, end: Tensor) -> Tensor:
        """0, 1, ... end - 1, for `end` of shape (1)."""
        ...

    def column(self, vector: Tensor, ones: int = 1) -> Tensor:
        """(k) -> (k, 1), with so many dimensions of 1."""
        ...

    def real(self, tensor: Tensor) -> Tensor:
        """Pixels, whole numbers or truth values as float32."""
        ...

    def index(self, tensor: Tensor) -> Tensor:
        """float32 as whole numbers."""
        ...

    def take(self, images: Tensor, rows: Tensor) -> Tensor:
        """(n, height, width, 3), whole numbers of any shape -> (n, *shape, width, 3)."""
        ...

    def weighted(self, taps: Tensor, weights: Tensor) -> Tensor:
        """(n, rows, taps, width, 3), (rows, taps) -> (n, rows, width, 3): the sum over the taps."""
        ...

    def turned(self, images: Tensor) -> Tensor:
        """(n, height, width, 3) -> (n, width, height, 3)."""
        ...

    def least(self, one: Tensor, other: Tensor) -> Tensor: ...
    def greatest(self, one: Tensor, other: Tensor) -> Tensor: ...
    def floor(self, tensor: Tensor) -> Tensor: ...
    def round(self, tensor: Tensor) -> Tensor:
        """Halves to even."""
        ...

    def where(self, condition: Tensor, one: Tensor, other: Tensor) -> Tensor: ...
    def maximum(self, vector: Tensor) -> Tensor:
        """(k) -> (1)."""
        ...


@dataclass(frozen=True)
class _Side:
    """What becomes of the height or the width: whole numbers of shape (1).

    `extent` pixels of the photo from `start` on become `target` pixels of the square from `offset` on.
    """

    start: Tensor
    extent: Tensor
    target: Tensor
    offset: Tensor


def squared(pixels: Tensor, do: Operations, *, size: int, resizing: str) -> Tensor:
    """
    Args:
        pixels: photos (n, height, width, 3) of one size, RGB, whole numbers from 0 to 255 of any type.
        do: the operations of a runtime.
        size: side of the square in pixels.
        resizing: name of a row of RESIZINGS.

    Returns:
        float32 (n, size, size, 3), whole numbers from 0 to 255.
    """
    height, width = do.sides(pixels)
    shorter, longer = do.least(height, width), do.greatest(height, width)
    high, wide = (_side(each, shorter, longer, do, size, resizing) for each in (height, width))
    averaged, rows, halved_high = _averaged(pixels, do, high)
    averaged, columns, halved_wide = _averaged(do.turned(averaged), do, wide)
    # 2 x 2 pixels are averaged in whole numbers, where halves are rounded up
    averaged = do.round(averaged + halved_high * halved_wide * (1 / 8))
    left, right, share = _neighbours(do, wide, columns, size)
    one, other = do.take(averaged, left), do.take(averaged, right)
    between = do.turned(do.floor((one + (other - one) * share) * float(KEPT)))
    upper, lower, share = _neighbours(do, high, rows, size)
    unit = QUARTERS / KEPT
    quarters = do.floor(do.take(between, upper) * ((1.0 - share) * unit)) + do.floor(
        do.take(between, lower) * (share * unit)
    )
    square = do.floor((quarters + QUARTERS / 2) * (1 / QUARTERS))
    return _padded(square, do, high, wide, size) if resizing == PAD else square


def _side(side: Tensor, shorter: Tensor, longer: Tensor, do: Operations, size: int, resizing: str) -> _Side:
    nothing, target = do.whole(0), do.whole(size)
    if resizing == PAD:
        target = do.greatest(_rounded(side * size, longer, do), do.whole(1))
        return _Side(nothing, side, target, (size - target) // 2)
    if resizing in (CROP, RESIZE_CROP):
        shown = shorter
        if resizing == RESIZE_CROP:
            shown = do.greatest(_rounded(shorter * 7, do.whole(8), do), do.whole(1))
        return _Side((side - shown) // 2, shown, target, nothing)
    return _Side(nothing, side, target, nothing)


def _rounded(over: Tensor, under: Tensor, do: Operations) -> Tensor:
    """A fraction of whole numbers, rounded, halves to even, as by Python's `round`."""
    down = over // under
    twice, odd = (over - down * under) * 2, down - (down // 2) * 2
    return down + do.where(twice + odd > under, do.whole(1), do.whole(0))


def _averaged(images: Tensor, do: Operations, side: _Side) -> tuple[Tensor, Tensor, Tensor]:
    """What INTER_AREA does to the height of images (n, height, width, 3).

    Returns:
        float32 (n, rows, width, 3), not rounded; how many rows; 1.0 if each is exactly the average of two, else 0.0.
    """
    powers = do.whole(*POWERS)
    power = do.maximum(do.where(side.extent >= side.target * powers, powers, do.whole(1)))
    rows = (side.extent + (power - 1)) // power
    row = do.count(rows) * side.extent  # where it begins in the photo, in parts of a pixel, of which there are `rows`
    first = row // rows
    # each row spans as many pixels; with a fraction of one, it touches one more
    pixels = side.extent // rows
    rest = side.extent - pixels * rows
    taps = pixels + do.where(rest > 0, do.whole(2), do.whole(0))
    begin = do.real(row - first * rows) / do.real(rows)
    end = begin + (do.real(pixels) + do.real(rest) / do.real(rows))
    tap = do.count(taps)
    at = do.real(tap)
    overlap = do.least(at + 1.0, do.column(end)) - do.greatest(at, do.column(begin))
    overlap = do.where(overlap > LEAST, overlap, overlap * 0.0)
    # exact where it is by a power of two, even if a runtime multiplies by the reciprocal of what it divides by
    share = do.where(rows * power > side.extent, do.real(rows) / do.real(side.extent), 1.0 / do.real(power))
    source = side.start + do.least(do.column(first) + tap, side.extent - 1)
    averaged = do.weighted(do.real(do.take(images, source)), overlap * share)
    halved = do.real(rows * 2 >= side.extent) * do.real(side.extent >= rows * 2)
    return averaged, rows, halved


def _neighbours(do: Operations, side: _Side, pixels: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Between which two of so many pixels each of the square lies: both positions (size), and the weight of the second,
    (size, 1, 1)."""
    here = do.whole(*range(size)) - side.offset
    at = do.real((here * 2 + 1) * pixels - side.target) / do.real(side.target * 2)
    before = do.floor(at)
    share = do.round((at - before) * float(WEIGHTS)) * (1 / WEIGHTS)
    first, last = do.index(before), pixels - 1

    def inside(position: Tensor) -> Tensor:
        return do.greatest(do.least(position, last), do.whole(0))

    return inside(first), inside(first + 1), do.column(share, 2)


def _padded(square: Tensor, do: Operations, high: _Side, wide: _Side, size: int) -> Tensor:
    """With PADDING beyond the photo."""

    def inside(side: _Side) -> Tensor:
        at = do.whole(*range(size))
        return do.real(at >= side.offset) * do.real(at < side.offset + side.target)

    seen = do.column(inside(high), 2) * do.column(inside(wide), 1)
    return do.where(seen > 0.5, square, square * 0.0 + float(PADDING[0]))
