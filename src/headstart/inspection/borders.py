"""Pixels of a photo -> has it a border: bars or a frame of one colour? Knows no files and no labels."""

import numpy as np

from headstart.array_types import UInt8

SIDE = 128  # pixels of the longer side, at which photos are looked at
WIDTH = 2  # pixels of these, at least: a fiftieth of a photo's side is seen, a hair-line is not
# Within 16 grey levels of the median are 98% of the pixels: of planted frames that JPEG made noisy 98% were found, of
# photos of six collections 2% were taken for framed (benchmarks/LOG.md).
TOLERANCE, SHARE = 16, 0.98
NONE = "none"


def border(photo: UInt8[np.ndarray, "h w 3"]) -> str:
    """ "none", "black", "white" or "coloured".

    A border is on two opposite sides at least, so that a plain sky or a table is none; both sides have one colour.
    """
    along = (photo, photo.transpose(1, 0, 2))
    colours = [_colour(np.concatenate([one[:WIDTH], one[-WIDTH:]])) for one in along if len(one) > 2 * WIDTH]
    return next((colour for colour in colours if colour != NONE), NONE)


def _colour(edges: UInt8[np.ndarray, "rows columns 3"]) -> str:
    levels = edges.astype(np.int16)
    median = np.median(levels, axis=(0, 1))
    if (np.abs(levels - median).max(axis=2) <= TOLERANCE).mean() < SHARE:
        return NONE
    return "black" if median.max() < 32 else "white" if median.min() > 223 else "coloured"
