"""TensorFlow's SavedModel: a folder, run by TensorFlow or TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from headstart.export.source import Source


def write(source: Source, folder: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    """The description is in the JSON file of the folder: there is no place for it inside the other files."""
    source.model.export(folder, format="tf_saved_model", verbose=False)


def open_folder(folder: Path):
    """An `ExportedModel` in TensorFlow."""
    import tensorflow as tf

    serve = tf.saved_model.load(str(folder)).signatures["serve"]  # type: ignore[attr-defined]

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = serve(pixels=tf.constant(pixels))
        return found["logits"].numpy(), found["probabilities"].numpy()

    return run
