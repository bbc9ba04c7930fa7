"""The photos of a run: which of them prove an export, and which calibrate it. Decodes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.classifier.metadata import read_card
from headstart.data.loading import load_images
from headstart.data.tables import TABLE, read_splits
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.storage.hashing import sha256_of_file

ANY = "any"  # split of photos of which nobody knows one: they serve for everything


@dataclass(frozen=True)
class Photos:
    """Labelled files, in an order that was drawn."""

    paths: tuple[str, ...]
    labels: tuple[str, ...]  # names of classes
    lost: int = 0  # others that were moved or changed since the training

    def __len__(self) -> int:
        return len(self.paths)


class PhotosOfRun:
    """The photos that a run was trained and validated on, where they are now."""

    def __init__(self, run: Path, data: Path | None, listener: Listener) -> None:
        """
        Args:
            run: folder of a run.
            data: where the photos are now: folder, zip or CSV. None: where they were in the training.

        Raises:
            RunError: there is no such run.
            DatasetError: the run does not say which photos it saw, or `data` cannot be read.
        """
        self.run, self.data = run, data
        self._class_names = read_card(run)["class_names"]
        self._rows: Sequence[tuple]  # path, label, split, digest
        known = read_splits(run / TABLE) if (run / TABLE).is_file() else []
        if data is None:
            if not known:
                raise DatasetError(
                    f"'{run}' has no {TABLE}, as a classifier that was saved from Python, and so names no photos to "
                    f"prove an export with. Give some: --data DATA."
                )
            self._rows = known
            return
        images, own = load_images(data, listener=listener)
        if known:
            split_of = {digest: split for _, _, split, digest in known}
            splits = [split_of.get(digest) for digest in images.digests]
        else:
            splits = own if any(own) else [ANY] * len(images)
        labels = [images.class_names[label] for label in images.labels]
        self._rows = list(zip(images.paths, labels, splits, images.digests, strict=True))

    def draw(self, split: str, count: int) -> Photos:
        """Up to `count` photos of a split that are still what they were.

        Raises:
            DatasetError: there is none, or one of another class.
        """
        rows = [row for row in self._rows if row[2] in (split, ANY)]
        if strange := sorted({row[1] for row in rows} - set(self._class_names)):
            raise DatasetError(
                f"The classifier of '{self.run}' knows no class '{strange[0]}', of which there are photos in "
                f"'{self.data or self.run / TABLE}'; expected {', '.join(self._class_names[:10])}"
                f"{', ...' if len(self._class_names) > 10 else ''}. Name the folders so, and leave others out."
            )
        paths, labels, lost = [], [], 0
        for index in np.random.default_rng(0).permutation(len(rows)):
            path, label, _, known = rows[index]
            if len(paths) == count:
                break
            if _is_still(Path(path), known):
                paths.append(path)
                labels.append(label)
            else:
                lost += 1
        if not paths:
            where = f"in '{self.data}'" if self.data else "where it was in the training"
            raise DatasetError(
                f"None of the {split} photos of '{self.run}' is {where}, so an export cannot be "
                f"{'calibrated' if split == 'train' else 'proved'}. Name the place where they are now: --data DATA."
            )
        return Photos(tuple(paths), tuple(labels), lost)


def _is_still(file: Path, known: str) -> bool:
    """Whether it has the digest that is known; not where it cannot be opened."""
    try:
        return sha256_of_file(file) == known
    except OSError:
        return False
