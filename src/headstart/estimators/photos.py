"""X as scikit-learn is given it -> photos that were read: paths, or arrays, which become files for as long as needed.

The bytes of a photo are what its features are kept by, so an array has them as a file does: as a PNG, which loses
nothing. Knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from headstart.concurrency import cpu_budget
from headstart.data.collection import Collection, split_of
from headstart.data.dataset import Split
from headstart.data.folder import Item, Listing
from headstart.data.images import from_array
from headstart.data.loading import read_photos
from headstart.errors import DatasetError, ImageError
from headstart.events import Listener
from headstart.storage.url_path import place_of

FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
UNKNOWN = "?"  # the label of photos whose class is asked for

# Paths or URLs, bytes of files, arrays (height, width[, channels]) of any sizes; or one array (n, height, width[, 3]).
# A column of a table, such as one of pandas, holds paths.
Photos = Any


class PhotoEstimator(BaseEstimator):
    """An estimator whose X is photos."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags


def photos_of(X: Photos) -> list[Any]:
    """X -> the photos in it, one by one.

    Raises:
        DatasetError: these are no photos, but a table of numbers, or one photo alone.
    """
    if isinstance(X, (str, bytes, Path)):
        raise DatasetError("X is one photo; expected several: a list of paths, or an array (n, height, width, 3).")
    if hasattr(X, "to_numpy"):  # a column, or a table of one column
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and X.dtype.kind in "OUS" and X.ndim == 2 and X.shape[1] == 1:
        X = X[:, 0]
    if isinstance(X, np.ndarray) and (X.ndim == 2 or (X.ndim < 3 and X.dtype.kind not in "OUS")):
        raise DatasetError(
            f"X is an array of shape {X.shape}; expected photos: a list of paths, a list of arrays (height, width, 3), "
            f"or one array (n, height, width, 3)."
        )
    if not isinstance(X, (np.ndarray, Iterable)) or hasattr(X, "tocsr"):
        raise DatasetError(f"X is {type(X).__name__}; expected photos, such as a list of paths.")
    photos = list(X)
    if not photos:
        raise DatasetError("X holds no photos; expected at least one.")
    return photos


@contextmanager
def opened(
    X: Photos, labels: Sequence[str] | None, listener: Listener, *, multi_label: bool = False
) -> Iterator[Collection]:
    """The photos as a collection, in their order, for as long as the block lasts. labels: None: not known; of several
    labels per photo, see `label_sets.label_of`.

    Raises:
        DatasetError: see `photos_of`.
        ImageError: a photo cannot be read.
        CancelledError: the listener asks the work to stop.
    """
    photos = photos_of(X)
    with TemporaryDirectory(prefix="headstart-") as folder:
        with ThreadPoolExecutor(cpu_budget()) as pool:
            places = list(pool.map(lambda place, photo: _file(Path(folder), place, photo), range(len(photos)), photos))
        names = labels or [UNKNOWN] * len(places)
        items = tuple(
            Item(place_of(place), f"{number:09d}", name, None)
            for number, (place, name) in enumerate(zip(places, names, strict=True))
        )
        listing = Listing("X", items, (), f"{len(items):,} photos", multi_label=multi_label)
        found, unreadable = read_photos(listing, listener)
        if unreadable:
            first, others = unreadable[0], len(unreadable) - 1
            more = f" So with {others} more: leave them out of X and y." if others else ""
            raise ImageError(f"'{_named(first.path, folder)}' {first.reason}.{more}")
        yield Collection(listing, list(items), [read.digest for read in found], (), [read.highest for read in found])


@contextmanager
def read(X: Photos, listener: Listener) -> Iterator[Split]:
    """The photos alone, whose labels say nothing. Raises what `opened` raises."""
    with opened(X, None, listener) as collection:
        yield split_of(collection.items, collection.digests, (UNKNOWN,))


def _file(folder: Path, number: int, photo: Any) -> str:
    """The place of a photo; what is in memory is written into the folder.

    Raises:
        ImageError: it is an array that is no image.
    """
    if isinstance(photo, (str, Path)):
        return str(photo)
    file = folder / f"{number:09d}"
    if isinstance(photo, bytes):
        file.write_bytes(photo)
        return str(file)
    try:
        pixels = from_array(np.asarray(photo))
    except (ImageError, ValueError, TypeError) as error:
        raise ImageError(f"X[{number}]: {error}") from None
    file.write_bytes(cv2.imencode(".png", pixels[..., ::-1], FAST)[1].tobytes())
    return str(file)


def _named(path: str, folder: str) -> str:
    """What a file is called in messages: its path, or where it was in X."""
    file = Path(path)
    return f"X[{int(file.name)}]" if file.parent == Path(folder) else path
