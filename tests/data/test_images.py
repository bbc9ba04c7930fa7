"""Decoding and resizing: every format, mode and orientation gives the same upright RGB picture, or one clear reason."""

import contextlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.images import from_array, from_pillow, read_image, read_thumbnail
from headstart.data.resizing import resize
from headstart.errors import ImageError
from support.orientation import as_stored


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """40 x 24, smooth, with a different colour in each corner, so that turns and mirrors can be told."""
    y, x = np.mgrid[0:24, 0:40]
    return Image.fromarray(np.stack([x * 6, y * 10, 255 - x * 3 - y * 5], axis=2).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


LOSSLESS = [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})]


@pytest.mark.parametrize(("format", "options"), LOSSLESS)
def test_lossless_formats_give_the_very_pixels(picture, format, options):
    np.testing.assert_array_equal(read_image(encoded(picture, format, **options)), np.asarray(picture))


@pytest.mark.parametrize(
    "options", [{"quality": 98}, {"quality": 98, "progressive": True}, {"quality": 98, "exif": b""}]
)
def test_jpeg_is_near(picture, options):
    image = read_image(encoded(picture, "JPEG", subsampling=0, **options))
    assert np.abs(image.astype(int) - np.asarray(picture)).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_of_the_camera_is_applied(picture, orientation, format):
    stored = as_stored(picture, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 98, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    image = read_image(encoded(stored, format, exif=exif, **options))
    assert image.shape == (24, 40, 3)
    assert np.abs(image.astype(int) - np.asarray(picture)).mean() < 2


def test_modes_become_rgb(picture):
    grey = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(read_image(encoded(picture.convert("L"), "PNG")), np.repeat(grey[..., None], 3, 2))
    palette = picture.quantize(64)
    np.testing.assert_array_equal(read_image(encoded(palette, "PNG")), np.asarray(palette.convert("RGB")))
    black_and_white = picture.convert("1")
    assert set(np.unique(read_image(encoded(black_and_white, "TIFF")))) == {0, 255}


def test_transparent_parts_lie_on_white():
    rgba = np.zeros((4, 6, 4), np.uint8)
    rgba[:, :3] = (10, 20, 30, 255)
    for format in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True, "exact": True} if format == "WEBP" else {}
        image = read_image(encoded(Image.fromarray(rgba), format, **options))
        assert (image[:, :3] == (10, 20, 30)).all()
        assert (image[:, 3:] == 255).all(), "black would be a colour that nobody painted"
    grey_alpha = Image.fromarray(rgba).convert("LA")
    assert (read_image(encoded(grey_alpha, "PNG"))[:, 3:] == 255).all()


def test_palette_with_a_transparent_colour_lies_on_white(picture):
    palette = picture.quantize(8)
    transparent = int(np.asarray(palette)[0, 0])
    image = read_image(encoded(palette, "PNG", transparency=transparent))
    assert (image[np.asarray(palette) == transparent] == 255).all()


@pytest.mark.parametrize("format", [".png", ".tif"])
def test_sixteen_bits_are_scaled_to_eight(format):
    ramp = np.linspace(0, 65535, 50, dtype=np.uint16)[None].repeat(3, axis=0)
    expected = np.round(ramp / 257).astype(int)
    grey = read_image(cv2.imencode(format, ramp)[1].tobytes())
    assert np.abs(grey[..., 0].astype(int) - expected).max() <= 1
    colour = read_image(cv2.imencode(format, ramp[..., None].repeat(3, axis=2))[1].tobytes())
    assert np.abs(colour[..., 1].astype(int) - expected).max() <= 1


def test_cmyk_jpeg(picture):
    image = read_image(encoded(picture.convert("CMYK"), "JPEG", quality=98, subsampling=0))
    assert np.abs(image.astype(int) - np.asarray(picture)).mean() < 3


def test_first_frame_of_an_animation(picture):
    other = Image.new("RGB", picture.size, (255, 0, 0))
    for format in ("GIF", "TIFF", "WEBP"):
        options = {"lossless": True} if format == "WEBP" else {}
        file = io.BytesIO()
        picture.quantize(256).convert("RGB").save(file, format, save_all=True, append_images=[other], **options)
        assert np.abs(read_image(file.getvalue()).astype(int) - np.asarray(picture)).mean() < 12


def test_what_is_no_image_says_why(picture, tmp_path):
    jpeg, png = encoded(picture, "JPEG"), encoded(picture, "PNG")
    for data, reason in [
        (b"", "is empty"),
        (b"these are words", "is not an image"),
        (b"%PDF-1.4 and so on", "is not an image .* PDF"),
        (b"<!DOCTYPE html><html>404", "is not an image .* web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is not an image .*git lfs pull"),
        (bytes(1000), "is not an image .* filled with zeros"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(99), "is not an image .* video"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), "is not an image .* raw file"),
        (bytes(128) + b"DICM" + bytes(99), "is a DICOM file without a picture"),
        (bytes(range(256)), r"is not an image that headstart reads \(JPEG"),
        (jpeg[: len(jpeg) * 9 // 10], "cut short"),
        (jpeg[:-9], "cut short"),
        (png[: len(png) // 2], "cut short"),
        (png[:20], "damaged|not an image"),
        (encoded(picture.convert("F"), "TIFF"), "32-bit"),
    ]:
        with pytest.raises(ImageError, match=reason):
            read_image(data)
    with pytest.raises(ImageError, match="cannot be opened: No such file"):
        read_image(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="cannot be opened"):
        read_image(tmp_path)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "BMP", "PNG"])
def test_every_format_that_is_cut_short_is_noticed(cells, format, cut):
    data = encoded(Image.open(cells["functional"][1]), format)
    with pytest.raises(ImageError, match=r"cut short|damaged|not an image"):
        read_image(data[: int(len(data) * cut)], 32)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.99])
