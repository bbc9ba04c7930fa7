"""Image files -> headers: what files say about their images before the pixels. Decodes no pixels, knows no labels."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from headstart.concurrency import cpu_budget
from headstart.data.dicom import DICOM
from headstart.data.images import TRANSPARENT, open_header
from headstart.errors import ImageError
from headstart.features.executors.base import Executor
from headstart.storage.locations import Fetched, map_fetched

OF_A_TASK = 2_000  # files
# The mean of the luminance table that the JPEG standard (ITU-T T.81, annex K.1) suggests; libjpeg scales it.
MEAN_OF_STANDARD_TABLE = 57.625
BITS_OF_MODE = {"1": 1, "I": 32, "F": 32, "I;16": 16, "I;16B": 16, "I;16L": 16}  # Pillow's modes; all others have 8
BITS_PER_SAMPLE = 258  # tag of TIFF
EXIF_DATE = "%Y:%m:%d %H:%M:%S"
# What Pillow raises for damaged metadata: the pixels may be fine all the same.
DAMAGED_METADATA = (OSError, ValueError, SyntaxError, EOFError, OverflowError, IndexError, KeyError, TypeError)


@dataclass(frozen=True)
class Header:
    """What a file says about its image before the pixels."""

    format: str  # of the content, whatever the file's name says: one of PILLOW_FORMATS, or MPO
    mode: str  # Pillow's: RGB, L (grey), P (palette), CMYK, I;16, RGBA, ...
    width: int  # pixels, as they are stored
    height: int
    transparent: bool
    animated: bool
    bits: int = 8  # per channel, as they are stored
    quality: int | None = None  # of a JPEG: on libjpeg's scale, 1 to 100, estimated from its quantization table
    camera: str | None = None  # maker and model, from EXIF
    taken: datetime | None = None  # from EXIF


def read_headers(paths: Sequence[str], executor: Executor | None = None) -> list[Header]:
    """
    executor: who reads them, some thousands at a time; by default this process, on all cores.

    Raises:
        ImageError: a file was changed or moved since the collection was read.
    """
    if executor:
        tasks = (tuple(paths[start : start + OF_A_TASK]) for start in range(0, len(paths), OF_A_TASK))
        return [header for found in executor.map(read_headers, tasks) for header in found]
    with ThreadPoolExecutor(cpu_budget()) as pool:
        return list(map_fetched(pool, read_header, paths))


def read_header(path: str | Path, content: Fetched = None) -> Header:
    """
    content: gives its bytes, where they were fetched already, see `locations.fetched`.

    Raises:
        ImageError: the file cannot be opened, or is not an image.
    """
    try:
        with open_header(path, content) as image:
            return Header(
                format=str(image.format),
                mode=image.mode,
                width=image.width,
                height=image.height,
                transparent=image.mode in TRANSPARENT or "transparency" in image.info,
                animated=_is_animated(image),
                bits=_bits(image),
                quality=_quality(image),
                **_origin(image),
            )
    except ImageError as error:
        raise type(error)(f"'{path}' {error}.") from None


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False)) and image.format not in ("MPO", "HEIF")
    except DAMAGED_METADATA:  # a file may be damaged after its first frame, which is all that is decoded
        return True


def _bits(image: Image.Image) -> int:
    """A PNG says it in Pillow's raw mode, such as RGB;16B or L;4, and a TIFF in a tag."""
    if image.format == DICOM:
        return image.info["bits"]
    if image.format == "TIFF":
        with suppress(*DAMAGED_METADATA):
            return int(np.max(image.getexif()[BITS_PER_SAMPLE]))  # one number, or one for each channel
    tiles = getattr(image, "tile", None)  # of an image that is open, but not decoded yet
    raw_mode = str(tiles[0].args if tiles else "")
    bits = raw_mode.partition(";")[2].rstrip("BLN") if image.format == "PNG" else ""
    return int(bits) if bits.isdecimal() else BITS_OF_MODE.get(image.mode, 8)


def _quality(image: Image.Image) -> int | None:
    """libjpeg multiplies the standard's table by 50 / quality, or from 50 on by 2 - quality / 50 (jcparam.c)."""
    tables = getattr(image, "quantization", None)
    if not tables or image.format not in ("JPEG", "MPO"):
        return None
    scale = float(np.mean(tables[min(tables)])) / MEAN_OF_STANDARD_TABLE
    return round(min(max(50 / scale if scale > 1 else 100 - 50 * scale, 1), 100))


def _origin(image: Image.Image) -> dict:
    """`camera` and `taken`, where DICOM says them, or EXIF data that can be read."""
    if image.format == DICOM:
        return {name: image.info[name] for name in ("camera", "taken")}
    if "exif" not in image.info and image.format != "TIFF":
        return {}
    with suppress(*DAMAGED_METADATA):
        tags = image.getexif()
        details = tags.get_ifd(ExifTags.IFD.Exif)
        words = [str(tags.get(tag, "")).strip(" \0") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)]
        moment = details.get(ExifTags.Base.DateTimeOriginal) or tags.get(ExifTags.Base.DateTime)
        return {"camera": " ".join(filter(None, words)) or None, "taken": _moment(moment)}
    return {}


def _moment(text: object) -> datetime | None:
    with suppress(ValueError):  # cameras whose clock was never set write zeros or spaces
        return datetime.strptime(str(text).strip(" \0"), EXIF_DATE)
    return None
