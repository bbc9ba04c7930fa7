"""The network of a classifier, compiled, in a folder of its own: written with a run, and opened for predictions.

It gives, in this order, logits (n, logits), features (n, numbers), and feature maps (n, height, width, channels): that
of the last layer, or those of all depths.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from headstart.array_types import Float
from headstart.engines.base import CompileError, Compute
from headstart.engines.openvino import NETWORK, OpenVINOEngine, add_head

Kernel = Float[np.ndarray, "numbers logits"]
Bias = Float[np.ndarray, " logits"]


def write_classifier(
    folder: Path, kernel: Kernel, bias: Bias, *, frozen: Path | None, write: Callable[[Path], None]
) -> None:
    """Write a compiled classifier into a new folder; one that an interrupted run has left is replaced.

    Args:
        kernel, bias: the head.
        frozen: file of a compiled network that gives features and feature maps; the head is put on that, without Keras.
        write: writes such a network: used where there is no such file, or it was removed or damaged meanwhile.

    Raises:
        CompileError: OpenVINO is missing, or cannot convert the network. No folder is left.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    try:
        if frozen:
            with suppress(CompileError):
                add_head(frozen, folder / NETWORK, kernel, bias)
                return
        with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
            converted = Path(temporary, NETWORK)
            write(converted)
            add_head(converted, folder / NETWORK, kernel, bias)
    except CompileError:
        shutil.rmtree(folder)
        raise


def saved_network(folder: Path) -> Path | None:
    """The file of a compiled network that `write_classifier` left in a folder, if there is one."""
    file = folder / NETWORK
    return file if file.is_file() else None


def open_classifier(folder: Path, *, batch_size: int, compute: Compute, outputs: int | None = None) -> OpenVINOEngine:
    """The engine in a folder.

    outputs: how many are wanted, the first ones; None: all.

    Raises:
        CompileError: it is missing or damaged, or its library is.
    """
    return OpenVINOEngine(folder / NETWORK, batch_size=batch_size, compute=compute, outputs=outputs)
