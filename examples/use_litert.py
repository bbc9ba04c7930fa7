"""Photos -> predictions, without headstart, by a classifier that `headstart export --format litert` wrote.

    pip install ai-edge-litert numpy pillow
    python use_litert.py pets.tflite photo.jpg ...

The network makes its square of a photo itself, as headstart does, so photos may have any size; several of one size may
be given at once.
"""

import json
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
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
classify = Interpreter(file).get_signature_runner("serving_default")
description = json.loads(zipfile.ZipFile(file).read("export.json"))  # the file ends with a zip
names, value_range = description["class_names"], description["value_range"]
for photo in photos:
    pixels = pixels_of(photo, value_range).astype(description["input"]["type"])  # 0 to 255, as they are
    row = classify(pixels=pixels)["probabilities"][0]
    print(f"{photo}  {names[row.argmax()]} {row.max():.2%}")
