"""A photo of any shape -> the square that the network sees: the table RESIZINGS. Knows no files.

A classifier is trained, evaluated and used with one row, whose name stands in classifier.json. Of a photo that is
square already, all rows but "resize-crop" make the same pixels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.array_types import UInt8
from headstart.errors import ModelError

STRETCH, CROP, PAD, RESIZE_CROP = "stretch", "crop", "pad", "resize-crop"
INSIDE = 7 / 8  # of the shorter side: what 224 pixels are of 256, as networks are usually tested on ImageNet
# A mid grey: near 0 after the preprocessing of every backbone, which is what its convolutions see beyond the border.
# Black or white would add a strong edge, an extended border a texture, a mirrored photo a second object that was never
# photographed. All of them got 98.3 to 98.7% of 1,000 cats and dogs correct, grey 98.3%: no more than chance.
PADDING = (128, 128, 128)


@dataclass(frozen=True)
class Resizing:
    """One way to make a square of a photo.

    to_square: photo, size in pixels -> square of that size.
    side: of the square of the photo that is shown, from its height and width. Where that has `size` pixels, nothing is
        enlarged.
    """

    to_square: Callable[[UInt8[np.ndarray, "h w 3"], int], UInt8[np.ndarray, "size size 3"]]
    side: Callable[[int, int], int]


def get_resizing(name: str) -> Resizing:
    """The row of RESIZINGS.

    Raises:
        ModelError: the name is unknown.
    """
    if name not in RESIZINGS:
        raise ModelError(f"There is no resizing '{name}'. Choose one of: {', '.join(RESIZINGS)}.")
    return RESIZINGS[name]


def resize(
    image: UInt8[np.ndarray, "h w 3"], size: int, resizing: str = STRETCH
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """Make a square of an image. resizing: name of a row of RESIZINGS.

    Raises:
        ModelError: the name is unknown.
    """
    return get_resizing(resizing).to_square(image, size)


def power_of_two(ratio: float) -> int:
    """The largest power of two that is at most `ratio`; 1 for ratios below 2."""
    return 1 << max(int(ratio).bit_length() - 1, 0)


def _stretch(image: np.ndarray, size: int) -> np.ndarray:
    """The whole photo, distorted, as in the tutorial."""
    return _resample(image, size, size)


def _crop(image: np.ndarray, size: int) -> np.ndarray:
    """The square in the middle of the photo."""
    height, width = image.shape[:2]
    return _middle(image, min(height, width), size)


def _resize_crop(image: np.ndarray, size: int) -> np.ndarray:
    """The middle of that square: the same as to resize the shorter side to 256 pixels, and to cut out 224."""
    return _middle(image, _inside(*image.shape[:2]), size)


def _inside(height: int, width: int) -> int:
    return max(1, round(INSIDE * min(height, width)))


def _middle(image: np.ndarray, side: int, size: int) -> np.ndarray:
    height, width = image.shape[:2]
    top, left = (height - side) // 2, (width - side) // 2
    return _resample(image[top : top + side, left : left + side], size, size)


def _pad(image: np.ndarray, size: int) -> np.ndarray:
    """The whole photo in its own shape, in the middle of a square of PADDING."""
    longer = max(image.shape[:2])
    height, width = (max(1, round(side * size / longer)) for side in image.shape[:2])
    top, left = (size - height) // 2, (size - width) // 2
    square = np.full((size, size, 3), PADDING, np.uint8)
    square[top : top + height, left : left + width] = _resample(image, height, width)
    return square


def _resample(image: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, "{height} {width} 3"]:
    """Average each side down by the largest power of two that leaves at least the target, then interpolate bilinearly.

    Without the averaging, most pixels of a large photo would be ignored.
    """
    import cv2  # here, as the exports ask for the names of resizings alone, before any photo is shown

    down_y, down_x = power_of_two(image.shape[0] / height), power_of_two(image.shape[1] / width)
    if down_y > 1 or down_x > 1:
        averaged = (-(-image.shape[1] // down_x), -(-image.shape[0] // down_y))
        image = cv2.resize(image, averaged, interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


RESIZINGS = {
    STRETCH: Resizing(_stretch, min),
    CROP: Resizing(_crop, min),
    PAD: Resizing(_pad, max),
    RESIZE_CROP: Resizing(_resize_crop, _inside),
}
