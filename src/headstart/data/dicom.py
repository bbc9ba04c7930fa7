"""The bytes of a DICOM file -> a Pillow image of its first frame. pydicom reads it; see the extra `dicom`.

A file with a window (VOI: what a radiologist wants to see as black and white) is read through it. Without one, more
than 8 bits stay as they are, and the range of the collection says what is white.
"""

import logging
import struct
import warnings
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile

from headstart.array_types import Shaped, UInt8, UInt16
from headstart.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset

DICOM = "DICOM"
MISSING = (
    "is a DICOM file, which headstart reads with its extra 'dicom'. Install it: pip install 'headstart[dicom]'; or "
    "save its picture as PNG or TIFF"
)
GREY, INVERTED, PALETTE = ("MONOCHROME1", "MONOCHROME2"), "MONOCHROME1", "PALETTE COLOR"  # photometric interpretations
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
AIR = -1024  # Hounsfield units (CT): nothing is darker
_DECODERS = "pip install python-gdcm; or save it without compression"
# What pydicom raises for damaged files, depending on where the damage is; its own error for what is no DICOM is an
# Exception only.
_FAILURES = (
    OSError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError, AttributeError, RuntimeError,
    AssertionError, struct.error,
)  # fmt: skip
_OF_FRAMES = ("PixelValueTransformationSequence", "FrameVOILUTSequence")  # of files with several frames
warnings.filterwarnings("ignore", module=r"pydicom\.")  # odd values do no harm, or are an error below
logging.getLogger("pydicom").addHandler(logging.NullHandler())


class DicomFile(ImageFile.ImageFile):
    """The first frame, upright; its pixels are decoded when they are asked for.

    bits: of a value, as `Opened.bits`. inverted: whether values say how dark a pixel is. info: `bits` that are used of
    each value, and `camera` and `taken` where they are known.
    """

    format, format_description = DICOM, "DICOM"
    bits, inverted = 16, False

    def _open(self) -> None:
        try:
            self._dataset = _read(self.fp)
            self._describe(self._dataset)
        except _FAILURES as error:
            raise ImageError(f"is a damaged DICOM file ({error})") from None

    def _describe(self, dataset: "Dataset") -> None:
        _check(dataset)
        self._size = dataset.Columns, dataset.Rows
        self._mode = "RGB"
        if dataset.PhotometricInterpretation in GREY:
            is_deep = dataset.BitsStored > 8 and not (_has_window(dataset) or _has_table(dataset))
            self._mode = "I;16" if is_deep else "L"
            self.inverted = is_deep and dataset.PhotometricInterpretation == INVERTED
            self.bits = dataset.BitsStored if is_deep and _keeps_its_bits(dataset) else 16
        self.is_animated = int(dataset.get("NumberOfFrames") or 1) > 1
        self.info = {"bits": dataset.BitsStored, "camera": _camera(dataset), "taken": _taken(dataset)}

    def load(self) -> Any:
        if self._dataset is not None:
            try:
                self.im = Image.fromarray(_decoded(self._dataset, self.mode)).im
            except _FAILURES as error:
                reason = str(error).partition("\n")[2].strip() or error  # that of the first decoder that was tried
                more = f", or needs another decoder: {_DECODERS}" if _is_compressed(self._dataset) else ""
                raise ImageError(f"is damaged or cut short ({reason}){more}") from None
            self._dataset = None
        return Image.Image.load(self)


def _read(file: Any) -> "Dataset":
    try:
        from pydicom import dcmread, uid
    except ImportError:
        raise ImageError(MISSING) from None
    dataset = dcmread(file, force=True)  # old files lack the preamble
    if "TransferSyntaxUID" not in dataset.file_meta:
        is_implicit, is_little = dataset.original_encoding
        explicit = uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if is_implicit else explicit
    for groups in (dataset.get("SharedFunctionalGroupsSequence"), dataset.get("PerFrameFunctionalGroupsSequence")):
        for name in _OF_FRAMES:
            for item in (groups[0].get(name) or [])[:1] if groups else []:
                dataset.update({element.tag: element for element in item})
    return dataset


