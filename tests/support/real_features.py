"""Real photos of three classes, and what the studio works with: their features, labels and digests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import read_collection
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.studio.photo_features import PhotoFeatures
from support.planted import jpeg, tiles
from support.sizes import SMALL


@dataclass(frozen=True, eq=False)
class RealFeatures:
    images: Split
    features: np.ndarray
    sizes: tuple[int, ...]
    photos: PhotoFeatures

    @property
    def labels(self) -> np.ndarray:
        return self.images.labels.astype(np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        return self.images.class_names

    @property
    def groups(self) -> np.ndarray:
        return np.arange(len(self.images))


def real_features(cells: dict[str, list[Path]], folder: Path) -> RealFeatures:
    """120 intact and 120 broken solar cells, and some 60 pieces of other photos, in class folders."""
    for number, tile in enumerate(tiles()):
        place = folder / "scene" / f"{number:02}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(jpeg(tile))
    for name, paths in cells.items():
        (folder / name).mkdir()
        for path in paths[:120]:
            (folder / name / path.name).write_bytes(path.read_bytes())
    images = read_collection(list_images(folder), hs.Quiet()).images()
    spec = FeatureSpec("mobilenet_v2", SMALL, depths=True)
    rows = rows_of(FeatureExtractor(spec, listener=hs.Quiet()).features(images))
    features = rows[:]
    return RealFeatures(images, features, spec.block_sizes, PhotoFeatures.of(features, spec.block_sizes))
