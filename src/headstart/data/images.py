"""bytes | path -> uint8 (height, width, 3), RGB. The only decoder: whoever reads an image reads it here.

JPEG, the common case, goes through OpenCV, which is fast and releases the interpreter lock. All the rest (PNG, WebP,
BMP, GIF, TIFF, and JPEG in CMYK) goes through Pillow, which knows palettes, transparency and 16 bits.
Training, evaluation and prediction read by the same functions, so that a file always gives the same pixels; how a photo
becomes a square is said in `resizing.py`.
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

from headstart.data.resizing import PAD, STRETCH, get_resizing, power_of_two, resize
from headstart.errors import ImageError, ImageTooLargeError, NotAnImageError
from headstart.storage.hashing import sha256

# Files with these endings are taken for images; what a file really is, its content says.
ENDINGS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG",
    ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
SUFFIXES = frozenset(ENDINGS)
# Imported above by name, as Pillow loads some of its formats only on demand.
_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin, BmpImagePlugin, GifImagePlugin, TiffImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")

# Pillow refuses more than twice its warning limit (decompression bombs); the same limit holds here for every format.
MAX_PIXELS = 2 * 89_478_485
# What Pillow warns of (odd metadata, many pixels) is no fault of the picture, or it is raised as an error below.
warnings.filterwarnings("ignore", module=r"PIL\.")

# JPEG can be decoded at a half, a quarter or an eighth of its size, which costs less than decoding all of it.
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


# What Pillow raises for files that are damaged, depending on where.
_PILLOW_FAILURES = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError, IndexError, KeyError, TypeError, struct.error,
    zlib.error, Image.DecompressionBombError,
)  # fmt: skip


def read_image(
    source: bytes | str | Path, size: int | None = None, resizing: str = STRETCH, *, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decode one image file.

    Args:
        source: the path of a file, or its content.
        size: side in pixels of the square to make of it; None keeps all pixels.
        resizing: how a photo of another shape becomes a square: name of a row of RESIZINGS.
        max_pixels: how many the file may say that it has, up to MAX_PIXELS; it is asked before they are decoded.

    Returns:
        uint8 (height, width, 3), RGB, upright (EXIF orientation applied), transparent parts on white;
        (size, size, 3) where a size is given. Of a GIF or TIFF with several frames, the first.

    Raises:
        ImageError: the file is missing, empty, cut short, too large or no image that headstart reads. The message
            begins with its path; of bytes, it is the reason alone.
    """
    image = _read(source, size, resizing, max_pixels)
    return image if size is None else resize(image, size, resizing)


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before its pixels are looked at."""

    format: str  # what the content is, whatever the file's name says: a row of FORMATS
    mode: str  # Pillow's: RGB, L (grey), P (palette), CMYK, I;16, RGBA, ...
    width: int  # pixels, as they are stored
    height: int
    transparent: bool
    animated: bool


def read_header(path: str | Path) -> Header:
    """
    Raises:
        ImageError: the file cannot be opened, or is no image.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            return Header(str(image.format), image.mode, *image.size, transparent, _is_animated(image))
    except _PILLOW_FAILURES as error:  # UnidentifiedImageError is an OSError, too
        raise ImageError(f"'{path}' cannot be looked at ({error}).") from None


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except _PILLOW_FAILURES:  # behind the first frame, which is all that is read, a file may be damaged
        return True


def read_again(path: str | Path, size: int, resizing: str = STRETCH, *, digest: str | None = None) -> np.ndarray:
    """`read_image` of a file that was read when the collection was listed: uint8 (size, size, 3).

    digest: SHA-256 of what it held then, hexadecimal; None where that does not matter.

    Raises:
        ImageError: it was changed or moved since.
    """
    try:
        content = _content(path)
        if digest and sha256(content) != digest:
            raise ImageError("holds something else than a while ago")
        return read_image(content, size, resizing)
    except ImageError as error:
        raise ImageError(f"'{path}' {error}. It could be read a while ago: was it changed or moved?") from None


