"""Held-out images and a run -> those that are no copies of photos that it was trained or validated on.

`held_out.py` leaves out equal files. A photo that was resized, or saved anew, is another file, and has been seen all
the same: such copies are found as `inspect` finds them, by their features and then their pixels.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.concurrency import cpu_budget
from headstart.data.dataset import Split
from headstart.data.splits import TEST
from headstart.data.value_range import ValueRange
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import Leading, rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicates import find_copies
from headstart.models.backbones import DEFAULT
from headstart.models.packaged import network_file
from headstart.models.weights import PRETRAINED
from headstart.runs.folder import RunFolder
from headstart.runs.held_out import HeldOut
from headstart.storage.hashing import sha256
from headstart.storage.locations import read
from headstart.training.config import TrainingConfig


def without_copies(held_out: HeldOut, run: Path, *, listener: Listener) -> HeldOut:
    """Leave out the near copies of the photos that a run was trained or validated on, and say how many these are.

    Raises:
        DatasetError: nothing else is left.
        ImageError: a file was changed, moved or damaged since the collection was read.
    """
    seen, missing = _seen(held_out, run)
    notes = [f"{missing:,} photos of the run are no longer where they were, so copies of them are not known"]
    if not len(seen):
        return _described(held_out, *notes[: bool(missing)])
    count, images = len(held_out.images), _joined(held_out.images, seen)
    extractor = FeatureExtractor(_spec(run), listener=listener)
    features = Leading(rows_of(extractor.features(images)), extractor.spec.block_sizes[0])
    values = extractor.spec.value_range
    copies = find_copies(images, np.arange(len(images)) >= count, features, value_range=values, listener=listener)
    if len(copies) == count:
        raise DatasetError(
            f"The {count:,} images are copies of photos that the run was trained or validated on, resized or saved "
            f"anew. Give other photos, or use --split all to measure on these anyway."
        )
    copies_are = (
        "1 near copy of such photos is" if len(copies) == 1 else f"{len(copies):,} near copies of such photos are"
    )
    found = [f"{copies_are} left out"] if len(copies) else []
    kept = replace(held_out, images=held_out.images.take(np.delete(np.arange(count), copies)))
    return _described(kept, *found, *notes[: bool(missing)])


def _seen(held_out: HeldOut, run: Path) -> tuple[Split, int]:
    """The photos that the run was trained or validated on, as far as they are there; and how many are not."""
    here = held_out.seen or held_out.images.take([])
    known = set(here.digests)
    others = {row.digest: row.path for row in RunFolder(run).splits if row.split != TEST and row.digest not in known}
    with ThreadPoolExecutor(cpu_budget()) as pool:
        there = [
            pair for pair, is_same in zip(others.items(), pool.map(_is_same, others.items()), strict=True) if is_same
        ]
    paths, digests = tuple(path for _, path in there), tuple(digest for digest, _ in there)
    elsewhere = Split(paths, np.zeros(len(there), np.int32), digests, here.class_names)
    return _joined(here, elsewhere), len(others) - len(there)


def _is_same(row: tuple[str, str]) -> bool:
    digest, path = row
    try:
        return sha256(read(path)) == digest
    except OSError:
        return False


def _joined(first: Split, second: Split) -> Split:
    """Both, without what is known of their groups."""
    return Split(
        [*first.paths, *second.paths],
        np.concatenate([first.labels, second.labels]),
        [*first.digests, *second.digests],
        first.class_names,
    )


def _spec(run: Path) -> FeatureSpec:
    """Of features that show copies: those that the run was trained on, if its base is in the package."""
    card = RunFolder(run).card
    backbone, image_size = card["backbone"], card["image_size"]
    if network_file(backbone, PRETRAINED) is None:
        backbone, image_size = DEFAULT, None
    config = TrainingConfig.of(backbone=backbone, image_size=image_size)
    return config.for_values(ValueRange(*card["value_range"])).feature_spec


def _described(held_out: HeldOut, *notes: str) -> HeldOut:
    text = held_out.description.removesuffix(".")
    return replace(held_out, description=f"{'; '.join([text, *notes])}.")
