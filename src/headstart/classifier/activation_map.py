"""Feature maps and the head -> where on an image a prediction comes from. Knows no model and no files.

The head is linear on features that are averages over the image, so a logit is the average of a map over the image: here
the class activation map is exact (B. Zhou et al., Learning deep features for discriminative localization, CVPR 2016).
"""

import cv2
import numpy as np

from headstart.array_types import Float, Real, UInt8
from headstart.numerics import two_sided


def class_map(
    feature_map: Float[np.ndarray, "height width depth"],
    kernel: Float[np.ndarray, "depth logits"],
    bias: Float[np.ndarray, " logits"],
    label: int,
) -> Float[np.ndarray, "height width"]:
    """What each place of an image says for a class, against the mean of all classes.

    feature_map: the last one of the base.

    Returns:
        float64; its mean is the logit of that class minus the mean of all logits.
    """
    height, width, depth = feature_map.shape
    logits = two_sided(feature_map.reshape(-1, depth).astype(np.float64) @ kernel + bias)
    return (logits[:, label] - logits.mean(axis=1)).reshape(height, width)


def overlay(
    image: UInt8[np.ndarray, "height width 3"], places: Real[np.ndarray, "rows columns"]
) -> UInt8[np.ndarray, "height width 3"]:
    """An image, darker where a class map says little for the class; all dark if nothing on it speaks for the class."""
    height, width = image.shape[:2]
    large = cv2.resize(np.maximum(places, 0).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(large / max(float(large.max()), 1e-6), 0, 1)[..., None]
    return np.round(image * (0.25 + 0.75 * share)).astype(np.uint8)
