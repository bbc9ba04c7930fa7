"""Collections of tiny images, all different, for tests of what is read from where."""

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import headstart as hs
from headstart.data.source import DataSource

QUIET = hs.Quiet()


def png(number: int) -> bytes:
    """A small image, different for each number."""
    pixels = np.random.default_rng(number).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return cv2.imencode(".png", pixels)[1].tobytes()


def picture(path: Path, number: int = 0) -> Path:
    """A file with such an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(number))
    return path


def collection(root: Path, classes: dict[str, int], start: int = 0) -> Path:
    """root/class/i.png, all different."""
    for name, count in classes.items():
        for _ in range(count):
            picture(root / name / f"{start}.png", start)
            start += 1
    return root


def load(path: Path | DataSource, **settings: Any) -> hs.Dataset:
    return hs.load_dataset(path, listener=QUIET, **settings)


def split_of(dataset: hs.Dataset) -> dict[str, str]:
    """File name -> split."""
    return {Path(path).name: split for path, _, split, _ in dataset.rows()}


def zipped(folder: Path, archive: Path, top: str = "") -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, Path(top) / path.relative_to(folder))
    return archive
