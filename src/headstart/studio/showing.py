"""A photo's file -> what a browser can show: the file itself, or a JPEG of it. Knows no collection."""

import io

from PIL import Image

from headstart.data import formats
from headstart.data.images import highest_value, read_image
from headstart.data.value_range import FULL, range_of
from headstart.errors import ImageError
from headstart.storage.regular import read_regular

# What browsers decode themselves: Pillow's name -> media type. A PNG may have 16 bits a value: these are converted.
SHOWN = {"JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp", "AVIF": "image/avif"}
QUALITY = 92


def shown(path: str) -> tuple[str, bytes]:
    """Media type and content.

    Raises:
        ImageError: the file is gone, or no image.
    """
    try:
        content = read_regular(path)
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    name = formats.format_of(content[: formats.HEAD])
    if name in SHOWN:
        return SHOWN[name], content
    highest = highest_value(content)
    if name == "PNG" and highest is None:
        return "image/png", content
    pixels = read_image(content, value_range=range_of([highest]) if highest else FULL)
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
        return "image/jpeg", file.getvalue()
