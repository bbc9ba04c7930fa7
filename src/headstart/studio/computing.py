"""The photos of a catalogue -> features, copies and splits, by the same functions as `headstart train`. Knows no labels
but the collection's own, by which splits are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headstart.array_types import Int
from headstart.data.dataset import Split
from headstart.data.folder import Item, Listing
from headstart.data.loading import Collection, build_dataset
from headstart.data.splits import SPLITS
from headstart.data.value_range import ValueRange, range_of
from headstart.errors import DatasetError
from headstart.events import Advanced, Event, Listener, Task
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.inspection.duplicates import Duplicates
from headstart.listeners.quiet import Quiet
from headstart.storage.hashing import sha256
from headstart.studio.catalogue import READABLE, Catalogue
from headstart.studio.photo_features import PhotoFeatures
from headstart.training.config import TrainingConfig

Progress = Callable[[int, int, float | None], None]  # progress(done, total, seconds_left)


@dataclass(frozen=True)
class Reporting:
    """A listener that passes on how far the features are, and asks whether they are still wanted."""

    progress: Progress
    is_stopped: Callable[[], bool]

    def emit(self, event: Event) -> None:
        if isinstance(event, Advanced) and event.task == Task.EXTRACT:
            self.progress(event.done, event.total, event.seconds_left)

    def cancelled(self) -> bool:
        return self.is_stopped()


@dataclass(frozen=True, eq=False)
class Photos:
    """The readable photos of a catalogue, as they are now. rows: their ids, ascending; count: of all ids."""

    catalogue: Catalogue
    rows: Int[np.ndarray, " m"]
    count: int

    @classmethod
    def of(cls, catalogue: Catalogue) -> Photos:
        return cls(catalogue, np.flatnonzero(catalogue.numbers["state"] == READABLE), len(catalogue))

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def images(self) -> Split:
        """As all functions of headstart want them; without labels."""
        entries = [self.catalogue.entries[row] for row in self.rows]
        paths = tuple(entry.path for entry in entries)
        groups = tuple(entry.group for entry in entries if entry.group)
        complete = groups if len(groups) == len(entries) else ()
        return Split(paths, np.zeros(len(entries), np.int64), self.digests, ("",), groups=complete)

    @cached_property
    def digests(self) -> tuple[str, ...]:
        return tuple(self.catalogue.digest(row) for row in self.rows)

    @property
    def key(self) -> str:
        """The name of what is computed of these photos, at these ids."""
        return sha256(self.rows.tobytes(), "".join(self.digests).encode())[:16]

    @property
    def value_range(self) -> ValueRange:
        return range_of([int(each) for each in self.catalogue.numbers["highest"][self.rows] if each])

    def spread(self, values: np.ndarray, missing: float) -> np.ndarray:
        """Values of these photos -> of all ids; those that are not among them get `missing`."""
        found = np.full((self.count, *values.shape[1:]), missing, values.dtype)
        found[self.rows] = values
        return found


def extractor_of(photos: Photos, listener: Listener) -> FeatureExtractor:
    """Of the features that `headstart train` uses by default."""
    config = TrainingConfig.of().for_values(photos.value_range)
    return FeatureExtractor(config.feature_spec, listener=listener, compute=config.compute)


def photo_features(photos: Photos, extractor: FeatureExtractor, folder: Path) -> PhotoFeatures:
    """At all ids; kept in the folder.

    Raises:
        ImageError: a photo was changed, moved or damaged since it was read.
        CancelledError: the listener asks the work to stop.
    """
    file = folder / f"features-{photos.key}.npz"
    found = PhotoFeatures.read(file)
    if found is None or len(found) != photos.count:
        features = extractor.features(photos.images)
        found = PhotoFeatures.of(rows_of(features), extractor.spec.block_sizes)
        features.release()
        if len(photos) < photos.count:
            found = found.take(_places(photos))
        _keep_only(folder, file, found)
    return found


def _places(photos: Photos) -> Int[np.ndarray, " n"]:
    """Id -> place among the photos, or -1."""
    return photos.spread(np.arange(len(photos)), -1)


def _keep_only(folder: Path, file: Path, found: PhotoFeatures) -> None:
    for old in folder.glob("features-*.npz"):
        old.unlink(missing_ok=True)
    found.write(file)


def copies_of(photos: Photos, extractor: FeatureExtractor, listener: Listener) -> Duplicates:
    """Of these photos; indices are places among them, not ids."""
    return cached_duplicates(photos.images, extractor, listener=listener)


def draw_splits(photos: Photos, groups: Sequence[int]) -> Int[np.ndarray, " n"]:
    """Id -> its split, into SPLITS, as `headstart train` draws it (seed 0); -1 without one.

    groups: of each photo; copies have the same one.
    """
    labelled = [place for place, row in enumerate(photos.rows) if photos.catalogue.entries[row].label]
    entries = [photos.catalogue.entries[photos.rows[place]] for place in labelled]
    order = sorted(range(len(entries)), key=lambda index: entries[index].name)
    items = [
        Item(Path(entries[i].path), entries[i].name, entries[i].label or "", entries[i].split, entries[i].group)
        for i in order
    ]
    digests = [photos.digests[labelled[i]] for i in order]
    names = [f"group {groups[labelled[i]]}" for i in order]
    collection = Collection(Listing("", tuple(items), (), ""), items, digests, (), [0] * len(items))
    found = np.full(photos.count, -1, np.int8)
    try:
        dataset = build_dataset(
            collection, seed=0, test_fraction=None, groups=lambda images, drawn: names, listener=Quiet()
        )
    except DatasetError:  # one class, or too few photos: nothing can be trained on yet, so nothing is held out
        return found
    row_of = {entries[i].path: photos.rows[labelled[i]] for i in order}
    for number, name in enumerate(SPLITS):
        for path in dataset.splits()[name].paths:
            found[row_of[path]] = number
    return found
