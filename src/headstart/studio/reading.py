"""A photo's file -> what the studio has to know of it, in one reading: digest, sizes, thumbnail. Knows no labels."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.array_types import UInt8
from headstart.data.images import MAX_PIXELS, highest_value, read_thumbnail
from headstart.data.opening import open_image
from headstart.data.value_range import FULL, range_of
from headstart.errors import ImageError
from headstart.storage.hashing import sha256
from headstart.storage.regular import read_regular
from headstart.studio.catalogue import Facts

SIDE = 160  # pixels, the longer side of a thumbnail
QUALITY = 75  # of WebP: 3 to 6 kB


def read_facts(path: str) -> Facts | str:
    """What is in a file, or why it cannot be used (the end of a sentence that begins with its name)."""
    try:
        status = Path(path).stat()
        found = facts_of(read_regular(path))
    except (OSError, ValueError) as error:  # ValueError: there is a NUL in its name
        return f"cannot be opened: {getattr(error, 'strerror', None) or error}"
    return found if isinstance(found, str) else replace(found, modified=status.st_mtime_ns)


def facts_of(content: bytes) -> Facts | str:
    """The same, of the content of a file."""
    try:
        width, height = open_image(content, MAX_PIXELS).image.size
        highest = highest_value(content) or 0
        pixels = read_thumbnail(content, SIDE, value_range=range_of([highest]) if highest else FULL)
    except ImageError as error:
        return str(error)
    if (pixels.shape[1] > pixels.shape[0]) != (width > height):  # the camera was turned
        width, height = height, width
    return Facts(bytes.fromhex(sha256(content)), len(content), 0, width, height, highest, webp(pixels))


def webp(pixels: UInt8[np.ndarray, "h w 3"]) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "WEBP", quality=QUALITY, method=0)  # the fastest: 2 ms instead of 6
        return file.getvalue()
