"""Photos -> predictions by a file that `headstart export --format litert --fixed-size` wrote, for small devices.

    pip install ai-edge-litert numpy pillow
    python use_litert_fixed_size.py pets.tflite photo.jpg ...

It takes squares, which the program around it makes. Pillow resizes photos slightly differently from headstart, which
moves some answers; a file without `--fixed-size` makes its squares itself, as headstart does.
"""

import json
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps


def squared(path: str, size: int, resizing: str, value_range: list[int]) -> np.ndarray:
    """A photo as the network sees it, (size, size, 3): upright, RGB, and made square as in the training."""
    photo = ImageOps.exif_transpose(Image.open(path))
    if photo.mode.startswith("I"):  # 16 bits a pixel
        low, high = value_range  # black, white
        shades = (np.asarray(photo).clip(low, high).astype(float) - low) * 255 / (high - low)
        photo = Image.fromarray(np.round(shades).astype(np.uint8))
    photo = photo.convert("RGBA")  # transparent parts become white
    photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo).convert("RGB")
    share = {"crop": 1, "resize-crop": 7 / 8}.get(resizing)  # of the shorter side that the network sees
    side = max(photo.size) if share is None else max(1, round(share * min(photo.size)))
    left, top = (photo.width - side) // 2, (photo.height - side) // 2
    if share:  # its centre
        photo = photo.crop((left, top, left + side, top + side))
    elif resizing == "pad":  # all of it, undistorted, on grey
        shape = [max(1, round(each * size / side)) for each in photo.size]
        square = Image.new("RGB", (size, size), (128, 128, 128))
        place = (size - shape[0]) // 2, (size - shape[1]) // 2
        square.paste(photo.resize(shape, Image.Resampling.BILINEAR), place)
        return np.asarray(square)
    return np.asarray(photo.resize((size, size), Image.Resampling.BILINEAR))  # "stretch": all of it, distorted


file, *photos = sys.argv[1:]
classify = Interpreter(file).get_signature_runner("serving_default")
description = json.loads(zipfile.ZipFile(file).read("export.json"))  # the file ends with a zip
names, size = description["class_names"], description["image_size"]

resizing, value_range = description["resizing"], description["value_range"]
pixels = np.stack([squared(photo, size, resizing, value_range) for photo in photos])
pixels = pixels.astype(description["input"]["type"])  # 0 to 255, as they are
probabilities = classify(pixels=pixels)["probabilities"]
for photo, row in zip(photos, probabilities, strict=True):
    print(f"{photo}  {names[row.argmax()]} {row.max():.2%}")
