"""Pixels in the colours of an ICC profile -> sRGB, which pretrained networks were trained on.

Phones write Display P3, cameras Adobe RGB, raw converters ProPhoto or linear light: read as sRGB, their photos are too
pale or too dark. LittleCMS converts; most profiles are sRGB by another name, which is found out once for each.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from headstart.array_types import UInt8

SAME = 3  # shades by which a colour may differ from sRGB's: the profiles of several makers do
MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
KEPT = 32  # transforms in memory; a collection has a few profiles


def in_srgb(image: Image.Image) -> Image.Image:
    """An image in RGB, grey or CMYK -> the same in sRGB. Unchanged where it has no profile, or a damaged one."""
    profile = image.info.get("icc_profile")
    transform = _transform(profile) if profile else None
    if transform is None:
        return image
    mode, to_srgb = transform
    if (image.mode == "CMYK") != (mode == "CMYK"):  # it is of another image
        return image
    return to_srgb.apply(image.convert(mode))


def pixels_in_srgb(pixels: UInt8[np.ndarray, "h w 3"], profile: bytes | None) -> UInt8[np.ndarray, "h w 3"]:
    """The same for decoded pixels. profile: the content of an ICC profile."""
    if not profile or _transform(profile) is None:
        return pixels
    image = Image.fromarray(pixels)
    image.info["icc_profile"] = profile
    return np.asarray(in_srgb(image))


@lru_cache(maxsize=KEPT)
def _transform(profile: bytes) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """Pillow's mode of the colours, and what makes sRGB of them; None where there is nothing to do, or no way."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        described: Any = opened.profile
        mode = MODE_OF_SPACE.get(described.xcolor_space.strip())
        if mode is None:
            return None
        transform = ImageCms.buildTransform(
            opened,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode != "CMYK" and _changes_nothing(transform, mode) else (mode, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # the pixels are read as sRGB then
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    shades = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(shades, shades, shades), axis=-1).reshape(1, -1, 3)
    colours = shades[None] if mode == "L" else grid
    image = Image.fromarray(colours)
    before, after = np.asarray(image.convert("RGB"), np.int16), np.asarray(transform.apply(image), np.int16)
    return bool(np.abs(after - before).max() <= SAME)