def read_thumbnail(source: bytes | str | Path, longest: int) -> np.ndarray:
    """One image in its own shape, uint8 (height, width, 3), its longer side at most `longest` pixels: to be shown."""
    image = _read(source, longest, PAD, MAX_PIXELS)  # decoded no larger than it need be
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def from_array(array: np.ndarray) -> np.ndarray:
    """Any usual picture in memory -> uint8 (height, width, 3).

    Takes uint8 (or whole or broken numbers within 0..255) of shape (height, width), (height, width, 1),
    (height, width, 3) in RGB or (height, width, 4) in RGBA.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise ImageError(
            f"An array of shape {array.shape} is no image: expected (height, width), (height, width, 3) or "
            f"(height, width, 4). Pass several images as a list, or as one array (count, height, width, 3)."
        )
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.number) or not np.all((array >= 0) & (array <= 255)):
            raise ImageError(
                f"An array of {array.dtype} with values outside 0..255 is no image: expected pixels from 0 to 255. "
                f"Undo what was done to them (such as scaling to -1..1) before you predict."
            )
        if np.issubdtype(array.dtype, np.floating) and array.max() <= 1 and array.any():
            raise ImageError(
                "An array of broken numbers from 0 to 1 was given: expected pixels from 0 to 255. Multiply it by 255."
            )
        array = np.round(array).astype(np.uint8)
    if array.shape[2] == 4:
        return _on_white(Image.fromarray(array, "RGBA"))
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array)


def from_pillow(image: Image.Image) -> np.ndarray:
    """A Pillow image, of any mode -> uint8 (height, width, 3), RGB, upright, transparent parts on white.

    Raises:
        ImageError: its file is damaged or cut short, or its pixels have no agreed black and white.
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
                "holds 32-bit numbers, which have no agreed black and white; save it with 8 or 16 bits a pixel"
            )
        if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
            return _on_white(image.convert("RGBA"))
        return np.asarray(image.convert("RGB"))
    except _PILLOW_FAILURES as error:
        raise ImageError(f"is damaged or cut short ({error})") from None


def _read(source: bytes | str | Path, size: int | None, resizing: str, max_pixels: int) -> np.ndarray:
    """All of an image, in its own shape; where a size is given, perhaps smaller, but large enough to be resized."""
    if isinstance(source, bytes):
        return _decode(source, size, resizing, max_pixels)
    try:
        return _decode(_content(source), size, resizing, max_pixels)
    except ImageError as error:
        raise type(error)(f"'{source}' {error}.") from None


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        raise ImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error


def _decode(data: bytes, size: int | None, resizing: str, max_pixels: int) -> np.ndarray:
    if not data:
        raise NotAnImageError("is empty (0 bytes)")
    try:
        header = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise NotAnImageError("is no image that headstart reads (JPEG, PNG, WebP, BMP, GIF, TIFF)") from None
    except Image.DecompressionBombError:
        raise ImageTooLargeError(f"has more than {max_pixels:,} pixels; make it smaller") from None
    except _PILLOW_FAILURES as error:
        raise ImageError(f"has a damaged header ({error})") from None
    width, height = header.size
    if width * height > max_pixels:
        raise ImageTooLargeError(f"has {width} x {height} pixels, more than {max_pixels:,}; make it smaller")
    is_jpeg = header.format in ("JPEG", "MPO")  # MPO: several JPEGs in one file, as some phones write
    if is_jpeg and header.mode in ("RGB", "L") and _is_whole_jpeg(data):
        scale = 1 if size is None else min(8, power_of_two(get_resizing(resizing).side(width, height) / size))
        try:
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[scale])
        except cv2.error:
            bgr = None
        if bgr is not None:
            return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return from_pillow(header)  # or it says what is wrong


def _is_whole_jpeg(data: bytes) -> bool:
    """The end marker comes after the last start of a scan. OpenCV fills a photo that is cut short with grey."""
    return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF data says; as it is stored where these are damaged, which the pixels need not be."""
    try:
        # most need not be turned, and then it would make a copy
        return image if image.getexif().get(ExifTags.Base.Orientation, 1) == 1 else ImageOps.exif_transpose(image)
    except _PILLOW_FAILURES:
        return image


def _on_white(rgba: Image.Image) -> np.ndarray:
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    return np.asarray(white)
