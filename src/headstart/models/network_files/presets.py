"""A preset of KerasHub -> the network of its image encoder in an ONNX file, once; from then on KerasHub is not needed.

A preset is named as `hub:dinov2_small`, or by a folder, `hub:FOLDER`. So each of KerasHub's families is a base like any
other in a file: its depths are found from its graph, and its tokens become a grid.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import MissingExtraError, ModelError, WeightsError, first_line
from headstart.home import home_folder
from headstart.models.keras_to_onnx import write_onnx
from headstart.storage import cache
from headstart.storage.hashing import sha256, sha256_of_weights

HUB = "hub:"
NEEDED = ("keras_hub", "onnx", "tensorflow", "tf2onnx")
CONVERTER = "image_converter.json"  # what presets for images have
SCHEMA = 1  # of the file


def is_preset(backbone: str) -> bool:
    return backbone.startswith(HUB)


def presets_at_hand() -> list[str]:
    """The presets for images in KerasHub's download cache; none where KerasHub is not installed."""
    if _missing():
        return []
    folder = Path(os.environ.get("KAGGLEHUB_CACHE") or home_folder() / ".cache" / "kagglehub") / "models"
    found = folder.glob(f"keras/*/keras/*/*/{CONVERTER}")
    return sorted({f"{HUB}{file.parents[1].name}" for file in found})


def network_of_preset(backbone: str, image_size: int | None) -> Path:
    """The ONNX file of a preset, from the cache, or written now. image_size: side in pixels; None: the preset's own.

    The weights are downloaded by KerasHub if they are not at hand. Beside the file lies the JSON that says how the
    network sees pixels.

    Raises:
        MissingExtraError: KerasHub, or what writes ONNX, is not installed.
        WeightsError: there is no such preset, or it cannot be downloaded.
        ModelError: it sees no images, or none of that size; or it cannot be written as ONNX.
    """
    preset = backbone.removeprefix(HUB)
    if missing := _missing():
        raise MissingExtraError(f"'{backbone}' needs {', '.join(missing)}: pip install 'headstart[hub]'")
    packages = ("keras-hub", "keras", "tensorflow", "tf2onnx")
    key = cache.key(*packages, schema=SCHEMA, preset=_identity(preset), image_size=image_size or 0)
    folder = cache.cache_folder() / cache.NETWORKS / str(key)
    name = f"{Path(preset).name}.onnx"
    if not (folder / name).is_file():
        with tempfile.TemporaryDirectory(prefix="headstart-") as temporary:
            _write(preset, image_size, Path(temporary, name))
            if problem := cache.store_folder(Path(temporary), folder):
                raise ModelError(f"'{folder}' cannot be written: {problem}. Free some space, or set HEADSTART_CACHE.")
    cache.mark_used(folder)
    return folder / name


def _missing() -> list[str]:
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def _identity(preset: str) -> str:
    """Its name; of a folder, what is in it."""
    if not Path(preset).is_dir():
        return preset
    files = sorted(file for file in Path(preset).iterdir() if file.is_file())
    return sha256(*(f"{file.name} {sha256_of_weights(file)}".encode() for file in files))


def _write(preset: str, image_size: int | None, file: Path) -> None:
    from headstart.keras_backend import begin_computing, keras

    begin_computing()
    encoder = _encoder(preset, image_size)
    side = int(encoder.inputs[0].shape[1])
    pixels = keras.Input((side, side, 3), name="pixels")
    given = keras.tree.map_structure(lambda _: pixels, encoder.input)
    network = keras.Model(pixels, keras.tree.flatten(encoder(given, training=False))[-1])
    try:
        write_onnx(network, file)
    except Exception as error:  # converters raise many kinds
        raise ModelError(
            f"'{HUB}{preset}' cannot be written as ONNX: {first_line(error)}. Choose another preset."
        ) from error
    said = {**_pixels(preset), "channels": "RGB", "layout": "NHWC", "size": side}
    file.with_name(f"{file.name}.json").write_text(json.dumps(said, indent=2) + "\n", "utf-8")


def _encoder(preset: str, image_size: int | None) -> Any:
    """The Keras model that sees images; of a preset for images and text, its part."""
    import keras_hub

    def load(**settings: Any) -> Any:
        found = keras_hub.models.Backbone.from_preset(preset, **settings)
        return getattr(found, "vision_encoder", found)

    try:
        encoder = load()
    except Exception as error:  # KerasHub and kagglehub raise many kinds, also for a network that is away
        raise WeightsError(
            f"The preset '{preset}' of KerasHub cannot be loaded: {first_line(error)}. Name one that it has, or a "
            f"folder that `save_to_preset` wrote; or connect to the internet once."
        ) from error
    shapes = [tuple(given.shape) for given in encoder.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][-1] != 3:
        raise ModelError(f"The preset '{preset}' takes {shapes}, expected one image. Choose a preset for images.")
    side = image_size or shapes[0][1] or _own_size(preset)
    if shapes[0][1:3] == (side, side):
        return encoder
    try:
        return load(image_shape=(side, side, 3))
    except Exception as error:  # weights of another shape, or an argument that a family lacks
        raise ModelError(
            f"The preset '{preset}' cannot see images of {side} x {side} pixels: {first_line(error)}. Leave "
            f"--image-size out: its own size is {shapes[0][1]}."
        ) from error


def _converter(preset: str) -> Any | None:
    """The image converter of a preset; None where there is none.

    Raises:
        ModelError: it cannot be read.
    """
    import keras_hub

    try:
        return keras_hub.layers.ImageConverter.from_preset(preset)
    except FileNotFoundError:  # so KerasHub says that a preset lacks a file
        return None
    except Exception as error:  # damaged JSON, an unknown class, settings of another version, a network that is away
        raise ModelError(
            f"How the preset '{preset}' sees pixels cannot be read from its '{CONVERTER}': {first_line(error)}. Get "
            f"that file again; or, in a folder of your own, remove it, and pixels are given as most networks take them."
        ) from error


def _own_size(preset: str) -> int:
    converter = _converter(preset)
    return int(converter.image_size[0]) if converter and converter.image_size else 224


def _pixels(preset: str) -> dict[str, Any]:
    """How its image converter scales pixels, as (value - mean) / std; without one, as for ImageNet."""
    converter = _converter(preset)
    if converter is None or converter.scale is None:
        return {"preprocessing": "imagenet"} if converter is None else {"preprocessing": "raw"}
    scale = np.broadcast_to(np.asarray(converter.scale, np.float64), 3)
    offset = np.broadcast_to(np.asarray(converter.offset or 0.0, np.float64), 3)
    return {"scale": 1.0, "mean": (-offset / scale).tolist(), "std": (1 / scale).tolist()}
