"""The table SAMPLES: collections for the demo, each of which is got as a path that `load_dataset` reads.

Knows where they come from, how many images they must hold and what their licences say. None of them is part of
headstart.
"""

import csv
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headstart.data.archives import DamagedArchiveError, is_zip, unpacked
from headstart.data.walking import images_below
from headstart.errors import DatasetError, DownloadError, MissingExtraError
from headstart.storage.cache import cache_folder

CATS_AND_DOGS_URL = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"  # the tutorial's
CATS_AND_DOGS_FILES = 3000
SOLAR_CELLS_FILES = 2624
DEFECTIVE_FROM = 0.5  # the solar cells are labelled with probabilities of a defect, estimated by experts


@dataclass(frozen=True)
class Sample:
    """A collection. title: what it shows. terms: its licence. get: download or find it, and return its path."""

    title: str
    terms: str
    get: Callable[[], Path]


def get_cats_and_dogs(*, url: str = CATS_AND_DOGS_URL, count: int = CATS_AND_DOGS_FILES) -> Path:
    """The tutorial's 2,000 + 1,000 photos: downloaded once, unpacked safely, and counted.

    Raises:
        DownloadError: the address cannot be reached, or gives something unexpected, twice.
    """
    from headstart.storage.downloads import fetch  # imports Keras

    archive = fetch(url)
    if not _holds(archive, count):  # the download was cut short, or changed on the way
        archive = fetch(url, again=True)
        if not _holds(archive, count):
            raise DownloadError(f"{url} gave something other than a zip of {count:,} photos. Try again later")
    return unpacked(archive)


def get_solar_cells() -> Path:
    """A CSV that lists the 2,624 images of the installed package `elpv-dataset`.

    A cell is `defective` if its probability of a defect is at least 0.5, otherwise `functional`.

    Raises:
        MissingExtraError: the package is not installed.
    """
    spec = importlib.util.find_spec("elpv_dataset")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(
            "The solar cells come with the package 'elpv-dataset', which is not installed. "
            "Install it: pip install 'headstart[demo]'"
        )
    folder = Path(spec.submodule_search_locations[0], "data")
    rows = [line.split() for line in Path(folder, "labels.csv").read_text().splitlines()]  # path, probability, type
    if len(rows) != SOLAR_CELLS_FILES:
        raise DatasetError(
            f"The installed 'elpv-dataset' lists {len(rows):,} images; expected {SOLAR_CELLS_FILES:,}. "
            f"Install it again: pip install --force-reinstall elpv-dataset"
        )
    table = cache_folder() / "samples" / "solar-cells.csv"
    try:
        _write_solar_cells(table, folder, rows)
    except OSError as error:
        raise DatasetError(
            f"'{table}' cannot be written: {error.strerror or error}. "
            f"Set HEADSTART_CACHE to a folder that can be written."
        ) from None
    return table


def _write_solar_cells(table: Path, folder: Path, rows: list[list[str]]) -> None:
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label"))
        for name, probability, _ in rows:
            label = "defective" if float(probability) >= DEFECTIVE_FROM else "functional"
            writer.writerow((folder / name, label))


SAMPLES = {
    "cats-and-dogs": Sample(
        title="2,000 + 1,000 photos of cats and dogs, the tutorial's",
        terms="a subset of Kaggle's Dogs vs. Cats (Asirra), under the terms of that competition",
        get=get_cats_and_dogs,
    ),
    "solar-cells": Sample(
        title="2,624 electroluminescence images of solar cells, functional and defective",
        terms="elpv-dataset by Deitsch et al., licensed CC BY-NC-SA 4.0 (attribution, no commercial use, share alike)",
        get=get_solar_cells,
    ),
}


def _holds(archive: Path, count: int) -> bool:
    """Whether a file is a zip of that many images.

    Raises:
        DatasetError: it has members that leave the folder.
    """
    try:
        return is_zip(archive) and len(images_below(unpacked(archive))) == count
    except DamagedArchiveError:
        return False
