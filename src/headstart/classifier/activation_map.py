"""Feature maps and the head -> where on an image a prediction comes from. Knows no model and no files.

The head is linear on numbers that are averages over the image, so a logit is the average of a map over the image, and
the class activation map is exact (B. Zhou et al., Learning deep features for discriminative localization, CVPR 2016).
That holds for means, and also for deviations: the squared difference of a place from the mean, divided by the
deviation, has the deviation as its average. Each depth says what it says at its own resolution.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from headstart.array_types import Float, Float64, Real, UInt8
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
    rows, columns = resolution([each.shape[:2] for each in maps])
    found = np.zeros((rows, columns))
    for evidence in _evidence(maps, against_the_mean(kernel)[:, label]):
        found += _resized(evidence, rows, columns)
    return found + against_the_mean(bias[None])[:, label]


def resolution(sides: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Rows and columns of a class map. sides: height and width of each feature map."""
    return max((side for side in sides if max(side) <= FINEST), default=min(sides))


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


def against_the_mean(values: Float[np.ndarray, "n logits"]) -> Float64[np.ndarray, "n classes"]:
    """Those of each class minus the mean of all classes."""
    of_each = two_sided(values)
    return of_each - of_each.mean(axis=1, keepdims=True)


def _resized(places: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The same with other numbers of places, and with the same mean."""
    found = resampling(places.shape[0], rows) @ places @ resampling(places.shape[1], columns).T
    return found + (places.mean() - found.mean())  # which interpolation changes a little where sides do not divide


def resampling(places: int, wanted: int) -> Float64[np.ndarray, "wanted places"]:
    """What each of the wanted places of a side is made of: the average of an area, or a point between two."""
    way = cv2.INTER_AREA if places > wanted else cv2.INTER_LINEAR
    return cv2.resize(np.eye(places), (places, wanted), interpolation=way)


def overlay(
    image: UInt8[np.ndarray, "height width 3"], places: Real[np.ndarray, "rows columns"]
) -> UInt8[np.ndarray, "height width 3"]:
    """An image, darker where a class map says little for the class; all dark if nothing on it speaks for the class."""
    height, width = image.shape[:2]
    large = cv2.resize(np.maximum(places, 0).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    share = np.clip(large / max(float(large.max()), 1e-6), 0, 1)[..., None]
    return np.round(image * (0.25 + 0.75 * share)).astype(np.uint8)
