"""NetworkOutput: what the network of a classifier gives for a batch of images."""

from typing import NamedTuple

import numpy as np


class NetworkOutput(NamedTuple):
    """What a network shows of n images: its answers, and what they come from.

    logits: float32 (n, 1) or (n, classes); features: float32 (n, depth), averages over the image of
    feature_maps: float32 (n, height, width, depth).
    """

    logits: np.ndarray
    features: np.ndarray
    feature_maps: np.ndarray
