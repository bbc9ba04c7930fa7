"""Two pictures -> how well the one fits onto the other: is it the same photo, resized, mirrored, a little cropped?

That two photos show the same kind of thing makes their features alike, not their pixels. So the one is laid onto the
other where it fits best, and the fine structure of both is compared, edges and texture, place by place: it must agree
nearly everywhere. On average is not enough: two solar cells have the same busbars, two screenshots the same frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 128  # pixels: both pictures are compared as squares, so that stretched copies fit as well
SMALL = 64  # pixels: enough to find the place roughly
SCALES = (1.0, 0.93, 1.07, 0.86, 1.16)  # of the one in the other, for cropped copies
MIDDLE = 0.8  # share of the sides that is looked for: the rim may be cut off
PROMISING = 0.45  # correlation at the rough place; below it, nothing is refined
RIM = 8  # pixels: structure near the border depends on what is beyond it, which a crop has cut off
OVERLAP = 0.4  # share of the area that both must have in common, without their rims
PLACE = 15  # pixels: side of the squares in which the structure is compared
STRUCTURED = 1.0  # grey levels, squared: places with less structure show but noise
NOTHING = 0.05  # share of places with structure; with fewer, nothing can be told
NEARLY_EVERYWHERE = 0.9
_INSIDE = np.pad(np.ones((SIDE - 2 * RIM, SIDE - 2 * RIM), np.float32), RIM)
_EVERYWHERE = np.full((SIDE, SIDE), 255, np.uint8)
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-4)  # ten are mostly enough


@dataclass(frozen=True, eq=False)
class Structure:
    """What of a photo is compared: its edges and texture, float32 (SIDE, SIDE) and float32 (SMALL, SMALL)."""

    fine: np.ndarray
    rough: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> "Structure":
        """image: uint8 (SIDE, SIDE, 3), RGB."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        small = cv2.resize(grey, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
        return cls(_structure(grey), _structure(small))

    def mirrored(self) -> "Structure":
        return Structure(*(np.ascontiguousarray(part[:, ::-1]) for part in (self.fine, self.rough)))


def match(first: Structure, second: Structure) -> float:
    """Where the second fits onto the first best, as it is or mirrored: the correlation of the fine structure that is
    reached in nine tenths of all places, -1..1; 0 where it fits nowhere, or where there is no structure."""
    places = [(*_rough_place(first.rough, view.rough), view) for view in (second, second.mirrored())]
    correlation, place, view = max(places, key=lambda found: found[0])
    return _refined(first, view, place) if correlation >= PROMISING else 0.0


def _structure(grey: np.ndarray) -> np.ndarray:
    """Without what is smooth, such as light and large areas, and without the finest grain, which JPEG changes."""
    return cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 4.0)


def _refined(first: Structure, second: Structure, place: np.ndarray) -> float:
    try:
        _, place = cv2.findTransformECC(second.fine, first.fine, place, cv2.MOTION_AFFINE, STEPS, _EVERYWHERE, 5)
    except cv2.error:  # its way of saying that it finds nothing in common
        return 0.0
    both = _laid(_INSIDE, place) * _INSIDE > 0.99
    if both.mean() < OVERLAP:
        return 0.0
    return _agreement(_laid(first.fine, place), second.fine, both)


def _rough_place(first: np.ndarray, second: np.ndarray) -> tuple[float, np.ndarray]:
    """Where the middle of the second lies in the first: the correlation there, and float32 (2, 3), the affine map from
    pixels of the second to pixels of the first, at SIDE."""
    best, place = -1.0, np.eye(2, 3, dtype=np.float32)
    for scale in SCALES:
        side = round(SMALL * scale)
        part = round(side * MIDDLE)
        rim = (side - part) // 2
        resized = cv2.resize(second, (side, side), interpolation=cv2.INTER_LINEAR)
        template = np.ascontiguousarray(resized[rim : rim + part, rim : rim + part])
        _, correlation, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(first, template, cv2.TM_CCOEFF_NORMED))
        if correlation > best:
            grown, ratio = side / SMALL, SIDE / SMALL
            best = correlation
            place = np.array([[grown, 0, ratio * (x - rim)], [0, grown, ratio * (y - rim)]], np.float32)
    return best, place


def _laid(part: np.ndarray, place: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(part, place, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _agreement(first: np.ndarray, second: np.ndarray, both: np.ndarray) -> float:
    """The correlation that is reached in NEARLY_EVERYWHERE of the places with structure; both: where to look."""
    first, second = first * both, second * both
    own, others, common = (
        cv2.blur(product, (PLACE, PLACE)) for product in (first * first, second * second, first * second)
    )
    places = both & (np.maximum(own, others) > STRUCTURED)
    if places.sum() < NOTHING * both.sum():
        return 0.0
    correlations = common[places] / np.sqrt(own[places] * others[places] + 1e-6)
    return float(np.quantile(correlations, 1 - NEARLY_EVERYWHERE))
