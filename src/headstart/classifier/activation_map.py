"""Feature maps and the head -> where on a photo an answer comes from. Knows no model and no files.

The head is linear on features that are averages over the image, so a logit is the average of a map over the image: the
class activation map is no estimate here (B. Zhou et al., Learning deep features for discriminative localization, CVPR
2016).
"""

import cv2
import numpy as np

from headstart.numerics import two_sided


def class_map(feature_map: np.ndarray, kernel: np.ndarray, bias: np.ndarray, label: int) -> np.ndarray:
    """What each place of an image says for a class, against the mean of all classes.

    feature_map: float (height, width, depth), the last one of the base; kernel: float (depth, logits); bias: (logits,).

    Returns:
        float64 (height, width); its mean is the logit of that class minus the mean of all logits.
    """
    height, width, depth = feature_map.shape
    logits = two_sided(feature_map.reshape(-1, depth).astype(np.float64) @ kernel + bias)
    return (logits[:, label] - logits.mean(axis=1)).reshape(height, width)


def overlay(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A photo, darker where a class map says little for the class: uint8 (h, w, 3) and (any, any) -> uint8 (h, w, 3).

    Where nothing speaks for it, all of the photo is dark.
    """
    height, width = image.shape[:2]
    large = cv2.resize(np.maximum(places, 0).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(large / max(float(large.max()), 1e-6), 0, 1)[..., None]
    return np.round(image * (0.25 + 0.75 * share)).astype(np.uint8)
