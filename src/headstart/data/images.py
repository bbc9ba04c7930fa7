"""Bytes or a path -> RGB pixels, uint8 (height, width, 3). The only decoder in headstart. Knows no labels, no models.

OpenCV decodes JPEG, the common case: it is fast and releases the interpreter lock. Pillow decodes the rest (PNG, WebP,
BMP, GIF, TIFF, and JPEG in CMYK): it knows palettes, transparency and 16 bits. Training, evaluation and prediction call
the same functions, so a file always gives the same pixels. `resizing.py` makes squares of photos.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from headstart.array_types import Shaped, UInt8
from headstart.data.resizing import PAD, STRETCH, get_resizing, power_of_two, resize
from headstart.errors import ImageError, ImageTooLargeError, NotAnImageError
from headstart.storage.hashing import sha256
from headstart.storage.regular import check_regular, read_regular

# A file with one of these suffixes is expected to be an image, in Pillow's name for the format; its content decides.
FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG",
    ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
PILLOW_FORMATS = tuple(dict.fromkeys(FORMAT_OF_SUFFIX.values()))  # Pillow tries them in this order
# Imported by name, as Pillow loads some of its formats only on demand.
_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, BmpImagePlugin, GifImagePlugin, TiffImagePlugin)

# Pillow refuses more than twice the size that it warns of (decompression bombs); this limit holds for every format.
MAX_PIXELS = 2 * 89_478_485
# What Pillow warns of (odd metadata, many pixels) does no harm, or is raised as an error below.
warnings.filterwarnings("ignore", module=r"PIL\.")

# A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, which is faster than decoding all of it.
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


# What Pillow raises for a damaged file, depending on where the damage is.
_PILLOW_FAILURES = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError, IndexError, KeyError, TypeError, struct.error,
    zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def read_image(
    source: bytes | str | Path, size: int | None = None, resizing: str = STRETCH, *, max_pixels: int = MAX_PIXELS
) -> UInt8[np.ndarray, "h w 3"]:
    """Decode one image file.

    Args:
        source: the path of a file, or its content.
        size: side in pixels of the square to make of it; None keeps all pixels.
        resizing: how a photo of another shape becomes a square: name of a row of RESIZINGS.
        max_pixels: the most that the header may announce, up to MAX_PIXELS. It is checked before decoding.

    Returns:
        RGB, upright (EXIF orientation applied), transparent parts on white; (size, size, 3) where a size is given.
        Of a GIF or TIFF with several frames, the first.

    Raises:
        ImageError: the file is missing, empty, truncated, too large, or not an image that headstart reads. The message
            begins with the path; for bytes, it is the reason alone.
    """
    image = _read(source, size, resizing, max_pixels)
    return image if size is None else resize(image, size, resizing)


@dataclass(frozen=True)
class Header:
    """What a file says about its image before the pixels."""

    format: str  # of the content, whatever the file's name says: one of PILLOW_FORMATS, or MPO
    mode: str  # Pillow's: RGB, L (grey), P (palette), CMYK, I;16, RGBA, ...
    width: int  # pixels, as they are stored
    height: int
    transparent: bool
    animated: bool


def read_header(path: str | Path) -> Header:
    """
    Raises:
        ImageError: the file cannot be opened, or is not an image.
    """
    try:
        check_regular(path)
        with Image.open(path, formats=PILLOW_FORMATS) as image:
            transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            return Header(str(image.format), image.mode, *image.size, transparent, _is_animated(image))
    except _PILLOW_FAILURES as error:  # UnidentifiedImageError is an OSError, too
        raise ImageError(f"'{path}' cannot be read ({error}).") from None


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except _PILLOW_FAILURES:  # a file may be damaged after its first frame, which is all that is decoded
        return True


def read_again(
    path: str | Path, size: int, resizing: str = STRETCH, *, digest: str | None = None
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """`read_image` for a file that could be read when the collection was loaded.

    digest: SHA-256 of its bytes at that time, hexadecimal; None where changes do not matter.

    Raises:
        ImageError: it was changed or moved since.
    """
    try:
        content = _content(path)
        if digest and sha256(content) != digest:
            raise ImageError("has other content now")
        return read_image(content, size, resizing)
    except ImageError as error:
        raise ImageError(
            f"'{path}' {error}. It could be read when the collection was loaded: was it changed or moved?"
        ) from None


def read_thumbnail(source: bytes | str | Path, longest: int) -> UInt8[np.ndarray, "h w 3"]:
    """An image in its own shape, with at most `longest` pixels on its longer side, for display."""
    image = _read(source, longest, PAD, MAX_PIXELS)  # decodes no more pixels than needed
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def from_array(array: Shaped[np.ndarray, "..."]) -> UInt8[np.ndarray, "h w 3"]:
    """Pixels in memory, 0..255 of any numeric type, grey, RGB or RGBA -> RGB.

    Takes the shapes (height, width), (height, width, 1), (height, width, 3) and (height, width, 4).

    Raises:
        ImageError: the shape or the values are not those of an image.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ImageError(
            f"An array of shape {array.shape} is not an image: expected (height, width), (height, width, 3) or "
            f"(height, width, 4). Pass several images as a list, or as one array (count, height, width, 3)."
        )
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.number) or not np.all((array >= 0) & (array <= 255)):
            raise ImageError(
                f"An array of {array.dtype} with values outside 0..255 is not an image: expected pixels from 0 to 255. "
                f"Undo any preprocessing (such as scaling to -1..1) before you predict."
            )
        if np.issubdtype(array.dtype, np.floating) and array.max() <= 1 and array.any():
            raise ImageError(
                "An array of fractions from 0 to 1 was given: expected pixels from 0 to 255. Multiply it by 255."
            )
        array = np.round(array).astype(np.uint8)
    if array.shape[2] == 4:
        return _on_white(Image.fromarray(array, "RGBA"))
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array)


