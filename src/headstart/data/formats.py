"""The first bytes of a file, and its name -> which image format it is, or in words what else. Decodes nothing.

A file's content decides. Its ending tells whether it is meant as an image, which matters where it cannot be read.
"""

import re
from pathlib import Path

# A file with one of these endings is expected to be an image, in Pillow's name for the format, or DICOM.
FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
    ".png": "PNG", ".apng": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF",
    ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF", ".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF",
    ".dcm": "DICOM", ".dicom": "DICOM",
    ".jp2": "JPEG2000", ".j2k": "JPEG2000", ".j2c": "JPEG2000", ".jpc": "JPEG2000", ".jpx": "JPEG2000",
}  # fmt: skip
READ = "JPEG, PNG, WebP, BMP, GIF, TIFF, HEIC, AVIF, JPEG 2000, DICOM"

_RAW = "a camera's raw file, which holds no finished picture: develop it to JPEG, PNG or TIFF"
_VIDEO = "a video: save some of its frames as JPEG or PNG"
_OTHER_PICTURE = "which headstart does not read: save it as PNG or JPEG"
# Files that hold pictures which headstart does not read. A class that has no others is no class by mistake.
UNREAD_SUFFIXES = {
    **dict.fromkeys(
        (".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf",
         ".raw", ".rw2", ".sr2", ".srw", ".x3f"), _RAW),
    **dict.fromkeys((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm", ".wmv"), _VIDEO),
    ".psd": f"a Photoshop file, {_OTHER_PICTURE}", ".xcf": f"a GIMP file, {_OTHER_PICTURE}",
    ".svg": f"an SVG drawing, {_OTHER_PICTURE}", ".jxl": f"a JPEG XL file, {_OTHER_PICTURE}",
    ".exr": f"an OpenEXR file, {_OTHER_PICTURE}", ".hdr": f"a Radiance file, {_OTHER_PICTURE}",
    ".ico": f"an icon, {_OTHER_PICTURE}", ".tga": f"a Targa file, {_OTHER_PICTURE}",
    ".pgm": f"a PGM file, {_OTHER_PICTURE}", ".ppm": f"a PPM file, {_OTHER_PICTURE}",
    ".pcx": f"a PCX file, {_OTHER_PICTURE}", ".fits": f"a FITS file, {_OTHER_PICTURE}",
    ".nii": f"a NIfTI volume, {_OTHER_PICTURE}", ".czi": f"a Zeiss CZI file, {_OTHER_PICTURE}",
    ".lif": f"a Leica LIF file, {_OTHER_PICTURE}", ".nd2": f"a Nikon ND2 file, {_OTHER_PICTURE}",
    ".npy": f"a NumPy array, {_OTHER_PICTURE}", ".mat": f"a MATLAB file, {_OTHER_PICTURE}",
    ".pdf": f"a PDF document, {_OTHER_PICTURE}",
}  # fmt: skip
# Copies, thumbnails and unfinished downloads of photos lie beside them under these endings.
_NO_PHOTOS = frozenset({".thm", ".bak", ".old", ".orig", ".tmp", ".part", ".partial", ".crdownload", ".download"})

HEAD = 256  # bytes that tell the format
_STARTS = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF87a", "GIF"), (b"GIF89a", "GIF"),
    *((start, "TIFF") for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"), (b"\xff\x4f\xff\x51", "JPEG2000"),
)  # fmt: skip
# Of DICOM without its preamble: an element of group 0002 or 0008, and its kind or its length (PS3.5, 7.1).
_OLD_DICOM = re.compile(rb"[\x02\x08]\0[\0-\x02\x05\x08\x12\x16\x18]\0(..\0\0|UL|OB|CS|UI|DA)", re.DOTALL)
_CONTENTS = "DICOMDIR"  # the name of the file that lists the others on a disc
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_UNREAD_STARTS = (
    (b"FUJIFILMCCD-RAW", _RAW), (b"IIRO", _RAW), (b"IIRS", _RAW), (b"MMOR", _RAW), (b"IIU\0", _RAW), (b"FOVb", _RAW),
    (b"8BPS", UNREAD_SUFFIXES[".psd"]), (b"gimp xcf", UNREAD_SUFFIXES[".xcf"]), (b"%PDF", UNREAD_SUFFIXES[".pdf"]),
    (b"\xff\x0a", UNREAD_SUFFIXES[".jxl"]), (b"\0\0\0\x0cJXL ", UNREAD_SUFFIXES[".jxl"]),
    (b"\x76\x2f\x31\x01", UNREAD_SUFFIXES[".exr"]), (b"#?RADIANCE", UNREAD_SUFFIXES[".hdr"]),
    (b"\0\0\x01\0", UNREAD_SUFFIXES[".ico"]), (b"SIMPLE  =", UNREAD_SUFFIXES[".fits"]),
    (b"\x93NUMPY", UNREAD_SUFFIXES[".npy"]), (b"\x89HDF\r\n", "an HDF5 file"), (b"PK\x03\x04", "a zip: unpack it"),
    (b"\x1f\x8b", "a gzip file: unpack it"), (b"Rar!", "a RAR archive: unpack it"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"version https://git-lfs", "a pointer of Git LFS instead of the file itself: run 'git lfs pull'"),
)  # fmt: skip


def format_of(data: bytes) -> str | None:
    """The name of the format, Pillow's where it has one, from the first HEAD bytes of a file; None: headstart does not
    read it."""
    if data[128:132] == b"DICM" or _OLD_DICOM.match(data):  # first: before DICM, many write the start of a TIFF
        return "DICOM"
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:2] == b"BM" and data[6:10] == bytes(4):  # reserved
        return "BMP"
    if data[4:8] == b"ftyp":
        brands = _brands(data)
        if any(brand in _AVIF_BRANDS for brand in brands):
            return "AVIF"
        if any(brand in _HEIF_BRANDS for brand in brands):
            return "HEIF"
    return None


def is_meant_as_image(path: Path) -> bool:
    """Whether the name of a file says so; where it says nothing that is known, whether its first bytes do.

    Photos of scrapers and servers are called `photo`, `photo.jpg?w=640` or `photo.jpg_large`.
    """
    suffix = path.suffix.lower()
    if suffix in FORMAT_OF_SUFFIX:
        return True
    if suffix in UNREAD_SUFFIXES or suffix in _NO_PHOTOS or path.name.endswith("~") or path.name == _CONTENTS:
        return False
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            return False
        with path.open("rb") as file:
            return format_of(file.read(HEAD)) is not None
    except OSError:  # what has no ending of an image, and cannot be opened, is not missed
        return False


def described(data: bytes) -> str | None:
    """What a file is that is no image, as the end of "it is ...", with a remedy if there is one; None: not known."""
    for start, words in _UNREAD_STARTS:
        if data.startswith(start):
            return words
    if data[4:8] == b"ftyp":
        return _RAW if b"crx " in _brands(data) else _VIDEO
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return _VIDEO
    if re.match(rb"P[1-7]\s", data):
        return UNREAD_SUFFIXES[".ppm"]
    if not data[:HEAD].strip(b"\0"):
        return "filled with zeros, as after a failed copy: copy it again"
    text = data[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page, as a server answers instead of a photo: download it again"
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return UNREAD_SUFFIXES[".svg"]
    if not re.search(rb"[^\t\n\f\r\x20-\x7e]", data[:HEAD]):
        return "text"
    return None


def _brands(data: bytes) -> list[bytes]:
    """Of an ISO base media file (ISO/IEC 14496-12, 4.3): the major one, then those that it is compatible with."""
    end = min(int.from_bytes(data[:4], "big"), len(data), HEAD)
    return [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
