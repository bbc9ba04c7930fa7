"""The bytes of an image file -> its header, and a Pillow image whose pixels are not decoded yet.

Whatever is no image, or not one that headstart reads, is told here, by what was found.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from headstart.data import formats, jpeg, tiff
from headstart.data.dicom import DICOM, DicomFile
from headstart.errors import ImageError, ImageTooLargeError, NotAnImageError

HEIF = "HEIF"
PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000")
# Imported by name, as Pillow loads some of its formats only on demand.
_PLUGINS = (
    AvifImagePlugin, BmpImagePlugin, GifImagePlugin, Jpeg2KImagePlugin, JpegImagePlugin, PngImagePlugin,
    TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip

# What Pillow raises for a damaged file, depending on where the damage is.
PILLOW_FAILURES = (
    OSError, ValueError, SyntaxError, EOFError, OverflowError, IndexError, KeyError, TypeError, struct.error,
    zlib.error, RuntimeError, Image.DecompressionBombError,
)  # fmt: skip

_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")  # of PNG: what was written about a picture, and its profile
_MANY = 64 * 1024  # bytes; XMP, which can hold the orientation, has less


@dataclass(frozen=True)
class Opened:
    """An image file.

    image: with header and metadata; Pillow decodes the pixels when they are asked for.
    content: the bytes that it was opened from: those of the file, or those of its page with the photo.
    page: of a TIFF.
    bits: of a value; 16 where the file does not say how many of them are used.
    inverted: whether values say how dark a pixel is.
    """

    image: Image.Image
    content: bytes
    page: tiff.Page | None = None
    bits: int = 16
    inverted: bool = False


def open_image(data: bytes, max_pixels: int) -> Opened:
    """Read the header only.

    Raises:
        ImageError: it is none of an image that headstart reads, or of more pixels than `max_pixels`.
    """
    if not data:
        raise NotAnImageError("is empty (0 bytes)")
    page = None
    if formats.format_of(data[: formats.HEAD]) == "TIFF":
        page = tiff.photo_page(data)
        data = page.content
    try:
        image = _open(data)
    except UnidentifiedImageError:
        raise _unidentified(data) from None
    except Image.DecompressionBombError:
        raise ImageTooLargeError(f"has more than {max_pixels:,} pixels; make it smaller") from None
    except PILLOW_FAILURES as error:
        raise ImageError(f"has a damaged header ({error})") from None
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLargeError(f"has {width} x {height} pixels, more than {max_pixels:,}; make it smaller")
    if isinstance(image, DicomFile):
        return Opened(image, data, bits=image.bits, inverted=image.inverted)
    return Opened(image, data, page, page.bits, page.inverted) if page else Opened(image, data)


def reopened(opened: Opened) -> ImageFile.ImageFile:
    """The image once more, to decode it in another way."""
    return _open(opened.content)


def _open(data: bytes) -> ImageFile.ImageFile:
    name = formats.format_of(data[: formats.HEAD])
    if name == HEIF:
        return _heif_opener()(io.BytesIO(data))
    if name == DICOM:
        return DicomFile(io.BytesIO(data))
    try:
        return Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)
    except ValueError:  # Pillow limits the size of texts, which are no part of the picture
        if name != "PNG":
            raise
        return Image.open(io.BytesIO(_without_long_texts(data)), formats=PILLOW_FORMATS)


def _heif_opener() -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(
            "is a HEIC photo, which headstart reads with its extra 'heif'. Install it: pip install 'headstart[heif]'; "
            "or save the photo as JPEG"
        ) from None
    return HeifImageFile


def _unidentified(data: bytes) -> ImageError:
    """Why Pillow knows nothing of a file."""
    name = formats.format_of(data[: formats.HEAD])
    if name is None:
        found = formats.described(data)
        known = f": it is {found}" if found else f" ({formats.READ})"
        return NotAnImageError(f"is not an image that headstart reads{known}")
    if name == "JPEG":
        bits, coding = jpeg.depth_and_coding(data)
        if (bits, coding) != (8, "usual"):
            kind = f"with {bits} bits a value" if bits != 8 else f"with {coding} coding"
            return ImageError(f"is a JPEG {kind}, which headstart does not read; save it as PNG or TIFF")
    if name == "TIFF":
        return ImageError(
            f"is a TIFF of {tiff.described_page(data)}; expected grey, RGB or RGBA with 8 or 16 bits, or a palette"
        )
    return ImageError(f"begins as {name}, but has a damaged header")


def _without_long_texts(png: bytes) -> bytes:
    """A PNG without the chunks that may unpack to a text of any length (PNG, 5.3: length, type, data, CRC)."""
    parts, at = [png[:8]], 8
    while at + 8 <= len(png):
        length, kind = struct.unpack(">L4s", png[at : at + 8])
        after = at + 12 + length
        if kind not in _TEXT_CHUNKS or (kind == b"iTXt" and _is_short(png[at + 8 : after - 4])):
            parts.append(png[at:after])
        at = after
    return b"".join(parts)


def _is_short(text: bytes) -> bool:
    """Of the content of an iTXt chunk (PNG, 11.3.4.5: keyword, 0, is it compressed, ...)."""
    return len(text) <= _MANY and text.partition(b"\0")[2][:1] == b"\0"
