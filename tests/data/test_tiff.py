"""TIFFs of all forms, written here byte by byte, give the pixels that they hold, or say what they hold instead."""

import contextlib
import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.images import highest_value, read_image
from headstart.data.value_range import ValueRange
from headstart.errors import ImageError
from headstart.inspection.headers import read_header
from support.orientation import as_stored

Tags = dict[int, tuple[int, ...]]
PLACES = {273: 279, 324: 325}


def written(*pages: tuple[Tags, Sequence[bytes]], order: str = "<", big: bool = False, inside: bool = False) -> bytes:
    """A TIFF of pages: tags, and the bytes of the strips. inside: the later pages are below the first one."""
    offset, kind, count = ("Q", 16, "Q") if big else ("L", 4, "H")
    head = (
        struct.pack(f"{order}2sHHH", b"II" if order == "<" else b"MM", 43, 8, 0)
        if big
        else struct.pack(f"{order}2sH", b"II" if order == "<" else b"MM", 42)
    )
    body, start = b"", len(head) + struct.calcsize(f"{order}{offset}")
    entries = []
    for tags, strips in pages:
        places = []
        for strip in strips:
            places.append(start + len(body))
            body += strip
        entries.append(tags | {273: tuple(places), 279: tuple(map(len, strips))})
    size = struct.calcsize(f"{order}{offset}")
    following, first = 0, 0
    for number, tags in reversed(list(enumerate(entries))):
        body += bytes(-(start + len(body)) % 8)
        arrays = b""
        if inside and number == 0 and following:
            tags, following = tags | {330: (following,)}, 0
        first = start + len(body)
        after = first + struct.calcsize(f"{order}{count}") + len(tags) * (4 + 2 * size) + size
        body += struct.pack(f"{order}{count}", len(tags))
        for tag, values in sorted(tags.items()):
            packed = struct.pack(f"{order}{len(values)}{offset}", *values)
            body += struct.pack(f"{order}HH{offset}", tag, kind, len(values))
            body += packed if len(values) == 1 else struct.pack(f"{order}{offset}", after + len(arrays))
            arrays += packed if len(values) > 1 else b""
        body += struct.pack(f"{order}{offset}", following) + arrays
        following = first
    return head + struct.pack(f"{order}{offset}", first) + body


def page(pixels: np.ndarray, *, order: str = "<", compressed: bool = False, planar: bool = False, **tags: int):
    """Of grey (height, width) or (height, width, samples), of any type; two strips for each plane."""
    height, width = pixels.shape[:2]
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = -(-height // 2)
    planes = [pixels[..., sample] for sample in range(samples)] if planar else [pixels]
    strips = [
        plane[top : top + rows].astype(pixels.dtype.newbyteorder("<" if order == "<" else ">")).tobytes()
        for plane in planes
        for top in range(0, height, rows)
    ]
    kind = {"u": 1, "i": 2, "f": 3, "c": 6}[pixels.dtype.kind]
    described = {
        256: (width,), 257: (height,), 258: (8 * pixels.dtype.itemsize,) * samples, 259: (8 if compressed else 1,),
        262: (1 if samples < 3 else 2,), 277: (samples,), 278: (rows,), 284: (2 if planar else 1,),
        339: (kind,) * samples,
    }  # fmt: skip
    described |= {int(tag.removeprefix("tag")): (value,) for tag, value in tags.items()}
    return described, [zlib.compress(strip) if compressed else strip for strip in strips]


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    """24 x 40, a different colour in each corner."""
    y, x = np.mgrid[0:24, 0:40]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 5], axis=2).astype(np.uint8)


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("planar", [False, True])
def test_eight_and_sixteen_bits_in_every_order(colours, order, big, compressed, planar):
    for pixels, low in ((colours, 1), (colours.astype(np.uint16) * 257, 257)):
        form = {"order": order, "compressed": compressed}
        data = written(page(pixels, planar=planar, **form), order=order, big=big)
        np.testing.assert_array_equal(read_image(data), colours)
        grey = np.repeat(colours[..., :1], 3, axis=2)
        black = written(page(pixels[..., 0], **form), order=order, big=big)
        np.testing.assert_array_equal(read_image(black), grey)
        inverted = (255 * low - pixels[..., 0]).astype(pixels.dtype)
        white = written(page(inverted, tag262=0, **form), order=order, big=big)
        np.testing.assert_array_equal(read_image(white), grey, "white is zero")


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_images_are_upright(colours, planar, orientation):
    stored = np.asarray(as_stored(Image.fromarray(colours), orientation)).astype(np.uint16) * 257
    data = written(page(stored, planar=planar, tag274=orientation))
    np.testing.assert_array_equal(read_image(data), colours)
    grey = written(page(65535 - stored[..., 0], tag262=0, tag274=orientation))
    np.testing.assert_array_equal(read_image(grey)[..., 0], colours[..., 0])


@pytest.mark.parametrize("planar", [False, True])
def test_a_fourth_band_is_transparency_only_where_it_is_said_to_be(colours, planar):
    four = np.dstack([colours, np.zeros(colours.shape[:2], np.uint8)]).astype(np.uint16) * 257
    np.testing.assert_array_equal(read_image(written(page(four, planar=planar, tag338=0))), colours)
    assert (read_image(written(page(four, planar=planar, tag338=2))) == 255).all()


