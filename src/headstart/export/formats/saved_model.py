"""TensorFlow's SavedModel: a folder, run by TensorFlow or TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.export import OUTPUTS
from headstart.export.resizing import Operations, Rows, squared, windows

if TYPE_CHECKING:
    from headstart.export.source import Source


def write(source: Source, folder: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    """The description is in the JSON file of the folder: there is no place for it inside the other files."""
    if source.fixed_size:
        source.model.export(folder, format="tf_saved_model", verbose=False)
        return
    import keras
    import tensorflow as tf

    network, size, resizing = source.model, source.classifier.image_size, source.classifier.resizing

    def serve(pixels: Any) -> Any:
        square = squared(pixels, TensorFlow(), size=size, resizing=resizing)
        return network(tf.ensure_shape(tf.cast(square, pixels.dtype), source.square_shape))

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", serve, [tf.TensorSpec(source.input_shape, source.pixels, name="pixels")])
    archive.write_out(folder, verbose=False)


class TensorFlow(Operations):
    def __init__(self) -> None:
        import tensorflow

        self.tf: Any = tensorflow

    def sides(self, pixels: Any) -> tuple[Any, Any]:
        shape = self.tf.shape(pixels)
        return shape[1:2], shape[2:3]

    def whole(self, *values: int) -> Any:
        return self.tf.constant(values, self.tf.int32)

    def count(self, end: Any, most: int) -> Any:
        return self.tf.range(end[0])

    def column(self, vector: Any, ones: int = 1) -> Any:
        return self.tf.reshape(vector, (-1, *[1] * ones))

    def real(self, tensor: Any) -> Any:
        return self.tf.cast(tensor, self.tf.float32)

    def index(self, tensor: Any) -> Any:
        return self.tf.cast(tensor, self.tf.int32)

    def take(self, images: Any, rows: Any) -> Any:
        return self.tf.gather(images, rows, axis=1)

    def turned(self, images: Any) -> Any:
        return self.tf.transpose(images, (0, 2, 3, 1))

    def upright(self, images: Any) -> Any:
        return self.tf.transpose(images, (0, 3, 1, 2))

    def summed(self, images: Any, rows: Rows) -> Any:
        source, weights = windows(self, rows)
        return self.tf.einsum("nktab,kt->nkab", self.real(self.take(images, source)), weights)

    def least(self, one: Any, other: Any) -> Any:
        return self.tf.minimum(one, other)

    def greatest(self, one: Any, other: Any) -> Any:
        return self.tf.maximum(one, other)

    def maximum(self, vector: Any) -> Any:
        return self.tf.reduce_max(vector, keepdims=True)

    def floor(self, tensor: Any) -> Any:
        return self.tf.floor(tensor)

    def round(self, tensor: Any) -> Any:
        return self.tf.round(tensor)

    def where(self, condition: Any, one: Any, other: Any) -> Any:
        return self.tf.where(condition, one, other)


def open_folder(folder: Path):
    """An `ExportedModel` in TensorFlow."""
    import tensorflow as tf

    serve = tf.saved_model.load(str(folder)).signatures["serve"]  # type: ignore[attr-defined]

    def run(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        found = serve(pixels=tf.constant(pixels))
        return tuple(found[name].numpy() for name in OUTPUTS if name in found)

    return run
