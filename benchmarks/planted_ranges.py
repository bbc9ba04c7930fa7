"""Mixed ranges of values planted among photos with 16 bits: are they told, and is one range never taken for two? See
inspect_planted.py --signs."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

import headstart as hs
from headstart.data.folder import Listing
from headstart.data.images import read_image
from headstart.data.items import Item
from headstart.data.loading import read_collection

DRAWS = 5
SHARES = (0.02, 0.05, 0.1, 0.3, 0.5, 1.0)  # of the photos of one class, or of both, that have fewer bits
DEPTHS = ((8, 16), (10, 12), (10, 16), (12, 14), (12, 16), (14, 16))  # bits of these, and of the others
# factor of the light of each photo, any as often on a logarithmic scale
EXPOSURES = {"well exposed": (0.9, 1.3), "as it happens": (0.3, 1.3), "some very dark": (0.01, 1.3)}
SIDE = 96  # pixels


def taken_with(bits: int, photo: np.ndarray, light: float) -> np.ndarray:
    """What a camera of so many bits makes of a photo: uint16 (height, width)."""
    top = (1 << bits) - 1
    return np.round(np.clip(photo / 255 * light, 0, 1) * top).astype(np.uint16)


def exposure(limits: tuple[float, float], count: int, rng: np.random.Generator) -> np.ndarray:
    return np.exp(rng.uniform(*np.log(limits), count))


def is_told(photos: Sequence[np.ndarray], bits: Sequence[int], light: Sequence[float], folder: Path) -> bool:
    """Whether mixed ranges are said of photos, each taken with its number of bits; every second is of class a."""
    items = []
    for number, each in enumerate(zip(bits, photos, light, strict=True)):
        path = folder / f"{number}.png"
        if not cv2.imwrite(str(path), taken_with(*each)):
            raise OSError(f"'{path}' cannot be written.")
        items.append(Item(path, path.name, "ab"[number % 2], None))
    found = read_collection(Listing("planted", tuple(items), (), ""), hs.Quiet())
    return any(remark.startswith("mixed ranges") for remark in found.remarks_on_values)


def grey(paths: Sequence[Path]) -> list[np.ndarray]:
    return [read_image(path, SIDE).mean(axis=2) for path in paths]


def plant_ranges(paths: Sequence[Path], folder: Path) -> None:
    """Prints how often mixed ranges are said, of DRAWS, where a share of the photos has fewer bits."""
    photos = grey(paths)
    for exposed, limits in EXPOSURES.items():
        for less, more in DEPTHS:
            for where in ("of class a", "of both"):
                hits = dict.fromkeys(SHARES, 0)
                for share in SHARES:
                    for seed in range(DRAWS):
                        rng = np.random.default_rng(seed)
                        may_have = np.arange(len(photos)) % 2 == 0 if where == "of class a" else True
                        few = (rng.random(len(photos)) < share) & may_have
                        light = exposure(limits, len(photos), rng)
                        hits[share] += is_told(photos, np.where(few, less, more).tolist(), light.tolist(), folder)
                told = ", ".join(f"{share:.0%}: {count}" for share, count in hits.items())
                print(f"ranges: {exposed}: {less} among {more} bits, {where}: told of {DRAWS}: {told}", flush=True)


def look_at_one_range(name: str, paths: Sequence[Path], folder: Path) -> None:
    """Prints the false alarms on photos that are all of one camera."""
    photos = grey(paths)
    for exposed, limits in EXPOSURES.items():
        alarms = dict.fromkeys((10, 12, 14, 16), 0)
        for bits in alarms:
            for seed in range(DRAWS):
                light = exposure(limits, len(photos), np.random.default_rng(seed)).tolist()
                alarms[bits] += is_told(photos, [bits] * len(photos), light, folder)
        told = ", ".join(f"{bits} bits: {count}" for bits, count in alarms.items())
        print(f"clean: {name}: one range, {exposed}: false alarms of {DRAWS}: {told}", flush=True)
