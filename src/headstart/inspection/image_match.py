"""Two images -> how well one fits onto the other: are they the same photo, resized, mirrored or slightly cropped?

Photos of similar things have similar features, but not similar pixels. So one image is aligned with the other, and the
fine structure of both, edges and texture, is compared window by window: it must agree nearly everywhere. Agreement on
average is not enough: two solar cells have the same busbars, two screenshots the same frame.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from headstart.array_types import Bool, Float32, UInt8

SIDE = 128  # pixels: both images are compared as squares, so that stretched copies fit as well
COARSE_SIDE = 64  # pixels: enough to find the position roughly
SCALES = (1.0, 0.93, 1.07, 0.86, 1.16)  # of one image within the other, for cropped copies
TEMPLATE_SHARE = 0.8  # share of each side that is searched for: the margin may have been cropped
MIN_COARSE_CORRELATION = 0.45  # below it, the alignment is not refined
MARGIN = 8  # pixels: structure near the border depends on what lies beyond it, which a crop has removed
MIN_OVERLAP = 0.4  # share of the area that the aligned images must share, without their margins
WINDOW = 15  # pixels: side of the squares in which the structure is compared
MIN_VARIANCE = 1.0  # grey levels, squared: windows with less structure show only noise
MIN_STRUCTURED_SHARE = 0.05  # share of windows with structure; with fewer, the images cannot be compared
AGREEING_SHARE = 0.9  # share of the windows that must agree
COARSE_STEPS, FINE_STEPS = 10, 5  # of the alignment: from the coarse one on, few fine ones are left (benchmarks/LOG.md)
ENOUGH = 1e-3  # gain in correlation below which a step was the last
_INSIDE_MARGIN = np.pad(np.ones((SIDE - 2 * MARGIN, SIDE - 2 * MARGIN), np.float32), MARGIN)

Grey = Float32[np.ndarray, "height width"]
Transform = Float32[np.ndarray, "2 3"]  # affine, from pixels of the second image to pixels of the first, at SIDE


@dataclass(frozen=True, eq=False)
class Structure:
    """The part of a photo that is compared: its edges and texture, at SIDE and at COARSE_SIDE pixels."""

    fine: Float32[np.ndarray, "128 128"]
    coarse: Float32[np.ndarray, "64 64"]

    @classmethod
    def of(cls, image: UInt8[np.ndarray, "128 128 3"]) -> "Structure":
        """image: RGB, SIDE x SIDE pixels."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        small = cv2.resize(grey, (COARSE_SIDE, COARSE_SIDE), interpolation=cv2.INTER_AREA)
        return cls(_band_pass(grey), _band_pass(small))

    def mirrored(self) -> "Structure":
        return Structure(*(np.ascontiguousarray(part[:, ::-1]) for part in (self.fine, self.coarse)))


class Match(NamedTuple):
    """How two images fit. similarity: -1..1, the correlation of fine structure that nine tenths of all windows reach; 0
    where the second image fits nowhere or there is no structure. mirrored: whether it was mirrored for that."""

    similarity: float
    mirrored: bool


def match(first: Structure, second: Structure) -> Match:
    """How two images fit best, the second as it is or mirrored."""
    candidates = [(*_coarse_alignment(first.coarse, view.coarse), view) for view in (second, second.mirrored())]
    correlation, transform, view = max(candidates, key=lambda candidate: candidate[0])
    similarity = _refined_match(first, view, transform) if correlation >= MIN_COARSE_CORRELATION else 0.0
    return Match(similarity, view is not second)


def _band_pass(grey: Grey) -> Grey:
    """Without smooth parts, such as light and large areas, and without the finest grain, which JPEG changes."""
    return cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 4.0)


def _coarse_alignment(first: Grey, second: Grey) -> tuple[float, Transform]:
    """Where the middle of the second lies in the first: the correlation there, and the transform, at COARSE_SIDE."""
    best, transform = -1.0, np.eye(2, 3, dtype=np.float32)
    for scale in SCALES:
        side = round(COARSE_SIDE * scale)
        part = round(side * TEMPLATE_SHARE)
        margin = (side - part) // 2
        resized = cv2.resize(second, (side, side), interpolation=cv2.INTER_LINEAR)
        template = np.ascontiguousarray(resized[margin : margin + part, margin : margin + part])
        _, correlation, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(first, template, cv2.TM_CCOEFF_NORMED))
        if correlation > best:
            zoom, best = side / COARSE_SIDE, correlation
            transform = np.array([[zoom, 0, x - margin], [0, zoom, y - margin]], np.float32)
    return best, transform


def _refined_match(first: Structure, second: Structure, transform: Transform) -> float:
    """transform: at COARSE_SIDE."""
    try:
        transform = _aligned(first.coarse, second.coarse, transform, COARSE_STEPS)
        transform[:, 2] *= SIDE / COARSE_SIDE
        transform = _aligned(first.fine, second.fine, transform, FINE_STEPS)
    except cv2.error:  # OpenCV reports in this way that the images have nothing in common
        return 0.0
    overlap = _warped(_INSIDE_MARGIN, transform) * _INSIDE_MARGIN > 0.99
    if overlap.mean() < MIN_OVERLAP:
        return 0.0
    return _agreement(_warped(first.fine, transform), second.fine, overlap)


def _aligned(first: Grey, second: Grey, transform: Transform, steps: int) -> Transform:
    """A transform, from the given one on, that the second image fits better with. Raises cv2.error where none does."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, ENOUGH)
    everywhere = np.full(first.shape, 255, np.uint8)
    return cv2.findTransformECC(second, first, transform, cv2.MOTION_AFFINE, criteria, everywhere, 5)[1]


def _warped(image: Grey, transform: Transform) -> Grey:
    return cv2.warpAffine(image, transform, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _agreement(first: Grey, second: Grey, overlap: Bool[np.ndarray, "height width"]) -> float:
    """The correlation that AGREEING_SHARE of the windows with structure reach."""
    first, second = first * overlap, second * overlap
    first_variance, second_variance, covariance = (
        cv2.blur(product, (WINDOW, WINDOW)) for product in (first * first, second * second, first * second)
    )
    structured = overlap & (np.maximum(first_variance, second_variance) > MIN_VARIANCE)
    if structured.sum() < MIN_STRUCTURED_SHARE * overlap.sum():
        return 0.0
    correlations = covariance[structured] / np.sqrt(first_variance[structured] * second_variance[structured] + 1e-6)
    return float(np.quantile(correlations, 1 - AGREEING_SHARE))
