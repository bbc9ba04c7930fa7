"""Photos -> predictions, without headstart, by a classifier that `headstart export --format onnx` wrote.

    pip install numpy onnxruntime pillow
    python use_onnx.py pets.onnx photo.jpg ...

The network makes its square of a photo itself, as headstart does, so photos may have any size; several of one size may
be given at once.
"""

import json
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps


def pixels_of(path: str, value_range: list[int]) -> np.ndarray:
    """A photo as the network takes it, (1, height, width, 3): upright, RGB, all of its pixels."""
    photo = ImageOps.exif_transpose(Image.open(path))
    if photo.mode.startswith("I"):  # 16 bits a pixel
        low, high = value_range  # black, white
        shades = (np.asarray(photo).clip(low, high).astype(float) - low) * 255 / (high - low)
        photo = Image.fromarray(np.round(shades).astype(np.uint8))
    photo = photo.convert("RGBA")  # transparent parts become white
    return np.asarray(Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB"))[None]


file, *photos = sys.argv[1:]
session = onnxruntime.InferenceSession(file)
description = session.get_modelmeta().custom_metadata_map  # strings; what is not text is JSON
names, value_range = json.loads(description["class_names"]), json.loads(description["value_range"])
for photo in photos:
    pixels = pixels_of(photo, value_range).astype(json.loads(description["input"])["type"])  # 0 to 255, as they are
    row = session.run(["probabilities"], {"pixels": pixels})[0][0]
    print(f"{photo}  {names[row.argmax()]} {row.max():.2%}")
