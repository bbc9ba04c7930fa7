"""Bytes or a path -> RGB pixels, uint8 (height, width, 3). The only decoder in headstart. Knows no labels, no models.

`jpeg.py` decodes JPEG, the common case, Pillow the rest: it knows palettes and transparency. Training, evaluation and
prediction call the same functions, so a file always gives the same pixels. `resizing.py` makes squares of photos.
"""

import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image

from headstart.array_types import Shaped, UInt8, UInt16
from headstart.data import formats
from headstart.data.colour_profiles import in_srgb, pixels_in_srgb
from headstart.data.deep import deep_values, range_in
from headstart.data.dicom import DICOM
from headstart.data.jpeg import check_print_jpeg, decode_jpeg
from headstart.data.opening import PILLOW_FAILURES, Opened, open_image
from headstart.data.resizing import PAD, STRETCH, get_resizing, power_of_two, resize
from headstart.data.value_range import FULL, ValueRange, to_shades
from headstart.errors import ImageError
from headstart.storage.hashing import sha256
from headstart.storage.locations import Fetched, is_url, read
from headstart.storage.regular import check_regular
from headstart.storage.urls import split_member

# Pillow refuses more than twice the size that it warns of (decompression bombs); this limit holds for every format.
MAX_PIXELS = 2 * 89_478_485
# What Pillow warns of (odd metadata, many pixels) does no harm, or is raised as an error below.
warnings.filterwarnings("ignore", module=r"PIL\.")
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")  # modes of Pillow


class Reading(NamedTuple):
    """An image that was read. highest: its highest value if it has 16 bits a value, None if it has 8."""

    pixels: UInt8[np.ndarray, "h w 3"]
    highest: int | None


def read_image(
    source: bytes | str | Path,
    size: int | None = None,
    resizing: str = STRETCH,
    *,
    value_range: ValueRange = FULL,
    max_pixels: int = MAX_PIXELS,
) -> UInt8[np.ndarray, "h w 3"]:
    """Decode one image file.

    Args:
        source: the path of a file, or its content.
        size: side in pixels of the square to make of it; None keeps all pixels.
        resizing: how a photo of another shape becomes a square: name of a row of RESIZINGS.
        value_range: what is black and white in an image with 16 bits a value.
        max_pixels: the most that the header may announce, up to MAX_PIXELS. It is checked before decoding.

    Returns:
        sRGB, upright (EXIF orientation applied), transparent parts on white; (size, size, 3) where a size is given.
        Of a GIF or TIFF with several frames, the first.

    Raises:
        ImageError: the file is missing, empty, truncated, too large, or not an image that headstart reads. The message
            begins with the path; for bytes, it is the reason alone.
    """
    return read_with_values(source, size, resizing, value_range=value_range, max_pixels=max_pixels).pixels


def read_with_values(
    source: bytes | str | Path,
    size: int | None = None,
    resizing: str = STRETCH,
    *,
    value_range: ValueRange = FULL,
    max_pixels: int = MAX_PIXELS,
) -> Reading:
    """`read_image`, and what its highest value is."""
    read = _read(source, size, resizing, max_pixels, value_range)
    return read if size is None else read._replace(pixels=resize(read.pixels, size, resizing))


def open_header(path: str | Path, content: Fetched = None) -> Image.Image:
    """An image as Pillow opens it, without its pixels. Of a JPEG file, which can be large, only the header is read.

    content: gives its bytes, where they were fetched already, see `locations.fetched`.

    Raises:
        ImageError: the file cannot be opened, or is not an image.
    """
    if is_url(str(path)) or split_member(str(path))[1]:
        return open_image(_content(path, content), MAX_PIXELS).image
    try:
        check_regular(path)
    except OSError as error:
        raise ImageError(f"cannot be opened: {error.strerror or error}") from error
    with suppress(*PILLOW_FAILURES), Path(path).open("rb") as file:  # what is wrong is found below
        if formats.format_of(file.read(formats.HEAD)) == "JPEG":
            return Image.open(file, formats=["JPEG"])
    return open_image(_content(path), MAX_PIXELS).image