def _check(dataset: "Dataset") -> None:
    """
    Raises:
        ImageError: it holds no picture, or one that cannot be decoded, or none with a defined black and white.
    """
    from pydicom.pixels.decoders.base import get_decoder

    if "PixelData" not in dataset:
        if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
            raise ImageError("is a DICOM file of fractions, without a defined black and white; save it with 16 bits")
        kind = dataset.get("SOPClassUID")
        name = f": it is a {kind.name.removesuffix(' Storage')}" if kind else ""
        raise ImageError(f"is a DICOM file without a picture{name}. Remove it")
    if dataset.BitsAllocated > 16:
        raise ImageError(
            f"is a DICOM file with {dataset.BitsAllocated} bits a value, without a defined black and white; save it "
            "with 8 or 16"
        )
    if dataset.PhotometricInterpretation not in (*GREY, PALETTE, *COLOUR):
        raise ImageError(
            f"is a DICOM file with the colours {dataset.PhotometricInterpretation}, which headstart does not read; "
            "save its picture as PNG"
        )
    syntax = dataset.file_meta.TransferSyntaxUID
    if _is_compressed(dataset) and not get_decoder(syntax).is_available:
        raise ImageError(
            f"is a DICOM file compressed by {syntax.name}, which pydicom decodes with another library: {_DECODERS}"
        )


def _decoded(dataset: "Dataset", mode: str) -> Shaped[np.ndarray, "..."]:
    """The first frame: uint8 (height, width), uint16 (height, width) where the mode says so, or uint8 RGB."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    values = pixel_array(dataset, index=0)
    if mode == "I;16":
        return _deep(dataset, values)
    if mode == "L":
        shades = _grey(dataset, values)
        return 255 - shades if dataset.PhotometricInterpretation == INVERTED else shades
    if dataset.PhotometricInterpretation == PALETTE:
        colours = apply_color_lut(values, dataset)[..., :3]
        return (colours >> 8).astype(np.uint8) if colours.dtype == np.uint16 else colours
    return _in_8_bits(values, 0, (1 << dataset.BitsStored) - 1)


def _deep(dataset: "Dataset", values: Shaped[np.ndarray, "h w"]) -> UInt16[np.ndarray, "h w"]:
    """What is measured, from nothing on. Slopes below 1 would leave few of the values apart, so they stay."""
    slope, intercept = _rescaling(dataset)
    measured = values * slope + intercept if slope >= 1 else values
    return np.clip(np.round(measured) - _nothing(dataset), 0, 65535).astype(np.uint16)


def _grey(dataset: "Dataset", values: Shaped[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

    if _has_window(dataset):
        limits = apply_windowing(np.array([-1e9, 1e9]), dataset)  # what it makes of black and white
        return _in_8_bits(apply_windowing(apply_modality_lut(values, dataset), dataset), *limits)
    if _has_table(dataset):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return _in_8_bits(apply_voi(apply_modality_lut(values, dataset), dataset), 0, (1 << bits) - 1)
    lowest = -(1 << dataset.BitsStored - 1) if dataset.PixelRepresentation else 0
    return _in_8_bits(values, lowest, lowest + (1 << dataset.BitsStored) - 1)


def _in_8_bits(values: Shaped[np.ndarray, "*shape"], black: float, white: float) -> UInt8[np.ndarray, "*shape"]:
    if values.dtype == np.uint8 and (black, white) == (0, 255):
        return values
    return np.round(np.clip((values - float(black)) / (white - black), 0, 1) * 255).astype(np.uint8)


def _is_compressed(dataset: "Dataset") -> bool:
    return dataset.file_meta.TransferSyntaxUID.is_compressed


def _has_window(dataset: "Dataset") -> bool:
    widths = dataset.get("WindowWidth"), dataset.get("WindowCenter")
    width, centre = (each if isinstance(each, float | int | None) else each[0] for each in widths)
    return centre is not None and width is not None and width >= 1


def _has_table(dataset: "Dataset") -> bool:
    return bool(dataset.get("VOILUTSequence"))


def _rescaling(dataset: "Dataset") -> tuple[float, float]:
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    return (1.0, 0.0) if slope is None or intercept is None else (float(slope), float(intercept))


def _nothing(dataset: "Dataset") -> int:
    """The value that is black."""
    return AIR if dataset.get("Modality") == "CT" or _rescaling(dataset)[1] < 0 else 0


def _keeps_its_bits(dataset: "Dataset") -> bool:
    """Whether its values are those that are stored, so that the bits say what is white."""
    slope, intercept = _rescaling(dataset)
    return dataset.PixelRepresentation == 0 and slope == 1 and intercept == _nothing(dataset)


def _camera(dataset: "Dataset") -> str | None:
    words = (dataset.get("Manufacturer"), dataset.get("ManufacturerModelName"))
    return " ".join(str(word).strip() for word in words if word) or None


def _taken(dataset: "Dataset") -> datetime | None:
    for kind in ("Acquisition", "Content", "Series", "Study"):
        digits = f"{dataset.get(f'{kind}Date') or ''}{dataset.get(f'{kind}Time') or ''}".replace(":", "")
        with suppress(ValueError):
            return datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S")
    return None
