"""The bytes of a TIFF -> the page with the photo, as a file that Pillow reads right, or why there is none.

A TIFF is a chain of pages, each a directory of tags (TIFF 6.0, section 2). A thumbnail, or the preview of a camera's
raw file, may come before the photo. Pillow misreads some forms of 16 bits: planes one after another, and white as zero.
They are described anew, by a directory that is appended to the file.
"""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from headstart.data.formats import UNREAD_SUFFIXES
from headstart.errors import ImageError, NotAnImageError

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES = 254, 256, 257, 258, 259, 262, 277
PLANAR, SAMPLE_FORMAT, SUB_DIRECTORIES, DNG_VERSION = 284, 339, 330, 50706
PLACES = (273, 279, 324, 325)  # where the strips or tiles lie, and their sizes
LAYOUT = (266, 274, 278, 317, 322, 323)  # the order of bits, orientation, rows of a strip, predictor, size of tiles
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, COLOUR_FILTER, LINEAR_RAW = 0, 1, 2, 32803, 34892
REDUCED, MASK = 1, 4  # bits of SUBFILE
MAX_PAGES = 64  # that are looked at
THUMBNAIL = 512  # pixels; a first page with more is no thumbnail, unless it says so
UNREAD_COMPRESSIONS = {
    34712: "JPEG 2000", 33003: "JPEG 2000", 33005: "JPEG 2000", 34887: "LERC", 34892: "lossy JPEG of DNG",
    50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip
UNSIGNED, UNDEFINED = 1, 4  # of SAMPLE_FORMAT
FORMAT_NAMES = {2: "int", 3: "float", 5: "complex int", 6: "complex"}


@dataclass(frozen=True)
class Page:
    """The page of a TIFF that holds the photo.

    content: a file whose first page it is.
    bits: of a value. samples: values of a pixel.
    planes: where it has several samples of 16 bits, one plane after another: a grey file for each.
    inverted: the values in `content` say how dark a pixel is.
    """

    content: bytes
    bits: int
    samples: int
    planes: tuple[bytes, ...] = ()
    inverted: bool = False


def photo_page(data: bytes) -> Page:
    """
    Raises:
        NotAnImageError: it is a camera's raw file.
        ImageError: it is damaged, or holds numbers that are no shades, or is compressed in a way that cannot be read.
    """
    if data.startswith(b"MM\0+"):
        raise ImageError("is a BigTIFF in big-endian order, which headstart does not read; save it as TIFF or PNG")
    pages = _pages(data)
    if any(DNG_VERSION in page or page.get(PHOTOMETRIC) in (COLOUR_FILTER, LINEAR_RAW) for page in pages) or (
        data[8:10] == b"CR"  # Canon's CR2
    ):
        raise NotAnImageError(f"is not an image that headstart reads: it is {UNREAD_SUFFIXES['.raw']}")
    page = _photo(pages)
    _check(page)
    bits, samples = _bits(page)[0], _number(page, SAMPLES, 1)
    photometric = page.get(PHOTOMETRIC)
    if bits == 16 and samples in (3, 4) and photometric == RGB and page.get(PLANAR) == 2:
        planes = tuple(_described_anew(data, _plane(page, sample, samples)) for sample in range(samples))
        return Page(_from_page(data, page), bits, samples, planes)
    if bits == 16 and samples == 1 and photometric == WHITE_IS_ZERO:
        return Page(_described_anew(data, _plane(page, 0, 1)), bits, samples, inverted=True)
    return Page(_from_page(data, page), bits, samples)


def described_page(data: bytes) -> str:
    """What the photo of a TIFF consists of, in words."""
    page = _photo(_pages(data))
    bits, samples = _bits(page), _number(page, SAMPLES, 1)
    return f"{samples} {'band' if samples == 1 else 'bands'} of {', '.join(map(str, sorted(set(bits))))} bits"


def _pages(data: bytes) -> list[ImageFileDirectory_v2]:
    try:
        return list(_walk(data))
    except (OSError, SyntaxError, ValueError, TypeError, struct.error, OverflowError) as error:
        raise ImageError(f"has a damaged header ({error})") from None


def _walk(data: bytes) -> Iterator[ImageFileDirectory_v2]:
    """The pages, each followed by those inside it and those after it."""
    file = io.BytesIO(data)
    header = data[: 2 * _Form.of(data).offset_size]
    offsets, seen = [ImageFileDirectory_v2(header).next], set()
    while offsets and len(seen) < MAX_PAGES:
        offset = offsets.pop(0)
        if offset in seen or not 0 < offset < len(data):
            continue
        seen.add(offset)
        file.seek(offset)
        page = ImageFileDirectory_v2(header)
        page.load(file)
        yield page
        inside = page.get(SUB_DIRECTORIES, ())
        offsets += [*(inside if isinstance(inside, tuple) else (inside,)), page.next]


def _photo(pages: list[ImageFileDirectory_v2]) -> ImageFileDirectory_v2:
    """The first page, or, if that is a thumbnail, the largest."""
    if not pages:
        raise ImageError("has a damaged header (no page)")
    first = pages[0]
    others = [page for page in pages[1:] if not _number(page, SUBFILE, 0) & (REDUCED | MASK)]
    if not others:
        return first
    largest = max(others, key=lambda page: _number(page, WIDTH, 0) * _number(page, HEIGHT, 0))
    is_thumbnail = _number(first, SUBFILE, 0) & REDUCED or _is_smaller_copy(first, largest)
    return largest if is_thumbnail else first


def _is_smaller_copy(first: ImageFileDirectory_v2, other: ImageFileDirectory_v2) -> bool:
    """Whether it has at most half of the other's sides and, but for rounding, its shape: nobody need have said so."""
    width, height = _number(first, WIDTH, 0), _number(first, HEIGHT, 0)
    other_width, other_height = _number(other, WIDTH, 0), _number(other, HEIGHT, 0)
    longer, other_longer = max(width, height), max(other_width, other_height)
    same_shape = abs(width * other_height - height * other_width) <= other_longer
    return same_shape and longer <= THUMBNAIL and 2 * longer <= other_longer


def _check(page: ImageFileDirectory_v2) -> None:
    bits = _bits(page)
    kinds = {kind for kind in page.get(SAMPLE_FORMAT, (UNSIGNED,)) if kind not in (UNSIGNED, UNDEFINED)}
    if kinds or max(bits) > 16:
        name = f"{FORMAT_NAMES.get(min(kinds, default=UNSIGNED), 'uint')}{max(bits)}"
        raise ImageError(
            f"holds {max(bits)}-bit numbers ({name}), which have no defined black and white; "
            f"save it as unsigned integers with 8 or 16 bits (uint8 or uint16)"
        )
    if page.get(COMPRESSION) in UNREAD_COMPRESSIONS:
        raise ImageError(
            f"is a TIFF compressed by {UNREAD_COMPRESSIONS[page[COMPRESSION]]}, which headstart does not read; save it "
            f"with LZW or Deflate, or as PNG"
        )


def _bits(page: ImageFileDirectory_v2) -> tuple[int, ...]:
    bits = page.get(BITS, (1,))
    if not isinstance(bits, tuple) or not bits or not all(isinstance(each, int) and each > 0 for each in bits):
        raise ImageError("has a damaged header (its bits per sample)")
    return bits


def _number(page: ImageFileDirectory_v2, tag: int, default: int) -> int:
    value = page.get(tag, default)
    if not isinstance(value, int):
        raise ImageError(f"has a damaged header (tag {tag})")
    return value


def _plane(page: ImageFileDirectory_v2, sample: int, samples: int) -> dict[int, tuple[int, ...]]:
    """The tags of a grey page, black as zero, of one of the samples."""
    tags = {WIDTH: (page[WIDTH],), HEIGHT: (page[HEIGHT],), BITS: (16,), COMPRESSION: (page.get(COMPRESSION, 1),)}
    tags |= {PHOTOMETRIC: (BLACK_IS_ZERO,), SAMPLES: (1,), PLANAR: (1,)}
    tags |= {tag: (page[tag],) for tag in LAYOUT if tag in page}
    for tag in PLACES:
        if tag in page:
            places = page[tag] if isinstance(page[tag], tuple) else (page[tag],)
            count = len(places) // samples
            tags[tag] = places[sample * count : (sample + 1) * count]
    if not all(isinstance(value, int) and value >= 0 for values in tags.values() for value in values):
        raise ImageError("has a damaged header")
    return tags


def _from_page(data: bytes, page: ImageFileDirectory_v2) -> bytes:
    """The file, beginning with another of its pages."""
    form = _Form.of(data)
    return form.beginning_at(page.offset, data)


def _described_anew(data: bytes, tags: Mapping[int, tuple[int, ...]]) -> bytes:
    """The file, with another directory appended, with which it begins. All values are written as 32 or 64 bits."""
    form = _Form.of(data)
    data += bytes(-len(data) % 8)
    after = len(data) + form.size(f"{form.count}{len(tags) * form.entry}{form.offset}")
    directory, arrays = form.pack(form.count, len(tags)), b""
    for tag, values in sorted(tags.items()):
        packed = form.pack(form.offset * len(values), *values)
        value = packed if len(values) == 1 else form.pack(form.offset, after + len(arrays))
        directory += form.pack(form.entry[:-1], tag, form.integer, len(values)) + value
        arrays += packed if len(values) > 1 else b""
    return form.beginning_at(len(data), data) + directory + form.pack(form.offset, 0) + arrays


@dataclass(frozen=True)
class _Form:
    """How numbers are written in a TIFF, or in a BigTIFF; for `struct`."""

    order: str  # of the bytes: < or >
    offset: str
    count: str  # of the tags in a directory
    entry: str  # of a directory: tag, type, how many values, the value or where the values lie
    integer: int  # the type of integers with as many bytes as an offset

    @classmethod
    def of(cls, data: bytes) -> "_Form":
        order = "<" if data[:2] == b"II" else ">"
        is_big = struct.unpack(f"{order}H", data[2:4])[0] == 43
        return cls(order, "Q", "Q", "HHQQ", 16) if is_big else cls(order, "L", "H", "HHLL", 4)

    @property
    def offset_size(self) -> int:
        """Bytes of an offset. The header is twice as long: its second half is the offset of the first directory."""
        return self.size(self.offset)

    def size(self, format: str) -> int:
        return struct.calcsize(self.order + format)

    def pack(self, format: str, *values: int) -> bytes:
        return struct.pack(self.order + format, *values)

    def beginning_at(self, offset: int, data: bytes) -> bytes:
        """The file, with its first directory at another place."""
        at = self.offset_size
        start = self.pack(self.offset, offset)
        return data if data[at : 2 * at] == start else data[:at] + start + data[2 * at :]
