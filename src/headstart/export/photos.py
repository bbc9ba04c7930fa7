"""The photos of a run: which of them prove an export, and which calibrate it. Decodes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.classifier.metadata import is_multi_label
from headstart.data.label_sets import classes_in
from headstart.data.loading import load_images
from headstart.data.source import DataSource
from headstart.data.splits import OTHER, TRAIN
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.runs.folder import SPLITS, RunFolder, SplitRow
from headstart.storage.hashing import sha256
from headstart.storage.locations import read

ANY = "any"  # the split of photos whose split is unknown: they serve all purposes
UNUSED = ""  # the split of photos that serve none


@dataclass(frozen=True)
class Photos:
    """Labelled files, in random order.

    labels: names of classes; of several labels per photo, all of them, joined by |. lost: how many others were moved or
    changed since the training.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    lost: int = 0

    def __len__(self) -> int:
        return len(self.paths)


class PhotosOfRun:
    """The photos that a run was trained and validated on, where they are now."""

    def __init__(self, run: Path, data: Path | DataSource | None, listener: Listener) -> None:
        """
        Args:
            run: the folder of a run.
            data: where the photos are now: a folder, zip or CSV. None: where they were in the training.

        Raises:
            RunError: there is no such run.
            DatasetError: the run does not name its photos, or `data` cannot be read.
        """
        self.run, self.data = run, data
        folder = RunFolder(run)
        self._class_names, rows = folder.card["class_names"], folder.splits
        self._is_multi_label = is_multi_label(folder.card)
        if data is not None:
            data = folder.as_trained(DataSource.of(data))
        if data is None and not rows:
            raise DatasetError(
                f"'{run}' has no {SPLITS}, like every classifier saved from Python, so there are no photos to prove an "
                f"export with. Say which to use: --data DATA."
            )
        self._rows: Sequence[SplitRow] = rows if data is None else _rows_in(data, rows, listener)

    def draw(self, split: str, count: int) -> Photos:
        """Up to `count` photos of a split that are unchanged since the training.

        Raises:
            DatasetError: there are none, or there are some of an unknown class.
        """
        rows = [row for row in self._rows if row.split in (split, ANY) and row.label != OTHER]
        self._check_classes(rows)
        paths, labels, lost = [], [], 0
        for index in np.random.default_rng(0).permutation(len(rows)):
            if len(paths) == count:
                break
            if _is_unchanged(rows[index]):
                paths.append(rows[index].path)
                labels.append(rows[index].label)
            else:
                lost += 1
        if not paths:
            where = f"in '{self.data}'" if self.data else "where it was in the training"
            raise DatasetError(
                f"None of the {split} photos of '{self.run}' is {where}, so the export cannot be "
                f"{'calibrated' if split == TRAIN else 'proved'}. Say where they are now: --data DATA."
            )
        return Photos(tuple(paths), tuple(labels), lost)

    def _check_classes(self, rows: Iterable[SplitRow]) -> None:
        labels = {row.label for row in rows}
        named = {name for label in labels for name in classes_in(label, several=self._is_multi_label)}
        unknown = sorted(named - set(self._class_names))
        if unknown:
            known = ", ".join(self._class_names[:10]) + (", ..." if len(self._class_names) > 10 else "")
            raise DatasetError(
                f"'{self.data or self.run / SPLITS}' has photos of '{unknown[0]}', a class that the classifier in "
                f"'{self.run}' does not have; expected {known}. Rename the folders, or leave the others out."
            )


def _rows_in(data: Path | DataSource, known: Iterable[SplitRow], listener: Listener) -> list[SplitRow]:
    """The photos in `data`, in the splits in which the run saw them; if the run names none, in the splits of `data`."""
    images, own_splits = load_images(data, listener=listener)
    split_of = {row.digest: row.split for row in known}
    if split_of:
        splits = [split_of.get(digest, UNUSED) for digest in images.digests]
    else:
        splits = [split or UNUSED for split in own_splits] if any(own_splits) else [ANY] * len(images)
    return list(map(SplitRow, map(str, images.paths), images.texts, splits, images.digests))


def _is_unchanged(row: SplitRow) -> bool:
    """Whether its file has the known digest. False where it cannot be opened."""
    try:
        return sha256(read(row.path)) == row.digest
    except OSError:
        return False
