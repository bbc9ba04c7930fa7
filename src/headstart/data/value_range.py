"""The values that are black and white in images with 16 bits a value -> shades from 0 to 255.

Scientific cameras write 10, 12 or 14 bits into files of 16 bits, and no file says so. The range is that of a
collection: found for each photo by itself, it would hide which photo is brighter. Knows no files.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from headstart.array_types import UInt8, UInt16
from headstart.errors import ModelError

DEPTHS = (8, 10, 12, 14, 16)  # bits of cameras and converters
FILLED = 0.9  # of the values of a depth: photos of that depth reach so far, by chance other photos do, too
DIMMER = 2  # so many times dimmer than the dimmest photo of a collection, a photo is unlike the collection
# Of photos of one camera fewer than these end at one value just below a depth, or as many end just above it; of mixed
# ranges it is more where some photos are overexposed (benchmarks/LOG.md).
CUT_OFF, RATIO, RARE = 5, 3, 1.125
MOSTLY = 0.9  # of the photos: so many of one depth are a collection of that depth, with a few that are not


class ValueRange(NamedTuple):
    """low: the value that is black. high: the value that is white. What lies beyond them is black or white, too."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}:{self.high}"


FULL = ValueRange(0, 65535)


class KnownValues(NamedTuple):
    """What the photos of a collection hold.

    has_8_bits: whether some have 8 bits a value. dimmest, brightest: the lowest and the highest of the highest values
    of those with 16; 0 where there are none.
    """

    has_8_bits: bool
    dimmest: int
    brightest: int

    @classmethod
    def of(cls, highest: Sequence[int]) -> "KnownValues":
        """highest: the highest value of each image with 16 bits; 0 of the others."""
        deep = [each for each in highest if each]
        return cls(len(deep) < len(highest), min(deep, default=0), max(deep, default=0))


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


def range_of(highest: Sequence[int]) -> ValueRange:
    """Of a collection.

    highest: the highest value of each image with 16 bits; without any, the range is FULL.
    """
    if not highest:
        return FULL
    lower = _lower_depth(highest)
    depth = depth_of(max(highest))
    if lower and sum(each < 1 << lower for each in highest) >= MOSTLY * len(highest):
        depth = lower
    return ValueRange(0, (1 << depth) - 1)


def remarks_on_values(highest: Sequence[int], labels: Sequence[str]) -> list[str]:
    """What the owner of a collection should know of its range of values, in sentences without a full stop.

    highest, labels: of each image with 16 bits.
    """
    found, lower = range_of(highest), _lower_depth(highest)
    if lower:
        low = Counter(label for each, label in zip(highest, labels, strict=True) if each < 1 << lower)
        others = Counter(labels) - low
        return [
            f"mixed ranges of values in files with 16 bits: {low.total():,} photos hold at most {(1 << lower) - 1:,} "
            f"({_most_common(low)}), {others.total():,} up to {max(highest):,} ({_most_common(others)}). All are read "
            f"with one range, here {found}, so that some are too dark or too bright, and brightness may be all that "
            f"tells the classes apart: save all with the same range"
        ]
    if found == FULL:
        return []
    return [
        f"{len(highest):,} photos have 16 bits a value but none above {max(highest):,}: they are read as "
        f"{depth_of(found.high)} bits, {found.low:,} black and {found.high:,} white; if that is wrong, say it with "
        f"--value-range"
    ]


def remark_on_photo(highest: int | None, value_range: ValueRange, known: KnownValues | None) -> str | None:
    """Why a photo may be darker or brighter to a classifier than those that it learned from, or None. It continues a
    sentence that begins with the photo.

    highest: its highest value, None if it has 8 bits. value_range: of the classifier. known: what it learned from.
    """
    if highest is None:
        if value_range == FULL or known is None or known.has_8_bits:
            return None
        return (
            f"has 8 bits a value, and the classifier learned from photos of 16 bits, with {value_range.low:,} as black "
            f"and {value_range.high:,} as white"
        )
    bits, usual = depth_of(highest), depth_of(value_range.high)
    is_known = known is not None and known.dimmest <= highest * DIMMER and highest <= known.brightest
    if bits == usual or is_known:
        return None
    if bits > usual:
        return (
            f"has values up to {highest:,}, and the classifier takes {value_range.high:,} for white: most of it may be "
            f"white"
        )
    return (
        f"has no value above {highest:,}, and the classifier takes {value_range.high:,} for white: it may be too dark"
    )


def _most_common(labels: Counter[str]) -> str:
    return ", ".join(f"{count:,} of '{label}'" for label, count in labels.most_common(3))


def _lower_depth(highest: Sequence[int]) -> int | None:
    """The depth of some photos where others have more bits; None where all may be of one camera.

    Photos of one camera are as bright as it happens: where some end below a depth, others end just above it. Two
    cameras leave a gap there; or many photos end at one value, where the camera of fewer bits is overexposed.
    """
    top = depth_of(max(highest, default=0))
    for depth in DEPTHS[: DEPTHS.index(top)]:
        limit = 1 << depth
        lower = [each for each in highest if each < limit]
        if len(lower) < 2 or max(lower) <= FILLED * limit:
            continue
        above = [each for each in highest if limit <= each < 2 * limit]
        at_most = lower.count(max(lower))
        is_cut_off = at_most >= CUT_OFF and at_most >= RATIO * sum(each < RARE * limit for each in above)
        if not above or is_cut_off:
            return depth
    return None


def to_shades(values: UInt16[np.ndarray, "*shape"], value_range: ValueRange) -> UInt8[np.ndarray, "*shape"]:
    """Each value as a shade from 0 (black) to 255 (white), rounded."""
    width = value_range.high - value_range.low
    above = np.clip(values, value_range.low, value_range.high).astype(np.uint32) - value_range.low
    return ((above * 255 + width // 2) // width).astype(np.uint8)
