"""DICOM: windows, rescaling, inverted and coloured pictures, frames; what cannot be read says why."""

import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.uid import JPEG2000Lossless, RLELossless

import headstart as hs
from headstart.data.formats import format_of, is_meant_as_image
from headstart.data.images import highest_value, read_image, read_thumbnail
from headstart.data.value_range import ValueRange
from headstart.errors import DatasetError, ImageError, ImageTooLargeError
from headstart.inspection.headers import read_header
from support.dicom_files import dicom, item

TWELVE = ValueRange(0, 4095)


@pytest.fixture(scope="module")
def grey(cells) -> np.ndarray:
    return np.asarray(Image.open(cells["functional"][0]).convert("L").resize((60, 40)))


def shades(data: bytes, **settings) -> np.ndarray:
    """int (height, width), of a picture that is grey."""
    image = read_image(data, **settings).astype(int)
    assert (image[..., 0] == image[..., 2]).all()
    return image[..., 0]


@pytest.mark.parametrize("is_padded", [True, False])
def test_eight_bits_are_what_they_are_whatever_the_file_is_called(grey, is_padded, tmp_path):
    data = dicom(grey, is_padded=is_padded, Manufacturer="ACME", ManufacturerModelName="CT 5", StudyDate="20200103")
    np.testing.assert_array_equal(shades(data), grey)
    np.testing.assert_array_equal(255 - shades(dicom(grey, PhotometricInterpretation="MONOCHROME1")), grey)
    assert format_of(data[:256]) == "DICOM"
    for name in ("IM000001", "x.dcm", "x.dicom", "1.2.840.113"):
        (tmp_path / name).write_bytes(data)
        assert is_meant_as_image(tmp_path / name)
    header = read_header(tmp_path / "x.dcm")
    assert (header.format, header.mode, header.width, header.height, header.bits) == ("DICOM", "L", 60, 40, 8)
    assert (header.camera, header.taken, header.animated) == ("ACME CT 5", datetime(2020, 1, 3), False)
    assert highest_value(data) is None
    assert read_thumbnail(data, 30).shape == (20, 30, 3)


def test_a_file_that_is_also_a_tiff_is_dicom(grey):
    data = b"II*\0" + bytes(124) + dicom(grey)[128:]
    assert format_of(data[:256]) == "DICOM"
    np.testing.assert_array_equal(shades(data), grey)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_window_says_what_is_black_and_white(grey, inverted):
    hounsfield = grey.astype(np.int16) * 8 - 1000
    kind: dict[str, Any] = {"PhotometricInterpretation": "MONOCHROME1"} if inverted else {}
    window: dict[str, Any] = {"WindowCenter": ["40", "500"], "WindowWidth": ["400", "2000"]}  # the first counts
    stored = dicom((hounsfield + 1024).astype(np.uint16), BitsStored=12, RescaleSlope="1", RescaleIntercept="-1024",
                   **window, **kind)  # fmt: skip
    expected = np.clip((hounsfield + 160) / 400, 0, 1) * 255
    found = shades(stored, value_range=TWELVE)
    assert np.abs((255 - found if inverted else found) - expected).max() <= 2
    np.testing.assert_array_equal(found, shades(stored))  # whatever the range of the collection
    assert highest_value(stored) is None
    signed = dicom(hounsfield, **window, **kind)
    assert np.abs(shades(signed) - found).max() <= 1


def test_the_window_of_a_file_of_frames(grey):
    frames = np.stack([grey, 255 - grey]).astype(np.uint16) * 10
    shared = item(FrameVOILUTSequence=item(WindowCenter="1275", WindowWidth="2550"))
    data = dicom(frames, NumberOfFrames=2, SharedFunctionalGroupsSequence=shared)
    assert np.abs(shades(data) - grey.astype(int)).max() <= 1


@pytest.mark.parametrize("inverted", [False, True])
def test_without_a_window_values_are_those_of_the_collection(grey, inverted):
    kind: dict[str, Any] = {"PhotometricInterpretation": "MONOCHROME1"} if inverted else {}
    values = grey.astype(np.uint16) * 16
    twelve, unknown = dicom(values, BitsStored=12, **kind), dicom(values, **kind)
    expected = np.round(values / 4095 * 255)
    for found in (shades(twelve), shades(unknown, value_range=TWELVE)):
        assert np.abs((255 - found if inverted else found) - expected).max() <= 1
    assert highest_value(twelve) is None, "it says itself that it has 12 bits"
    assert highest_value(unknown) == values.max()
    air = dicom(values.astype(np.int16) - 1024, Modality="CT")  # Hounsfield units
    assert highest_value(air) == values.max()
    assert np.abs(shades(air, value_range=TWELVE) - expected).max() <= 1


