"""JaxNetwork: a Keras model of the JAX backend on a GPU, compiled by XLA.

JAX starts work and returns at once; what it gives is waited for where it is read.
https://docs.jax.dev/en/latest/async_dispatch.html
"""

# JAX comes by hand
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from headstart.engines.base import Pixels


class JaxNetwork:
    """Runs a Keras model, always with the weights that it has now. Any number of threads may start batches."""

    remark = None

    def __init__(self, model: Any, platform: str = "gpu") -> None:
        """model: raw pixels (n, size, size, 3) -> several tensors. platform: "cpu" for tests."""
        self._device = jax.devices(platform)[0]
        # copies: a training gives the arrays of variables away (donates them)
        self._weights = [
            [jax.device_put(np.array(variable), self._device) for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]

        def forward(weights: Any, images: jax.Array) -> list[jax.Array]:
            found, _ = model.stateless_call(*weights, images, training=False)
            return list(found) if isinstance(found, (list, tuple)) else [found]

        self._run = jax.jit(forward)

    def start(self, images: Pixels) -> Callable[[], list[np.ndarray]]:
        outputs = self._run(self._weights, jax.device_put(images, self._device))
        for output in outputs:
            output.copy_to_host_async()
        return lambda: [np.asarray(output) for output in outputs]