def read_again(
    path: str | Path,
    size: int | None,
    resizing: str = STRETCH,
    *,
    value_range: ValueRange = FULL,
    digest: str | None = None,
    content: Fetched = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """`read_image` for a file that could be read when the collection was loaded.

    digest: SHA-256 of its bytes at that time, hexadecimal; None where changes do not matter.
    content: gives its bytes, where they were fetched already, see `locations.fetched`.

    Raises:
        ImageError: it was changed or moved since.
    """
    try:
        data = _content(path, content)
        if digest and sha256(data) != digest:
            raise ImageError("has other content now")
        return read_image(data, size, resizing, value_range=value_range)
    except ImageError as error:
        raise ImageError(
            f"'{path}' {error}. It could be read when the collection was loaded: was it changed or moved?"
        ) from None


def read_thumbnail(
    source: bytes | str | Path, longest: int, *, value_range: ValueRange = FULL, content: Fetched = None
) -> UInt8[np.ndarray, "h w 3"]:
    """An image in its own shape, with at most `longest` pixels on its longer side, for display.

    content: gives the bytes of `source`, where they were fetched already, see `locations.fetched`.
    """
    image = _read(source, longest, PAD, MAX_PIXELS, value_range, content).pixels  # decodes no more pixels than needed
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


def from_pillow(image: Image.Image, *, value_range: ValueRange = FULL) -> Reading:
    """A Pillow image of any mode -> sRGB, upright, transparent parts on white.

    Raises:
        ImageError: its file is damaged or truncated, or its pixels have no defined black and white.
    """
    try:
        image.load()
    except PILLOW_FAILURES as error:
        raise _damaged(error) from None
    return _pixels(Opened(image, b""), value_range)


def highest_value(data: bytes) -> int | None:
    """The highest value of an image file with 16 bits a value that does not say how many of them it uses; None: others.

    Raises:
        ImageError: it is damaged.
    """
    if formats.format_of(data[: formats.HEAD]) not in ("TIFF", "PNG", "JPEG2000", DICOM):
        return None
    opened = open_image(data, MAX_PIXELS)
    if range_in(opened, FULL) != FULL:
        return None
    try:
        values = deep_values(opened)
    except PILLOW_FAILURES as error:
        raise _damaged(error) from None
    return None if values is None else _highest(values)


def _highest(values: UInt16[np.ndarray, "h w samples"]) -> int:
    return int(values[..., :3].max(initial=0))


def _read(
    source: bytes | str | Path,
    size: int | None,
    resizing: str,
    max_pixels: int,
    value_range: ValueRange,
    content: Fetched = None,
) -> Reading:
    """An image in its own shape. Where a size is given, it may be decoded smaller, but large enough to be resized."""
    if isinstance(source, bytes):
        return _decode(source, size, resizing, max_pixels, value_range)
    try:
        return _decode(_content(source, content), size, resizing, max_pixels, value_range)
    except ImageError as error:
        raise type(error)(f"'{source}' {error}.") from None


def _content(path: str | Path, fetched: Fetched = None) -> bytes:
    try:
        if fetched:
            return fetched()
        return read(str(path))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error


def _decode(data: bytes, size: int | None, resizing: str, max_pixels: int, value_range: ValueRange) -> Reading:
    opened = open_image(data, max_pixels)
    image = opened.image
    if image.format in ("JPEG", "MPO"):  # MPO: several JPEGs in one file, as some phones write
        if image.mode in ("RGB", "L"):
            scale = 1 if size is None else min(8, power_of_two(get_resizing(resizing).side(*image.size) / size))
            pixels = decode_jpeg(data, *image.size, scale=scale)
            if pixels is not None:
                pixels = pixels_in_srgb(pixels, image.info.get("icc_profile"))
                return Reading(_turned(pixels, _orientation(image)), None)
        else:
            check_print_jpeg(data)
    return _pixels(opened, value_range)


def _pixels(opened: Opened, value_range: ValueRange) -> Reading:
    """What Pillow decodes, in any mode -> sRGB, upright."""
    try:
        image, highest = _shades(opened, value_range)
        if image.mode in ("I", "F"):
            raise ImageError(
                "holds 32-bit numbers, which have no defined black and white; save it with 8 or 16 bits per pixel"
            )
        # Pillow turns a TIFF when it decodes it
        pixels = _turned(_rgb(image, opened.image.format), 1 if opened.page else _orientation(opened.image))
        return Reading(pixels, highest)
    except PILLOW_FAILURES as error:
        raise _damaged(error) from None


def _shades(opened: Opened, value_range: ValueRange) -> tuple[Image.Image, int | None]:
    """The decoded image, with 8 bits a value, and its highest value if it has 16: where it says itself how many of them
    it uses, the highest of the range."""
    image = opened.image
    values = deep_values(opened)
    if values is None:
        image.load()
        return image, None
    shades = to_shades(values, range_in(opened, value_range))
    if opened.inverted:
        shades = 255 - shades
    if shades.shape[2] == 4 and image.mode != "RGBA":  # a fourth band that is not said to be transparency
        shades = shades[..., :3]
    result = Image.fromarray(np.ascontiguousarray(shades[..., 0] if shades.shape[2] == 1 else shades))
    result.info = image.info
    return result, _highest(values) if opened.bits == 16 else value_range.high


def _rgb(image: Image.Image, format: str | None) -> UInt8[np.ndarray, "h w 3"]:
    if image.mode in TRANSPARENT or "transparency" in image.info:
        return _on_white(image, is_bmp=format == "BMP")
    if image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    return np.asarray(in_srgb(image).convert("RGB"))


def _damaged(error: Exception) -> ImageError:
    return ImageError(f"is damaged or cut short ({error})")


# Each EXIF orientation that is not upright (EXIF 2.32, 4.6.4): are height and width exchanged, and which axes are
# mirrored then
_TURNS = {
    2: (False, (1,)), 3: (False, (0, 1)), 4: (False, (0,)),
    5: (True, ()), 6: (True, (1,)), 7: (True, (0, 1)), 8: (True, (0,)),
}  # fmt: skip


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation. Where the EXIF data is damaged, the pixels may still be fine: they stay as stored."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except PILLOW_FAILURES:
        return 1


def _turned(pixels: UInt8[np.ndarray, "h w 3"], orientation: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Upright."""
    if orientation not in _TURNS:
        return pixels
    exchanged, mirrored = _TURNS[orientation]
    return np.ascontiguousarray(np.flip(pixels.swapaxes(0, 1) if exchanged else pixels, mirrored))


def _on_white(image: Image.Image, *, is_bmp: bool = False) -> UInt8[np.ndarray, "h w 3"]:
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    colours = rgba.convert("RGB")
    colours.info = image.info
    if is_bmp and alpha.getextrema() == (0, 0):  # programs that know no transparency leave it at 0
        return np.asarray(in_srgb(colours))
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(in_srgb(colours), mask=alpha)
    return np.asarray(white)
