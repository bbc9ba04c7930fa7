"""Feature maps and the head -> where on an image a prediction comes from. Knows no model and no files.

The head is linear on numbers that are averages over the image, so a logit is the average of a map over the image, and
the class activation map is exact (B. Zhou et al., Learning deep features for discriminative localization, CVPR 2016).
That holds for means, and also for deviations: the squared difference of a place from the mean, divided by the
deviation, has the deviation as its average. Each depth says what it says at its own resolution.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from headstart.array_types import Float, Real, UInt8
from headstart.numerics import two_sided

FINEST = 32  # places a side, at most: the maps of the first depths are finer, and noisy


def class_map(
    maps: Sequence[Float[np.ndarray, "_height _width _channels"]],
    kernel: Float[np.ndarray, "numbers logits"],
    bias: Float[np.ndarray, " logits"],
    label: int,
) -> Float[np.ndarray, "rows columns"]:
    """What each place of an image says for a class, against the mean of all classes.

    maps: the feature maps of the image that the features are of: that of the last layer at the end, before it those of
        all other depths, if the head reads them.

    Returns:
        float64, as fine as the finest of the maps that has no more than `FINEST` places a side; its mean is the logit
        of that class minus the mean of all logits.
    """
    sides = [each.shape[:2] for each in maps]
    rows, columns = max((side for side in sides if max(side) <= FINEST), default=min(sides))
    found = np.zeros((rows, columns))
    for evidence in _evidence(maps, _against_the_mean(kernel, label)):
        found += _resized(evidence, rows, columns)
    return found + _against_the_mean(bias[None], label)


def _evidence(maps: Sequence[np.ndarray], weights: np.ndarray) -> Iterator[np.ndarray]:
    """Of each map, what its places say. weights: float64 (numbers,)."""
    *inner, last = maps
    start = last.shape[-1]
    yield last @ weights[:start]
    for each in inner:
        channels = each.shape[-1]
        of_mean, of_deviation = weights[start : start + channels], weights[start + channels : start + 2 * channels]
        difference = each.astype(np.float64) - each.mean(axis=(0, 1), dtype=np.float64)
        deviation = np.sqrt((difference**2).mean(axis=(0, 1)))
        yield each @ of_mean + difference**2 @ (of_deviation / np.maximum(deviation, 1e-12))
        start += 2 * channels


def _against_the_mean(values: np.ndarray, label: int) -> np.ndarray:
    """(n, logits) -> float64 (n,): those of a class minus the mean of all classes."""
    of_each = two_sided(values.astype(np.float64))
    return of_each[:, label] - of_each.mean(axis=1)


def _resized(places: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The same with other numbers of places, and with the same mean."""
    way = cv2.INTER_AREA if places.shape[0] > rows else cv2.INTER_LINEAR
    found = cv2.resize(places, (columns, rows), interpolation=way)
    return found + (places.mean() - found.mean())  # which interpolation changes a little where sides do not divide


def overlay(
    image: UInt8[np.ndarray, "height width 3"], places: Real[np.ndarray, "rows columns"]
) -> UInt8[np.ndarray, "height width 3"]:
    """An image, darker where a class map says little for the class; all dark if nothing on it speaks for the class."""
    height, width = image.shape[:2]
    large = cv2.resize(np.maximum(places, 0).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(large / max(float(large.max()), 1e-6), 0, 1)[..., None]
    return np.round(image * (0.25 + 0.75 * share)).astype(np.uint8)
