"""The sample collections that the demo can get: name -> a path that `load_dataset` reads.

Knows where they come from, how many images they must hold and what their licences say. Nothing of them is part of
headstart. How a file is downloaded it does not know: a function that does is passed in.
"""

import csv
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headstart.data.archives import DamagedArchiveError, is_zip, unpacked
from headstart.data.folder import images_below
from headstart.errors import DatasetError, DownloadError, MissingExtraError
from headstart.storage.cache import cache_folder

Fetch = Callable[..., Path]  # fetch(url, *, again=False) -> the downloaded file, from the cache unless `again`

CATS_AND_DOGS_URL = "https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip"  # the tutorial's
CATS_AND_DOGS_FILES = 3000
SOLAR_CELLS_FILES = 2624
DEFECTIVE_FROM = 0.5  # the labels of the solar cells are probabilities of a defect, as experts judged them


@dataclass(frozen=True)
class Sample:
    """A collection: what it shows, under which terms, and how it is got."""

    title: str
    terms: str
    get: Callable[[Fetch], Path]


def get_cats_and_dogs(fetch: Fetch, *, url: str = CATS_AND_DOGS_URL, count: int = CATS_AND_DOGS_FILES) -> Path:
    """The tutorial's 2,000 + 1,000 photos: downloaded once, unpacked safely, counted.

    Raises:
        DownloadError: the address cannot be reached, or gives something else, also when it is asked again.
    """
    archive = fetch(url)
    if not _holds(archive, count):  # a download that was cut short, or changed on the way
        archive = fetch(url, again=True)
        if not _holds(archive, count):
            raise DownloadError(f"{url} gave something else than a zip of {count:,} photos. Try again later")
    return unpacked(archive)


def get_solar_cells(fetch: Fetch | None = None) -> Path:
    """A CSV that lists the 2,624 images of the installed package `elpv-dataset`.

    A cell is `defective` where the experts' probability of a defect is at least 0.5, else `functional`.

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
            f"Install it anew: pip install --force-reinstall elpv-dataset"
        )
    table = cache_folder() / "samples" / "solar-cells.csv"
    try:
        table.parent.mkdir(parents=True, exist_ok=True)
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "label"))
            for name, probability, _ in rows:
                label = "defective" if float(probability) >= DEFECTIVE_FROM else "functional"
                writer.writerow((folder / name, label))
    except OSError as error:
        raise DatasetError(
            f"'{table}' cannot be written: {error.strerror or error}. "
            f"Set HEADSTART_CACHE to a folder that can be written."
        ) from None
    return table


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
    """Whether a downloaded file is a zip of that many images. One that leaves its folder is refused loudly."""
    try:
        return is_zip(archive) and len(images_below(unpacked(archive))) == count
    except DamagedArchiveError:
        return False
