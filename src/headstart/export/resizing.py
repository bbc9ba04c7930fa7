"""A photo of any size -> the square that a network sees, as arithmetic for the graph of any runtime. Knows no runtime.

The pixels are those of `data/resizing.py`: each side is averaged by the largest power of two that leaves at least the
target, rounded to whole numbers, and interpolated between neighbours. Only where a side is no multiple of that power,
and an average lies exactly between two numbers, OpenCV rounds it as the errors of its floats fall, and this always up.
Each pixel reads only those that it is made of, so a photo costs one pass over it. The operators for resizing that
runtimes have would give other pixels: with antialiasing, they weigh by a triangle, as Pillow does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from headstart.data.resizing import CROP, PAD, PADDING, RESIZE_CROP

Tensor = Any  # of a runtime: + - * / // and comparisons work on it, element by element, with broadcasting
POWERS = tuple(2**exponent for exponent in range(1, 17))  # a side may be averaged by one of these
TIES = 1e-4  # more than the errors of floats in an average, and too little to matter
LEAST = 1e-3  # a smaller share of a source pixel is left out, as in OpenCV's computeResizeAreaTab
# OpenCV interpolates 8 bits with weights of 11 bits (INTER_RESIZE_COEF_BITS), keeps 7 bits of what it interpolates from
# left to right, and adds up quarters from top to bottom (VResizeLinear), all cut off rather than rounded.
WEIGHTS, KEPT, QUARTERS = 2**11, 2**7, 4


@dataclass(frozen=True)
class Rows:
    """Of which rows of a photo each of k averages is the sum: from `first` + `begin` to `last` + `end`.

    start: the first row that counts; extent: how many do; both whole numbers of shape (1).
    first, last: whole numbers (k), counted from `start`; begin, end: float32 (k), 0 to below 1.
    taps: the most rows that one touches, a whole number of shape (1).
    """

    start: Tensor
    extent: Tensor
    first: Tensor
    begin: Tensor
    last: Tensor
    end: Tensor
    taps: Tensor


class Operations(ABC):
    """What a runtime does besides operators. Tensors are of whole numbers or of float32, which are never mixed.

    Images are (n, height, width, 3), or turned: (n, width, 3, height). Their second dimension is what is called rows.
    """

    @abstractmethod
    def sides(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Height and width of photos (n, height, width, 3): whole numbers, each of shape (1)."""

    @abstractmethod
    def whole(self, *values: int) -> Tensor:
        """A constant (k)."""

    @abstractmethod
    def count(self, end: Tensor, most: int) -> Tensor:
        """0, 1, ... end - 1, for `end` of shape (1); more, up to `most`, where shapes must not depend on values."""

    @abstractmethod
    def column(self, vector: Tensor, ones: int = 1) -> Tensor:
        """(k) -> (k, 1), with so many dimensions of 1."""

    @abstractmethod
    def real(self, tensor: Tensor) -> Tensor:
        """Pixels, whole numbers or truth values as float32."""

    @abstractmethod
    def index(self, tensor: Tensor) -> Tensor:
        """float32 as whole numbers."""

    @abstractmethod
    def take(self, images: Tensor, rows: Tensor) -> Tensor:
        """Images (n, rows, a, b), whole numbers of any shape -> (n, *shape, a, b)."""

    @abstractmethod
    def turned(self, images: Tensor) -> Tensor:
        """(n, height, width, 3) -> (n, width, 3, height). Only one dimension moves, which is fast."""

    @abstractmethod
    def upright(self, images: Tensor) -> Tensor:
        """(n, width, 3, height) -> (n, height, width, 3)."""

    @abstractmethod
    def summed(self, images: Tensor, rows: Rows) -> Tensor:
        """Images (n, rows, a, b) -> float32 (n, k, a, b)."""

    @abstractmethod
    def least(self, one: Tensor, other: Tensor) -> Tensor: ...

    @abstractmethod
    def greatest(self, one: Tensor, other: Tensor) -> Tensor: ...

    @abstractmethod
    def maximum(self, vector: Tensor) -> Tensor:
        """(k) -> (1)."""

    @abstractmethod
    def floor(self, tensor: Tensor) -> Tensor: ...

    @abstractmethod
    def round(self, tensor: Tensor) -> Tensor:
        """Halves to even."""

    @abstractmethod
    def where(self, condition: Tensor, one: Tensor, other: Tensor) -> Tensor: ...


def windows(do: Operations, rows: Rows) -> tuple[Tensor, Tensor]:
    """How `summed` may be done: which rows of a photo, whole numbers, and their weights, float32; both (k, taps)."""
    tap = do.count(rows.taps, 0)
    at = do.real(tap)
    end = do.real(rows.last - rows.first) + rows.end
    overlap = do.least(at + 1.0, do.column(end)) - do.greatest(at, do.column(rows.begin))
    source = rows.start + do.least(do.column(rows.first) + tap, rows.extent - 1)
    return source, do.greatest(overlap, overlap * 0.0)


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
    averages, rows, exact_high, halved_high = _averages(pixels, do, high, size)
    averages, columns, exact_wide, halved_wide = _averages(do.turned(averages), do, wide, size)
    # OpenCV averages 2 x 2 pixels in whole numbers, and rounds halves up; of other powers of two it rounds them to even
    up = halved_high * halved_wide * (1 / 8)
    averages = do.round(averages + do.where(exact_high * exact_wide > 0.5, up, up * 0.0 + TIES))
    left, right, share = _neighbours(do, wide, columns, size)
    one, other = do.take(averages, left), do.take(averages, right)
    between = do.upright(do.floor((one + (other - one) * share) * float(KEPT)))
    upper, lower, share = _neighbours(do, high, rows, size)
    share = share * (QUARTERS / KEPT)
    quarters = do.floor(do.take(between, upper) * (QUARTERS / KEPT - share)) + do.floor(do.take(between, lower) * share)
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


def _averages(images: Tensor, do: Operations, side: _Side, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What INTER_AREA does to the rows of images (n, rows, a, b).

    Returns:
        float32 (n, fewer rows, a, b), not rounded; how many rows; 1.0 if each is the average of a power of two of rows,
        else 0.0; 1.0 if each is that of two rows, else 0.0.
    """
    powers = do.whole(*POWERS)
    power = do.maximum(do.where(side.extent >= side.target * powers, powers, do.whole(1)))
    rows = (side.extent + (power - 1)) // power  # at most twice the target
    row = do.count(rows, 2 * size) * side.extent  # where it begins in the photo, in parts of a pixel, `rows` of them
    (first, begin), (last, end) = (_parted(do, each, rows) for each in (row, row + side.extent))
    begin = do.where(begin < 1 - LEAST, begin, begin * 0.0 + 1.0)
    end = do.where(end > LEAST, end, end * 0.0)
    pixels = side.extent // rows
    taps = pixels + do.where(side.extent > pixels * rows, do.whole(2), do.whole(0))
    summed = do.summed(images, Rows(side.start, side.extent, first, begin, last, end, taps))
    exact = side.extent >= rows * power  # it is never more
    # even if a runtime multiplies by the reciprocal of what it divides by, that of a power of two is exact
    share = do.where(exact, 1.0 / do.real(power), do.real(rows) / do.real(side.extent))
    halved = do.real(rows * 2 >= side.extent) * do.real(side.extent >= rows * 2)
    return summed * share, rows, do.real(exact), halved


def _parted(do: Operations, over: Tensor, under: Tensor) -> tuple[Tensor, Tensor]:
    """A fraction of whole numbers: its whole part, and the rest as float32."""
    whole = over // under
    return whole, do.real(over - whole * under) / do.real(under)


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
