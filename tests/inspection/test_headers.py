"""What files say about their images before the pixels."""

import io
import struct
from datetime import datetime

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from headstart.errors import ImageError
from headstart.inspection.headers import read_header
from support.planted import tiles

MOMENT = datetime(2021, 3, 4, 5, 6, 7)


def exif(moment: str = "2021:03:04 05:06:07") -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Make], tags[ExifTags.Base.Model] = "Canon", "EOS 5D"
    tags[ExifTags.Base.DateTime] = "2022:01:01 00:00:00" if moment[:2] == "20" else moment  # of the last change
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = moment
    return tags


@pytest.mark.parametrize("quality", [20, 49, 50, 51, 75, 90, 100])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_quality_of_a_jpeg(tmp_path, quality, mode):
    tiles()[0].convert(mode).save(tmp_path / "pillow.jpg", quality=quality)
    cv2.imwrite(str(tmp_path / "opencv.jpg"), np.asarray(tiles()[0].convert(mode)), [cv2.IMWRITE_JPEG_QUALITY, quality])
    for name in ("pillow.jpg", "opencv.jpg"):
        found = read_header(tmp_path / name).quality
        assert found is not None
        assert abs(found - quality) <= 1


@pytest.mark.parametrize(
    ("mode", "ending", "bits"),
    [
        ("RGB", "png", 8), ("L", "png", 8), ("I;16", "png", 16), ("1", "png", 1), ("L", "jpg", 8), ("L", "tif", 8),
        ("I;16", "tif", 16), ("RGB", "tif", 8), ("1", "tif", 1), ("RGB", "webp", 8), ("RGB", "bmp", 8),
    ],
)  # fmt: skip
def test_bits(tmp_path, mode, ending, bits):
    Image.new(mode, (9, 7)).save(tmp_path / f"image.{ending}")
    header = read_header(tmp_path / f"image.{ending}")
    assert (header.bits, header.width, header.height) == (bits, 9, 7)
    assert (header.quality is None) == (ending != "jpg")


def test_sixteen_bits_in_colour(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((4, 4, 3), np.uint16))
    assert (read_header(tmp_path / "deep.png").mode, read_header(tmp_path / "deep.png").bits) == ("RGB", 16)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_camera_and_date(tmp_path, ending):
    Image.new("RGB", (8, 8)).save(tmp_path / f"a.{ending}", exif=exif())
    header = read_header(tmp_path / f"a.{ending}")
    # Pillow writes no details into a TIFF
    assert (header.camera, header.taken) == ("Canon EOS 5D", datetime(2022, 1, 1) if ending == "tif" else MOMENT)


@pytest.mark.parametrize("moment", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "yesterday"])
def test_a_clock_that_was_never_set(tmp_path, moment):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif(moment))
    assert (read_header(tmp_path / "a.jpg").camera, read_header(tmp_path / "a.jpg").taken) == ("Canon EOS 5D", None)


def test_damaged_exif_data_is_no_damaged_photo(tmp_path):
    whole = io.BytesIO()
    Image.new("RGB", (8, 8)).save(whole, "JPEG", exif=exif())
    content, place = whole.getvalue(), whole.getvalue().index(b"Exif\0\0") + 6
    for number in range(0, 60, 3):  # a wrong byte order, wrong offsets, wrong counts and types of tags
        broken = content[: place + number] + struct.pack("<I", 0xFFFFFFF0) + content[place + number + 4 :]
        (tmp_path / "broken.jpg").write_bytes(broken)
        assert read_header(tmp_path / "broken.jpg").width == 8


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "is empty"), (b"words", "is not an image that headstart reads"), (None, "cannot be opened")],
)
def test_no_image(tmp_path, content, what):
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\.jpg' {what}"):
        read_header(tmp_path / "a.jpg")
