"""The bytes of a JPEG -> its pixels as they are stored, unless a part of them is missing.

libjpeg decodes what is left of a damaged photo, fills the rest with grey, and warns. Neither OpenCV nor Pillow pass the
warning on; simplejpeg does, and gives the same pixels as OpenCV, as fast, without the interpreter lock.
"""

import re

import numpy as np
import simplejpeg

from headstart.array_types import UInt8
from headstart.errors import ImageError

END = b"\xff\xd9"
START_OF_SCAN = 0xDA
# Warnings of libjpeg (jerror.h) after which the pixels are not those of the photo. Others are about odd headers.
_DAMAGE = re.compile(r"premature end|bad Huffman code|bad arithmetic code|instead of RST", re.IGNORECASE)
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker")
_TOO_MANY = 1 / 8  # of the compressed pixels; less than that may be left over by a camera
_ZEROS = 64  # bytes of 0 in a row. A flat picture may be written so, but then none are left over
_SLACK = 16  # bytes that the decoder may have read ahead


def decode_jpeg(data: bytes, width: int, height: int, *, scale: int = 1) -> UInt8[np.ndarray, "h w 3"] | None:
    """
    Args:
        width, height: as its header has them.
        scale: 1, 2, 4 or 8: decode only one pixel of so many, rounded up, which is faster.

    Returns:
        RGB, not yet turned upright; None: it is a JPEG of a kind that is decoded otherwise.

    Raises:
        ImageError: a part of the pixels is missing.
    """
    least = {"min_width": -(-width // scale), "min_height": -(-height // scale)} if scale > 1 else {}
    whole = _ended(data)
    try:
        return simplejpeg.decode_jpeg(whole, "RGB", strict=True, **least)
    except ValueError as error:
        _check(str(error), whole)
    try:
        return simplejpeg.decode_jpeg(whole, "RGB", strict=False, **least)
    except ValueError:
        return None


def check_print_jpeg(data: bytes) -> None:
    """The same check for a JPEG in CMYK.

    Raises:
        ImageError: a part of the pixels is missing.
    """
    whole = _ended(data)
    try:
        simplejpeg.decode_jpeg(whole, "CMYK", min_factor=8, strict=True)
    except ValueError as error:
        _check(str(error), whole)


def depth_and_coding(data: bytes) -> tuple[int, str]:
    """Bits a value, and how the pixels are coded, from the header of the frame; (8, "usual") where there is none."""
    for marker, start in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            lossless, arithmetic = marker in (0xC3, 0xC7, 0xCB, 0xCF), marker > 0xC8
            return data[start + 2], "lossless" if lossless else "arithmetic" if arithmetic else "usual"
    return 8, "usual"


def _ended(data: bytes) -> bytes:
    """With the mark of the end, which many webcams leave out."""
    return data if data.endswith(END) else data + END


def _check(warning: str, data: bytes) -> None:
    """
    Raises:
        ImageError: libjpeg's warning about a JPEG means that pixels are missing.
    """
    extraneous = _EXTRANEOUS.search(warning)
    if _DAMAGE.search(warning) or (extraneous and _was_filled(data, int(extraneous[1]))):
        raise ImageError(f"is damaged or cut short: a part of the picture is missing ({warning})")


def _was_filled(data: bytes, left_over: int) -> bool:
    """Whether bytes that a decoder did not need are what remains of a filling, with which it went on as with a photo.

    A recovered or half copied file has zeros from some place on. Zeros that only follow the photo do no harm.
    """
    scan = next((start for marker, start in _segments(data) if marker == START_OF_SCAN), 0)
    end = data.find(END, scan)
    compressed = data[scan : end if end > 0 else None]
    zeros = max((len(run) for run in re.findall(rb"\0{%d,}" % _ZEROS, compressed)), default=0)
    if zeros >= left_over:
        return zeros > left_over + _SLACK
    return left_over > _TOO_MANY * len(compressed)


def _segments(data: bytes):
    """(marker, where its content begins) up to the compressed pixels."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # may fill
            at += 1
            continue
        yield marker, at + 2
        if marker == START_OF_SCAN:
            return
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