def test_a_table_says_the_shades(grey):
    inverse = np.arange(255, -1, -1, dtype=np.uint16)
    table = item(LUTDescriptor=[256, 0, 8], LUTData=inverse.tobytes())
    table[0]["LUTData"].VR = "OW"
    np.testing.assert_array_equal(shades(dicom(grey, VOILUTSequence=table)), 255 - grey)


def test_colours_palettes_and_frames(grey, cells):
    colour = np.stack([grey, grey // 2, 255 - grey], axis=2)
    np.testing.assert_array_equal(read_image(dicom(colour)), colour)
    channel = {"": np.arange(256), "g": np.arange(256) // 2, "b": 255 - np.arange(256)}
    tables: dict[str, Any] = {}
    for name, values in zip(("Red", "Green", "Blue"), channel.values(), strict=True):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{name}PaletteColorLookupTableData"] = (values.astype(np.uint16) << 8).tobytes()
    palette = dicom(grey, PhotometricInterpretation="PALETTE COLOR", **tables)
    np.testing.assert_array_equal(read_image(palette), colour)
    film = dicom(np.stack([grey, 255 - grey]), NumberOfFrames=2)
    np.testing.assert_array_equal(shades(film), grey)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_files(grey, syntax):
    if syntax == RLELossless:
        data = dicom(grey, syntax=syntax)
    else:
        data = Path(str(get_testdata_file("MR_small_jp2klossless.dcm"))).read_bytes()
        grey = shades(Path(str(get_testdata_file("MR_small.dcm"))).read_bytes())
    np.testing.assert_array_equal(shades(data), grey)


@pytest.mark.parametrize(("name", "expected"), [
    ("MR_small_jpeg_ls_lossless.dcm", r"compressed by JPEG-LS Lossless.*pip install python-gdcm"),
    ("JPGExtended.dcm", r"12-bit precision.*pip install python-gdcm"),
    ("rtplan.dcm", r"without a picture: it is a RT Plan"), ("rtdose.dcm", r"with 32 bits a value"),
    ("MR_truncated.dcm", r"damaged or cut short.*less than expected"),
])  # fmt: skip
def test_what_cannot_be_read_says_why(name, expected):
    with pytest.raises(ImageError, match=expected):
        read_image(Path(str(get_testdata_file(name))))


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_what_is_cut_short_is_noticed(grey, share):
    for data in (dicom(grey), dicom(grey.astype(np.uint16) * 16, WindowCenter="100", WindowWidth="300")):
        with pytest.raises(ImageError, match=r"cut short|damaged|without a picture|not an image|JPEG, PNG"):
            read_image(data[: int(len(data) * share)])


def test_too_many_pixels_are_refused_before_they_are_decoded(grey):
    with pytest.raises(ImageTooLargeError, match="60 x 40 pixels, more than 1,000"):
        read_image(dicom(grey), max_pixels=1000)


@pytest.mark.parametrize("form", ["folder", "zip", "csv"])
def test_a_collection_of_dicom_files(cells, tmp_path, form):
    root = tmp_path / "scans"
    rows = ["path,label"]
    for label, paths in cells.items():
        (root / label).mkdir(parents=True)
        for number, path in enumerate(paths[:12]):
            pixels = np.asarray(Image.open(path).convert("L").resize((48, 48)), np.uint16) * 16
            (root / label / f"IM{number:04}").write_bytes(dicom(pixels))
            rows.append(f"scans/{label}/IM{number:04},{label}")
    (root / "DICOMDIR").write_bytes(dicom(np.zeros((9, 9), np.uint8)))
    data = {"folder": root, "zip": tmp_path / "scans.zip", "csv": tmp_path / "list.csv"}[form]
    if form == "csv":
        data.write_text("\n".join(rows))
    if form == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            for file in root.rglob("IM*"):
                archive.write(file, file.relative_to(tmp_path))
    dataset = hs.load_dataset(data, listener=hs.Quiet())
    assert len(dataset) == 24
    assert dataset.value_range == TWELVE


def test_without_the_extra_the_message_names_it(cells, tmp_path, grey, monkeypatch):
    data = dicom(grey)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImageError, match=r"is a DICOM file.*pip install 'headstart\[dicom\]'"):
        read_image(data)
    for label, suffix in (("a", "png"), ("b", "dcm")):
        (tmp_path / label).mkdir()
        for number, path in enumerate(cells["functional"][:4]):
            content = data if suffix == "dcm" else Path(path).read_bytes()
            (tmp_path / label / f"{number}.{suffix}").write_bytes(content)
    with pytest.raises(DatasetError, match=r"class 'b' .*can be read[^$]*DICOM.*headstart\[dicom\]"):
        hs.load_dataset(tmp_path, listener=hs.Quiet())
