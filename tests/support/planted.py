"""Real photos to plant faults among: tiles of those that come with scikit-learn and matplotlib, and their copies."""

import io
from pathlib import Path

import numpy as np
from matplotlib import cbook
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_images

TILE = 100  # pixels
PLAIN = 20  # grey levels, standard deviation


def tiles() -> list[Image.Image]:
    """Squares of three real photos, none of which overlaps another, without the plain ones: 60 different pictures."""
    with Image.open(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))) as hopper:
        photos = [*load_sample_images().images, np.asarray(hopper.convert("RGB"))]
    found = []
    for photo in photos:
        height, width = photo.shape[:2]
        for y in range(0, height - TILE + 1, TILE):
            for x in range(0, width - TILE + 1, TILE):
                tile = photo[y : y + TILE, x : x + TILE]
                if tile.mean(axis=2).std() > PLAIN:
                    found.append(Image.fromarray(tile).resize((160, 160), Image.Resampling.BICUBIC))
    return found


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    with io.BytesIO() as file:
        image.convert("RGB").save(file, "JPEG", quality=quality)
        return file.getvalue()


def copies(image: Image.Image) -> dict[str, bytes]:
    """Nearly the same photo, in the ways in which it comes about."""
    width, height = image.size
    x, y = round(0.06 * width), round(0.06 * height)
    return {
        "resized": jpeg(image.resize((width * 3 // 4, height * 3 // 4))),
        "recompressed": jpeg(image, 60),
        "mirrored": jpeg(ImageOps.mirror(image.convert("RGB"))),
        "cropped": jpeg(image.crop((x, y, width - x, height - y))),
        "cropped on one side": jpeg(image.crop((x, 0, width, height))),
        "stretched": jpeg(image.resize((width, height * 2 // 3))),
        "darker": jpeg(image.convert("RGB").point(lambda value: int(value * 0.8))),
    }


def content(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Everything below a folder: to see that nothing was changed."""
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
