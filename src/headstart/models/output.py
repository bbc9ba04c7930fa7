"""NetworkOutput: what the network of a classifier gives for a batch of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from headstart.array_types import Float

FEATURES = 2  # the first outputs of a compiled network, logits and features; behind them come the feature maps


class NetworkOutput(NamedTuple):
    """The logits of n images, and what they come from.

    features: float32. First the averages over the image of the last feature map; then, where the head reads every
        depth, mean and deviation of each feature map before it.
    maps: float32, the feature maps, the last one at the end; none where they were not asked for.
    """

    logits: Float[np.ndarray, "n logits"]
    features: Float[np.ndarray, "n numbers"]
    maps: tuple[Float[np.ndarray, "n height width channels"], ...] = ()

    @classmethod
    def of(cls, tensors: Sequence[np.ndarray]) -> NetworkOutput:
        """What a network gives: logits, features, and any number of feature maps."""
        logits, features, *maps = tensors
        return cls(logits, features, tuple(maps))

    @classmethod
    def joined(cls, outputs: Sequence[NetworkOutput]) -> NetworkOutput:
        """Those of several batches, one after the other: a copy."""
        tensors = [(each.logits, each.features, *each.maps) for each in outputs]
        return cls.of([np.concatenate(parts) for parts in zip(*tensors, strict=True)])

    def rows(self, some: slice) -> NetworkOutput:
        """That of some of the images."""
        return NetworkOutput.of([tensor[some] for tensor in (self.logits, self.features, *self.maps)])