@pytest.mark.parametrize("planar", [False, True])
def test_fewer_bits_than_sixteen(colours, planar):
    """12 bits in 16: every value counts, not only the half of it that Pillow keeps."""
    values = colours.astype(np.uint16) * 16 + 7
    data = written(page(values, planar=planar))
    assert highest_value(data) == values.max()
    expected = np.round(values / 4095 * 255)
    assert np.abs(read_image(data, value_range=ValueRange(0, 4095)) - expected).max() <= 0.5
    assert read_image(data).max() <= 16
    window = read_image(data, value_range=ValueRange(1000, 2000))
    assert (window[values <= 1000] == 0).all()
    assert (window[values >= 2000] == 255).all()


def test_a_thumbnail_before_the_photo(colours, tmp_path):
    large = np.tile(colours, (5, 5, 1))
    forms: list[dict[str, Any]] = [{"inside": True}, {"inside": False}, {"big": True}, {"order": ">"}]
    for form in forms:
        order = form.get("order", "<")
        thumbnail, photo = page(colours, order=order, tag254=1), page(large, order=order)
        np.testing.assert_array_equal(read_image(written(thumbnail, photo, **form)), large)
        np.testing.assert_array_equal(read_image(written(page(colours, order=order), photo, **form)), large, "unsaid")
        np.testing.assert_array_equal(read_image(written(photo, thumbnail, **form)), large, "after it, as in a pyramid")
    (tmp_path / "x.tif").write_bytes(written(page(colours, tag254=1), page(large)))
    assert (read_header(tmp_path / "x.tif").width, read_header(tmp_path / "x.tif").height) == (200, 120)
    other = page(np.tile(colours, (5, 9, 1)))
    np.testing.assert_array_equal(
        read_image(written(page(colours), other)), colours, "another picture is no photo of it"
    )


def test_a_raw_file_is_not_answered_by_its_preview(colours):
    mosaic = np.tile(colours[..., 0].astype(np.uint16), (5, 5))
    for data in (
        written(page(colours, tag254=1), page(mosaic, tag262=32803), inside=True),  # Nikon, Sony
        written(page(mosaic, tag262=32803), page(colours, tag254=1)),  # Pentax
        written(page(colours, tag50706=1)),  # DNG
        b"II*\0\x10\0\0\0CR\2\0" + written(page(colours))[12:],  # Canon
    ):
        with pytest.raises(ImageError, match=r"camera's raw file.* develop it|damaged header"):
            read_image(data)


@pytest.mark.parametrize(("dtype", "name"), [
    (np.float64, "64-bit numbers .float64"), (np.float32, "float32"), (np.float16, "float16"), (np.int16, "int16"),
    (np.uint32, "uint32"), (np.int8, "int8"), (np.complex64, "complex64"),
])  # fmt: skip
def test_numbers_without_black_and_white_are_named(colours, dtype, name):
    with pytest.raises(ImageError, match=rf"{name}.*save it as unsigned"):
        read_image(written(page(colours[..., 0].astype(dtype))))


def test_bands_and_compressions_are_named(colours):
    with pytest.raises(ImageError, match="TIFF of 5 bands of 8 bits; expected grey, RGB or RGBA"):
        read_image(written(page(np.dstack([colours, colours])[..., :5], tag262=1)))
    with pytest.raises(ImageError, match=r"compressed by WebP.*save it with LZW"):
        read_image(written(page(colours, tag259=50001)))
    with pytest.raises(ImageError, match="BigTIFF in big-endian order"):
        read_image(written(page(colours, order=">"), order=">", big=True))


def test_a_bitmap_whose_transparency_is_zero_everywhere_is_opaque(colours):
    """32 bits with a mask for alpha, which the program that wrote it left empty (BITMAPV4HEADER)."""
    height, width = colours.shape[:2]
    bgra = np.dstack([colours[..., ::-1], np.zeros((height, width), np.uint8)])[::-1]
    masks = struct.pack("<4L", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000)
    header = struct.pack("<LllHHLLllLL", 108, width, height, 1, 32, 3, bgra.size, 0, 0, 0, 0) + masks + bytes(52)
    data = b"BM" + struct.pack("<LLL", 14 + 108 + bgra.size, 0, 14 + 108) + header + bgra.tobytes()
    assert Image.open(io.BytesIO(data)).mode == "RGBA"
    np.testing.assert_array_equal(read_image(data), colours)
    bgra = bgra.copy()
    bgra[0, :, 3] = 255
    partly = read_image(data[: 14 + 108] + bgra.tobytes())
    np.testing.assert_array_equal(partly[-1], colours[-1])
    assert (partly[:-1] == 255).all()


@settings(max_examples=300, derandomize=True)
@given(st.data())
def test_damage_anywhere_gives_a_picture_or_a_reason(data):
    colours = np.arange(20 * 30 * 3, dtype=np.uint16).reshape(20, 30, 3) * 30
    thumbnail = page(colours[:10, :15].astype(np.uint8), tag254=1)
    damaged = bytearray(written(thumbnail, page(colours, planar=True), inside=data.draw(st.booleans())))
    directories = len(damaged) - 500
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 12) | st.integers(directories, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    cut = data.draw(st.none() | st.integers(0, len(damaged)))
    with contextlib.suppress(ImageError):
        assert read_image(bytes(damaged[:cut]), 16).shape == (16, 16, 3)