def from_pillow(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """A Pillow image of any mode -> RGB, upright, transparent parts on white.

    Raises:
        ImageError: its file is damaged or truncated, or its pixels have no defined black and white.
    """
    from_png = image.format == "PNG"
    try:
        image.load()
        image = _upright(image)
        if image.mode.startswith("I;16") or (image.mode == "I" and from_png):  # grey, 16 bits a pixel
            grey = (np.asarray(image).astype(np.uint32) * 255 + 32767) // 65535
            return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
        if image.mode in ("I", "F"):
            raise ImageError(
                "holds 32-bit numbers, which have no defined black and white; save it with 8 or 16 bits per pixel"
            )
        if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
            return _on_white(image.convert("RGBA"))
        return np.asarray(image.convert("RGB"))
    except _PILLOW_FAILURES as error:
        raise ImageError(f"is damaged or cut short ({error})") from None


def _read(source: bytes | str | Path, size: int | None, resizing: str, max_pixels: int) -> UInt8[np.ndarray, "h w 3"]:
    """An image in its own shape. Where a size is given, it may be decoded smaller, but large enough to be resized."""
    if isinstance(source, bytes):
        return _decode(source, size, resizing, max_pixels)
    try:
        return _decode(_content(source), size, resizing, max_pixels)
    except ImageError as error:
        raise type(error)(f"'{source}' {error}.") from None


def _content(path: str | Path) -> bytes:
    try:
        return read_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error


def _decode(data: bytes, size: int | None, resizing: str, max_pixels: int) -> UInt8[np.ndarray, "h w 3"]:
    image = _open(data, max_pixels)
    is_jpeg = image.format in ("JPEG", "MPO")  # MPO: several JPEGs in one file, as some phones write
    if is_jpeg and image.mode in ("RGB", "L") and _is_whole_jpeg(data):
        scale = 1 if size is None else min(8, power_of_two(get_resizing(resizing).side(*image.size) / size))
        try:
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[scale])
        except cv2.error:  # Pillow may read it, or says what is wrong
            bgr = None
        if bgr is not None:
            return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return from_pillow(image)


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header only; Pillow decodes the pixels when they are asked for."""
    if not data:
        raise NotAnImageError("is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)
    except UnidentifiedImageError:
        raise NotAnImageError("is not an image that headstart reads (JPEG, PNG, WebP, BMP, GIF, TIFF)") from None
    except Image.DecompressionBombError:
        raise ImageTooLargeError(f"has more than {max_pixels:,} pixels; make it smaller") from None
    except _PILLOW_FAILURES as error:
        raise ImageError(f"has a damaged header ({error})") from None
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(f"has {width} x {height} pixels, more than {max_pixels:,}; make it smaller")
    return image


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether the end marker comes after the last start of a scan. OpenCV fills a truncated photo with grey."""
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. Where the EXIF data is damaged, the pixels may still be fine: they stay as stored."""
    try:
        # most images are upright already, and exif_transpose would copy them
        return image if image.getexif().get(ExifTags.Base.Orientation, 1) == 1 else ImageOps.exif_transpose(image)
    except _PILLOW_FAILURES:
        return image


def _on_white(rgba: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    return np.asarray(white)
