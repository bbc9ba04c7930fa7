"""The photos of a catalogue -> features, copies and splits, by the same functions as `headstart train`. Knows no labels
but the collection's own, by which splits are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from headstart.array_types import Int
from headstart.classifier.novelty import NoveltyDetector, fit_novelty_detector
from headstart.data.assignment import draw_splits_beside_copies
from headstart.data.collection import groups_of
from headstart.data.dataset import Split
from headstart.data.items import Item
from headstart.data.splits import SPLITS, TRAIN
from headstart.data.value_range import ValueRange, range_of
from headstart.events import Advanced, Event, Listener, Task
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Chosen, Leading, rows_of
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.inspection.duplicates import Duplicates, find_duplicates
from headstart.storage.hashing import sha256
from headstart.studio.catalogue import READABLE, Catalogue, Entry
from headstart.studio.columns import NO_LABEL, Columns
from headstart.studio.copy_groups import CopyGroups
from headstart.studio.photo_features import Basis, PhotoFeatures
from headstart.training.config import TrainingConfig

FEWEST = 10  # photos, below which nothing is said of what is unlike them
MOST = 2_000  # photos that tell how far is usual
SEED = 0  # of the splits that are drawn: the default of `headstart train`
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


def photo_features(
    photos: Photos, extractor: FeatureExtractor, folder: Path, basis: Basis | None = None
) -> PhotoFeatures:
    """At all ids; kept in the folder. basis: of the components of fewer photos, which are to stay as they are.

    Raises:
        ImageError: a photo was changed, moved or damaged since it was read.
        CancelledError: the listener asks the work to stop.
    """
    file = folder / f"features-{photos.key}.npz"
    found = PhotoFeatures.read(file)
    if found is None or len(found) != photos.count or basis:
        features = extractor.features(photos.images)
        basis = basis or Basis.of(rows_of(features), extractor.spec.block_sizes)
        found = PhotoFeatures.by(basis, rows_of(features))
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


def copy_groups(photos: Photos, copies: Duplicates, extractor: FeatureExtractor, listener: Listener) -> CopyGroups:
    """Those of all photos, and of those that a training would use. copies: of all."""

    def find(places: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        images, value_range = photos.images.take(places.tolist()), extractor.spec.value_range
        return find_duplicates(images, extractor.features(images), value_range=value_range, listener=listener).groups

    return CopyGroups(copies.groups, find)


def drawn_splits(photos: Photos, copies: CopyGroups) -> Int[np.ndarray, " n"]:
    """Id -> its split, into SPLITS, as `headstart train` draws it; -1 for photos that are not among these.

    A training does not use photos without a label. They are drawn beside the others, and join none of these."""
    entries, has_splits = _entries(photos)
    items = [item_of(entry, has_splits=has_splits) for entry in entries]
    drawn = _drawn(items, np.arange(len(items)), photos, copies.all, np.full(photos.count, -1, np.int8))
    labelled = np.array([place for place, item in enumerate(items) if item.label], np.int64)
    if len(labelled) in (0, len(items)):
        return drawn
    return _drawn([items[place] for place in labelled], labelled, photos, copies.among(labelled), drawn)


def splits_with_labels(
    photos: Photos, drawn: Int[np.ndarray, " n"], copies: CopyGroups, columns: Columns
) -> Int[np.ndarray, " n"]:
    """The splits as `headstart train` has them with the labels of the user.

    drawn: by the collection's own labels, see `drawn_splits`. These stay, but where a class has come to be by labels of
    the user alone, or has no other photo to train on.
    """
    rows = photos.rows
    label, own, excluded = columns.label[rows], columns.own[rows], columns.excluded[rows]
    new = np.unique(label[(label != own) & (label != NO_LABEL) & ~excluded])
    has_own = np.isin(new, own[label == own])
    has_training = np.isin(new, label[(drawn[rows] == SPLITS.index(TRAIN)) & ~excluded])
    if (has_own & has_training).all() and not ((own == NO_LABEL) & ((label != NO_LABEL) | excluded)).any():
        return drawn
    entries, has_splits = _entries(photos)
    names = (*columns.classes, "")  # the last one for NO_LABEL
    places = np.flatnonzero((label != NO_LABEL) | excluded)  # who has no label is not listed
    items = []
    for place in places.tolist():
        now, item = "" if excluded[place] else names[label[place]], item_of(entries[place], has_splits=has_splits)
        items.append(item if now == item.label else replace(item, label=now, own=item.label))
    return _drawn(items, places, photos, copies.among(places), drawn)


def _entries(photos: Photos) -> tuple[list[Entry], bool]:
    """Of the photos; and whether the collection gives splits."""
    entries = [photos.catalogue.entries[row] for row in photos.rows]
    return entries, any(entry.split for entry in entries)


def _drawn(
    items: Sequence[Item], places: np.ndarray, photos: Photos, groups: Int[np.ndarray, " m"], otherwise: np.ndarray
) -> Int[np.ndarray, " n"]:
    """Id -> split. places: of the items among the photos. groups: of all photos. otherwise: of who is no item."""
    order = sorted(range(len(items)), key=lambda place: items[place].name)
    items = [items[place] for place in order]
    copies = [f"group {groups[place]}" for place in places[order]]
    digests = [photos.digests[place] for place in places[order]]
    drawn, _ = draw_splits_beside_copies(items, copies, groups_of(items), digests, SEED)
    found = otherwise.copy()
    found[photos.rows[places[order]]] = [SPLITS.index(name) if name else -1 for name in drawn]
    return found


def detector_of(
    photos: Photos, learned: Int[np.ndarray, " l"], held_out: Int[np.ndarray, " h"], extractor: FeatureExtractor
) -> NoveltyDetector | None:
    """What is unlike the photos that are learned from, by those held out; None where either are too few.

    learned, held_out: places among the photos.
    """
    if len(held_out) < FEWEST:  # a few of those that are learned from stand in
        learned, held_out = learned[len(learned) // 5 :], learned[: len(learned) // 5]
    if len(learned) < FEWEST or not len(held_out):
        return None
    features = rows_of(extractor.features(photos.images))
    rows = Leading(features, extractor.spec.block_sizes[0])
    train = photos.images.take(learned.tolist())
    return fit_novelty_detector(Chosen(rows, learned), train, Chosen(rows, held_out[:MOST]), seed=SEED)


def item_of(entry: Entry, *, has_splits: bool = False) -> Item:
    """has_splits: whether the collection gives splits; a photo without one is trained on there."""
    split = entry.split or (TRAIN if has_splits else None)
    return Item(Path(entry.path), entry.name, entry.label or "", split, entry.group)
