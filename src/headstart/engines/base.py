"""Engine: the protocol of whatever runs a network. Knows neither files nor labels."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np


class Engine(Protocol):
    """What turns images into the tensors at the end of a network."""

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Of each output, for one image."""
        ...

    def fill(self, batches: Iterable[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        """Run uint8 batches (up to BATCH, size, size, 3), taken one by one, and write what comes out.

        outputs: for each output of the network, or for the first ones, an array (all images, *its shape), of a floating
            type.
        """
        ...
