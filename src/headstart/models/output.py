"""NetworkOutput: what the network of a classifier gives for a batch of images."""

from typing import NamedTuple

import numpy as np

from headstart.array_types import Float


class NetworkOutput(NamedTuple):
    """The logits of n images, and what they come from.

    features: float32, averages over the image of
    feature_maps: float32, the last ones of the base.
    """

    logits: Float[np.ndarray, "n logits"]
    features: Float[np.ndarray, "n depth"]
    feature_maps: Float[np.ndarray, "n height width depth"]
