"""JPEGs as cameras, networks and broken disks leave them: all pixels, or a message that some are missing."""

import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from headstart.data.images import read_image
from headstart.data.jpeg import depth_and_coding
from headstart.errors import ImageError
from headstart.inspection.headers import read_header

FORMS = [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}, {"optimize": True}]


@pytest.fixture(scope="module")
def photo(cells) -> Image.Image:
    return Image.open(cells["functional"][0]).convert("RGB")


def encoded(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92, **options)
    return file.getvalue()


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("size", [None, 32, 100])
def test_the_pixels_are_those_of_other_decoders(photo, options, size):
    data = encoded(photo, **options)
    bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    np.testing.assert_array_equal(read_image(data), bgr[..., ::-1])
    np.testing.assert_array_equal(read_image(data), np.asarray(Image.open(io.BytesIO(data))))
    np.testing.assert_array_equal(read_image(data[:-2], size), read_image(data, size))  # as many webcams write it


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("size", [None, 32])
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_picture_of_which_a_part_is_missing_is_damaged(photo, options, size, cut):
    data = encoded(photo, **options)
    kept = data[: int(len(data) * cut)]
    rest = len(data) - len(kept)
    for damaged in (
        kept,
        kept + b"\xff\xd9",  # as tools leave it that repair only the end
        kept + bytes(rest),  # an unfinished download, a recovered card
        kept + bytes(rest) + b"\xff\xd9",
        kept + b"\xff" * rest,
    ):
        with pytest.raises(ImageError, match="a part of the picture is missing"):
            read_image(damaged, size)


def test_a_hole_is_damage(photo):
    data = encoded(photo)
    middle = len(data) // 2
    with pytest.raises(ImageError, match="a part of the picture is missing"):
        read_image(data[:middle] + bytes(1024) + data[middle + 1024 :])


def test_a_damaged_print_jpeg(photo):
    data = encoded(photo.convert("CMYK"))
    assert read_image(data).shape == (*photo.size[::-1], 3)
    with pytest.raises(ImageError, match="a part of the picture is missing"):
        read_image(data[: len(data) // 2] + b"\xff\xd9")


def test_what_follows_the_picture_does_no_harm(photo):
    """Zeros before the end, as some cameras fill a block; a film after it; a second photo (MPO)."""
    data = encoded(photo)
    for more in (data[:-2] + bytes(300) + data[-2:], data + bytes(5000), data + b"ftypmp42" * 999, data + data[:2000]):
        np.testing.assert_array_equal(read_image(more), read_image(data))


def test_a_flat_picture_is_written_with_many_zeros():
    flat = Image.new("RGB", (640, 640), (255, 255, 255))
    flat.paste((200, 10, 10), (0, 0, 64, 64))
    data = encoded(flat, optimize=True)
    assert bytes(64) in data or b"\x00" * 16 in data
    for whole in (data, data[:-2]):
        assert np.abs(read_image(whole).astype(int) - np.asarray(flat)).mean() < 2


def with_xmp(orientation: int) -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/></rdf:RDF>'
        f"</x:xmpmeta>"
    ).encode()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_that_only_xmp_tells_is_applied_alike(photo, orientation):
    from PIL import PngImagePlugin

    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = photo.transpose(turn[orientation]) if orientation in turn else photo
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", with_xmp(orientation).decode())
    png = io.BytesIO()
    stored.save(png, "PNG", pnginfo=info)
    np.testing.assert_array_equal(read_image(png.getvalue()), np.asarray(photo))
    jpeg = read_image(encoded(stored, xmp=with_xmp(orientation), subsampling=0))
    assert np.abs(jpeg.astype(int) - np.asarray(photo)).mean() < 3


def test_the_header_of_a_frame(photo, tmp_path):
    data = encoded(photo)
    assert depth_and_coding(data) == (8, "usual")
    assert depth_and_coding(data[:30]) == (8, "usual")
    frame = data.index(b"\xff\xc0")
    twelve = data[: frame + 4] + b"\x0c" + data[frame + 5 :]
    assert depth_and_coding(twelve) == (12, "usual")
    with pytest.raises(ImageError, match="12 bits a value"):
        read_image(twelve)
    lossless = data[: frame + 1] + b"\xc3" + data[frame + 2 :]
    assert depth_and_coding(lossless) == (8, "lossless")
    (tmp_path / "x.jpg").write_bytes(data)
    assert (read_header(tmp_path / "x.jpg").width, read_header(tmp_path / "x.jpg").format) == (photo.width, "JPEG")
