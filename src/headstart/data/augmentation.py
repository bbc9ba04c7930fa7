"""Random flips and rotations of uint8 images. Knows neither files nor labels.

The same two transformations as the tutorial's `RandomFlip("horizontal")` and `RandomRotation(0.2)`, with the same
border (mirrored) and interpolation (bilinear). They are drawn from (seed, epoch, image), so that any view of any
image can be made again, anywhere: after a run was interrupted, or in another process.
"""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """How far a random view may be from its image.

    flip: mirror left and right, half of the time.
    rotation: turn by an angle drawn evenly from -rotation to +rotation, in whole turns (0.2 is 72 degrees).
    """

    flip: bool = True
    rotation: float = 0.2  # the tutorial's

    def view(self, image: np.ndarray, *, seed: int, epoch: int, digest: str) -> np.ndarray:
        """The view of `image`, uint8 (height, width, 3), that belongs to this seed, epoch and image digest (hex)."""
        draws = np.random.default_rng([seed, epoch, int(digest[:16], 16)])
        flip = self.flip and draws.random() < 0.5
        angle = draws.uniform(-self.rotation, self.rotation) * 360.0
        return transform(image, flip=flip, degrees=angle)


def transform(image: np.ndarray, *, flip: bool, degrees: float) -> np.ndarray:
    """Mirror (if `flip`), then turn counter-clockwise about the centre; uint8 (height, width, 3) in and out."""
    height, width = image.shape[:2]
    if flip:
        image = np.ascontiguousarray(image[:, ::-1])
    if degrees == 0.0:
        return image
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