def test_a_real_photo_that_is_cut_short_is_noticed(cells, cut):
    photo = Image.open(cells["functional"][0]).convert("RGB")
    for options in ({}, {"progressive": True}):
        data = encoded(photo, "JPEG", **options)
        with pytest.raises(ImageError, match="cut short"):
            read_image(data[: int(len(data) * cut)], 32)


def test_a_picture_that_unpacks_to_a_giant_is_refused():
    """A PNG of 50,000 x 50,000 pixels, black: a few bytes that would fill 7.5 GB."""
    import struct
    import zlib

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(ImageError, match="more than 178,956,970 pixels"):
        read_image(bomb)


@settings(max_examples=150, derandomize=True)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"]), st.data())
def test_damage_anywhere_gives_a_picture_or_a_reason(format, data):
    """Bytes changed at random, the EXIF data among them: never another exception."""
    y, x = np.mgrid[0:20, 0:30]
    exif = Image.Exif()
    exif[0x0112] = 6
    original = encoded(Image.fromarray(np.stack([x * 8, y * 10, x + y], 2).astype(np.uint8)), format, exif=exif)
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ImageError):
        assert read_image(bytes(damaged), 16).shape == (16, 16, 3)


def test_damaged_exif_does_not_spoil_the_picture(picture):
    data = encoded(picture, "PNG", exif=b"Exif\0\0garbage here")
    np.testing.assert_array_equal(read_image(data), np.asarray(picture))


def test_trailing_bytes_after_a_jpeg_do_no_harm(picture):
    data = encoded(picture, "JPEG")
    np.testing.assert_array_equal(read_image(data + b"\0" * 100), read_image(data))
    np.testing.assert_array_equal(read_image(data + b"\xff\xda junk"), np.asarray(Image.open(io.BytesIO(data))))


@settings(max_examples=60, derandomize=True)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40))
def test_resize_gives_the_size_and_keeps_a_flat_colour(height, width, size):
    image = np.full((height, width, 3), (9, 100, 250), np.uint8)
    assert (resize(image, size) == (9, 100, 250)).all()
    assert resize(image, size).shape == (size, size, 3)


def test_resizing_a_large_photo_looks_at_all_of_it():
    """Fine black and white stripes are grey from afar; without averaging they would be all black or all white."""
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resize(stripes, 40).astype(int) - 127).max() <= 1


def test_reduced_decoding_of_jpeg_is_near_to_full_decoding(cells):
    photo = Image.open(cells["defective"][5]).convert("RGB").resize((900, 700))
    data = encoded(photo, "JPEG", quality=95)
    for size in (32, 96, 160, 224, 600):
        difference = read_image(data, size).astype(int) - resize(read_image(data), size)
        assert np.abs(difference).mean() < 1.5


def test_arrays(picture):
    pixels = np.asarray(picture)
    np.testing.assert_array_equal(from_array(pixels), pixels)
    np.testing.assert_array_equal(from_array(pixels.astype(np.float32)), pixels)
    np.testing.assert_array_equal(from_array(pixels.astype(np.int64)), pixels)
    np.testing.assert_array_equal(from_array(pixels[..., 0]), pixels[..., :1].repeat(3, axis=2))
    np.testing.assert_array_equal(from_array(np.dstack([pixels, np.full((24, 40), 255, np.uint8)])), pixels)
    np.testing.assert_array_equal(from_pillow(picture).pixels, pixels)
    for wrong, reason in [
        (pixels / 255.0, "from 0 to 1"),
        (pixels / 127.5 - 1, "outside 0..255"),
        (np.full((4, 4), np.nan), "outside 0..255"),
        (pixels[None], "as a list"),
        (np.zeros((0, 4, 3)), "not an image"),
        (np.array([["a"]]), "outside 0..255"),
    ]:
        with pytest.raises(ImageError, match=reason):
            from_array(wrong)


def test_thumbnail_keeps_the_shape(picture):
    data = encoded(picture, "PNG")
    assert read_thumbnail(data, 20).shape == (12, 20, 3)
    assert read_thumbnail(data, 100).shape == (24, 40, 3)
    assert read_thumbnail(encoded(picture.resize((2000, 2)), "PNG"), 100).shape == (1, 100, 3)


def test_reading_changes_nothing(cells):
    path: Path = cells["functional"][0]
    before = path.read_bytes(), path.stat().st_mtime_ns
    read_image(path, 160)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
