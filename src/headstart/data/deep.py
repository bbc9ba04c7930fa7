"""An image with 16 bits a value -> its values. Pillow alone decodes, which keeps 16 bits of grey images only."""

import sys
from typing import Any

import numpy as np
from PIL import Image

from headstart.array_types import UInt16
from headstart.data.opening import Opened, open_image, reopened
from headstart.data.value_range import ValueRange

# Of 16 bits, Pillow takes the byte that counts more: the last (L), the first (B), or as this machine has it (N). Told
# the other, it takes the byte that counts less.
_OTHER_BYTE = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_COLOUR = ("RGB;16", "RGBA;16", "RGBX;16")  # Pillow's names for the order of the bytes


def deep_values(opened: Opened) -> UInt16[np.ndarray, "h w samples"] | None:
    """The 16-bit values of grey, RGB or RGBA as Pillow has them: upright if it is a TIFF, else as they are stored.

    None: it has 8 bits.

    Raises:
        OSError, ValueError, and others of PILLOW_FAILURES: it is damaged.
    """
    image, page = opened.image, opened.page
    if page and page.planes:
        planes = [deep_values(open_image(plane, sys.maxsize)) for plane in page.planes]
        return np.concatenate([plane for plane in planes if plane is not None], axis=2)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return np.asarray(_loaded(image)).astype(np.uint16)[..., None]
    tiles = getattr(image, "tile", [])  # the parts of a file that are still to be decoded
    if not (tiles and all(_layout(tile.args).startswith(_COLOUR) for tile in tiles)):
        return None
    less = reopened(opened)
    less.tile = [tile._replace(args=_with_other_byte(tile.args)) for tile in less.tile]
    most = np.asarray(_loaded(image)).astype(np.uint16)
    return most << 8 | np.asarray(_loaded(less))


def range_in(opened: Opened, value_range: ValueRange) -> ValueRange:
    """Black and white of its values: those of the collection, unless the file itself says that they have fewer bits."""
    return ValueRange(0, (1 << opened.bits) - 1) if 8 < opened.bits < 16 else value_range


def _loaded(image: Image.Image) -> Image.Image:
    image.load()
    return image


def _layout(args: Any) -> str:
    """Pillow's name for the order of the bytes in a part of a file."""
    first = args[0] if isinstance(args, tuple) and args else args
    return first if isinstance(first, str) else ""


def _with_other_byte(args: Any) -> Any:
    layout = _layout(args)
    other = layout[:-1] + _OTHER_BYTE[layout[-1]]
    return (other, *args[1:]) if isinstance(args, tuple) else other
