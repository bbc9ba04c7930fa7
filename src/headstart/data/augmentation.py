"""Random flips and rotations of images. Knows neither files nor labels.

They are the tutorial's `RandomFlip("horizontal")` and `RandomRotation(0.2)`, with the same border (mirrored) and
interpolation (bilinear). The draw depends on (seed, epoch, image) alone, so that any view of any image can be made
again anywhere: after an interrupted run, or in another process.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from headstart.array_types import UInt8


@dataclass(frozen=True)
class Augmentation:
    """How much a random view may differ from its image.

    flip: mirror left and right, with probability 0.5.
    rotation: turn by an angle drawn uniformly from -rotation to +rotation, in full turns (0.2 is 72 degrees).
    """

    flip: bool = True
    rotation: float = 0.2  # the tutorial's

    def view(
        self, image: UInt8[np.ndarray, "h w 3"], *, seed: int, epoch: int, digest: str
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The view of an image for this seed and epoch. digest: SHA-256 of the image's file, hexadecimal."""
        draws = np.random.default_rng([seed, epoch, int(digest[:16], 16)])
        flip = self.flip and draws.random() < 0.5
        angle = draws.uniform(-self.rotation, self.rotation) * 360.0
        return transform(image, flip=flip, degrees=angle)


def transform(image: UInt8[np.ndarray, "h w 3"], *, flip: bool, degrees: float) -> UInt8[np.ndarray, "h w 3"]:
    """Mirror if `flip`, then turn counter-clockwise about the centre."""
    height, width = image.shape[:2]
    if flip:
        image = np.ascontiguousarray(image[:, ::-1])
    if degrees == 0.0:
        return image
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
