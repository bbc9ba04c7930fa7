"""Formats besides JPEG: HEIC, AVIF and JPEG 2000 give near pixels; texts of any size do no harm."""

import io
import os
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from pillow_heif import register_heif_opener

from headstart.data.formats import FORMAT_OF_SUFFIX, format_of, is_meant_as_image
from headstart.data.images import read_image
from headstart.errors import ImageError
from headstart.inspection.headers import read_header

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "HEIF"]


@pytest.fixture(scope="module")
def photo(cells) -> Image.Image:
    """240 x 160, darker to the right, so that turns can be told."""
    grey = np.asarray(Image.open(cells["functional"][0]).convert("L").resize((240, 160)), np.float32)
    return Image.fromarray((np.linspace(1, 0.2, 240) * grey).astype(np.uint8)).convert("RGB")


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    if format == "HEIF":
        register_heif_opener()  # also teaches Pillow to write
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_known_by_its_first_bytes_and_read(photo, format, tmp_path):
    data = encoded(photo, format, **({"quality": 95} if format in ("JPEG", "AVIF", "WEBP", "HEIF") else {}))
    assert format_of(data[:256]) == format
    image = read_image(data)
    assert image.shape == (160, 240, 3)
    assert np.abs(image.astype(int) - np.asarray(photo)).mean() < 3
    file = tmp_path / "photo"
    file.write_bytes(data)
    assert is_meant_as_image(file)
    assert (read_header(file).format, read_header(file).width) == (format, 240)
    assert read_image(file, 32).shape == (32, 32, 3)


@pytest.mark.parametrize("format", ["HEIF", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.8])
def test_what_is_cut_short_is_noticed(photo, format, cut):
    data = encoded(photo, format)
    with pytest.raises(ImageError, match=r"cut short|damaged|not an image"):
        read_image(data[: int(len(data) * cut)], 32)


@pytest.mark.parametrize("format", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_phones_turn_photos_by_a_tag(photo, format, orientation):
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = photo.transpose(turn[orientation]) if orientation in turn else photo.copy()
    image = read_image(encoded(stored, format, quality=95, exif=exif.tobytes()))
    assert image.shape == (160, 240, 3)
    assert np.abs(image.astype(int) - np.asarray(photo)).mean() < 3


def test_without_the_extra_a_heic_photo_says_how_to_read_it(photo, monkeypatch):
    data = encoded(photo, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"is a HEIC photo.*pip install 'headstart\[heif\]'"):
        read_image(data)


@pytest.mark.parametrize("compressed", [True, False])
def test_text_of_any_size_is_no_damage(photo, compressed, tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 5_000_000, zip=compressed)
    info.add_itxt("XML:com.adobe.xmp", "x" * 3_000_000, zip=compressed)
    exif = Image.Exif()
    exif[0x0112] = 3
    stored = photo.transpose(Image.Transpose.ROTATE_180)
    data = encoded(stored, "PNG", pnginfo=info, exif=exif)
    np.testing.assert_array_equal(read_image(data), np.asarray(photo))
    (tmp_path / "x.png").write_bytes(data)
    assert read_header(tmp_path / "x.png").width == 240
    with pytest.raises(ImageError, match=r"cut short|damaged"):
        read_image(data[: len(data) - 2000])


def test_profiles_of_any_size_are_no_damage(photo):
    large = zlib.compress(bytes(3_000_000))
    content = b"large\0\0" + large
    chunk = len(content).to_bytes(4, "big") + b"iCCP" + content + zlib.crc32(b"iCCP" + content).to_bytes(4, "big")
    data = encoded(photo, "PNG")
    np.testing.assert_array_equal(read_image(data[:33] + chunk + data[33:]), np.asarray(photo))
    jpeg = encoded(photo, "JPEG", icc_profile=bytes(500_000), comment=b"x" * 60_000)
    assert np.abs(read_image(jpeg).astype(int) - np.asarray(photo)).mean() < 3


@pytest.mark.parametrize("name", ["x.heic", "x.HEIC", "x.avif", "x.jp2", "x.MPO", "x.JPG"])
def test_endings_of_images_need_no_look_inside(name, tmp_path):
    assert is_meant_as_image(tmp_path / name)


@pytest.mark.parametrize("name", ["x.arw", "x.thm", "x.jpg.crdownload", "x.jpg~", "notes", "pipe"])
def test_what_is_no_photo_of_the_collection(name, tmp_path, photo):
    if name == "pipe":
        os.mkfifo(tmp_path / name)  # reading it would wait
    else:
        (tmp_path / name).write_bytes(b"words" if name == "notes" else encoded(photo, "JPEG"))
    assert not is_meant_as_image(tmp_path / name)


def test_every_ending_belongs_to_a_format_that_is_read():
    assert set(FORMAT_OF_SUFFIX.values()) == {*FORMATS, "DICOM"}  # which test_dicom.py reads
