"""Photos in other colour spaces than sRGB are converted: the profiles here are computed from their primaries."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from headstart.data.images import read_image, read_thumbnail

SRGB = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])  # to XYZ, D50
DISPLAY_P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
ADOBE_RGB = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])


def profile(matrix: np.ndarray | None, gamma: float, space: bytes = b"RGB ") -> bytes:
    """An ICC profile (ICC.1:2010): the columns of a matrix to XYZ, and an exponent for all channels."""

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">l", round(float(value) * 65536)) for value in values)

    curve = struct.pack(">4sLLH", b"curv", 0, 1, round(gamma * 256)) + b"\0\0"
    name = b"desc" + bytes(4) + struct.pack(">L", 5) + b"test\0" + bytes(79)
    tags = {b"desc": name, b"wtpt": xyz(np.array([0.9642, 1, 0.8249])), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    if matrix is None:
        tags[b"kTRC"] = curve
    else:
        tags |= {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    start, body, table = 132 + 12 * len(tags), b"", struct.pack(">L", len(tags))
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sLL", name, start + len(body), len(content))
        body += content
    head = struct.pack(">L4sL4s4s4s", start + len(body), b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + struct.pack(">3l", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + body


def linear(shades: np.ndarray) -> np.ndarray:
    """sRGB's shades -> light, 0..1 (IEC 61966-2-1)."""
    values = shades / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    """48 x 64 x 3, sRGB, blocks of 8 x 8 of one colour each, none at the border of any space."""
    generator = np.random.default_rng(0)
    return np.kron(generator.integers(60, 200, (6, 8, 3)), np.ones((8, 8, 1), int)).astype(np.uint8)


def encoded(pixels: np.ndarray, icc: bytes, format: str) -> bytes:
    file = io.BytesIO()
    options = {"quality": 98, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    Image.fromarray(pixels).save(file, format, icc_profile=icc, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("matrix", "gamma"), [(DISPLAY_P3, 2.2), (ADOBE_RGB, 2.199), (SRGB, 1.0), (ADOBE_RGB, 1.8)])
def test_colours_become_srgb(colours, format, matrix, gamma):
    light = np.clip(linear(colours.astype(float)) @ (np.linalg.inv(matrix) @ SRGB).T, 0, 1)
    stored = np.round(255 * light ** (1 / gamma)).astype(np.uint8)
    data = encoded(stored, profile(matrix, gamma), format)
    assert np.abs(stored.astype(int) - colours).max() > 10
    assert np.abs(read_image(data).astype(int) - colours).max() <= (8 if gamma == 1 else 4)  # 8 bits of light are few
    assert np.abs(read_thumbnail(data, 64).astype(int) - colours).mean() < 3


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_grey_in_linear_light(colours, format):
    grey = colours[..., 0]
    stored = np.round(255 * linear(grey.astype(float))).astype(np.uint8)
    image = read_image(encoded(stored, profile(None, 1.0, b"GRAY"), format))
    assert np.abs(image.astype(int) - grey[..., None]).max() <= 5


@pytest.mark.parametrize("icc", [
    ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"no profile", bytes(200),
    profile(None, 1.0, b"GRAY")[:150], profile(SRGB, 2.2)[:300],
])  # fmt: skip
def test_srgb_and_damaged_profiles_change_nothing(colours, icc):
    np.testing.assert_array_equal(read_image(encoded(colours, icc, "PNG")), colours)


def test_transparent_parts_stay_on_white(colours):
    rgba = np.dstack([colours, np.full(colours.shape[:2], 255, np.uint8)])
    rgba[:, :8, 3] = 0
    image = read_image(encoded(rgba, profile(SRGB, 1.0), "PNG"))
    assert (image[:, :8] == 255).all()
    assert (image[:, 8:] > colours[:, 8:]).all()


def test_a_profile_of_another_kind_than_the_pixels_is_passed_over(colours):
    cmyk = Image.fromarray(colours).convert("CMYK")
    file = io.BytesIO()
    cmyk.save(file, "TIFF", icc_profile=profile(SRGB, 1.0))
    np.testing.assert_array_equal(read_image(file.getvalue()), np.asarray(cmyk.convert("RGB")))
