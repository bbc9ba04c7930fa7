"""Photos -> predictions, without headstart, by a classifier that `headstart export --format saved-model` wrote.

    pip install numpy pillow tensorflow
    python use_saved_model.py pets photo.jpg ...

The network makes its square of a photo itself, as headstart does, so photos may have any size; several of one size may
be given at once.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
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


folder, *photos = sys.argv[1:]
classify = tf.saved_model.load(folder).signatures["serve"]
description = json.loads(Path(folder, "export.json").read_text("utf-8"))
names, value_range = description["class_names"], description["value_range"]
for photo in photos:
    pixels = pixels_of(photo, value_range).astype(description["input"]["type"])  # 0 to 255, as they are
    row = classify(pixels=tf.constant(pixels))["probabilities"][0].numpy()
    print(f"{photo}  {names[row.argmax()]} {row.max():.2%}")
