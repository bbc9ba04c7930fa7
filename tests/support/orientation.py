"""How a camera stores an upright image under each orientation of EXIF."""

from PIL import Image

STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def as_stored(image: Image.Image, orientation: int) -> Image.Image:
    """orientation: 1 to 8; at 1 the image itself."""
    return image.transpose(STORED[orientation]) if orientation in STORED else image
