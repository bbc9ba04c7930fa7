"""A collection and a run -> the images that may measure the run: those that it was neither trained nor validated on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Bool
from headstart.classifier.metadata import known_values_of
from headstart.data.collection import Collection
from headstart.data.dataset import Split
from headstart.data.loading import read_labelled
from headstart.data.source import DataSource
from headstart.data.splits import OTHER, SPLITS, TEST, TRAIN, VALIDATION
from headstart.data.value_range import ValueRange, remark_on_photo
from headstart.errors import DatasetError
from headstart.events import Listener
from headstart.listeners.console import Console
from headstart.runs.folder import RunFolder

ALL = "all"


@dataclass(frozen=True)
class HeldOut:
    """Images that measure a run.

    description: which images these are, in a sentence.
    seen: those of the collection that the run was trained or validated on, if they are left out.
    others: photos of none of the classes, of the same split; None where there are none.
    """

    images: Split
    description: str
    seen: Split | None = None
    others: Split | None = None


def choose(
    data: Path | DataSource, run: Path, split: str | None = None, *, listener: Listener | None = None
) -> HeldOut:
    """The images of `data` to measure `run` on.

    Args:
        data: folder, zip or CSV.
        run: folder of a run; its splits.csv says which images it has seen. Without one, no image counts as seen.
        split: "train", "validation" or "test": the images that the run had there, and of those that it does not know,
            the ones that `data` has there; "all": every image. None: all that the run was neither trained nor
            validated on; where `data` has test images, only those.

    Raises:
        DatasetError: there are no such images.
    """
    if split not in (None, ALL, *SPLITS):
        raise DatasetError(f"There is no split '{split}'. Choose one of: {', '.join(SPLITS)}, {ALL}.")
    collection = read_labelled(DataSource.of(data), listener or Console())
    known, is_other = _splits_of(run), np.array([item.label == OTHER for item in collection.items], bool)
    images, own, highest, of_run = _part(collection, known, ~is_other)
    chosen = _chosen(of_run, own, split)
    if split == ALL:
        description = f"All {len(images):,} images of '{data}', whether the run has seen them or not."
    elif split:
        description = f"The {sum(chosen):,} {split} images of '{data}'."
    else:
        seen = sum(run_split in (TRAIN, VALIDATION) for run_split in of_run)
        description = f"{sum(chosen):,} {'test ' if TEST in own else ''}images of '{data}'" + (
            f"; {seen:,} that the run was trained or validated on are left out." if seen else "."
        )
    if not any(chosen):
        raise DatasetError(
            f"None of the {len(images):,} images of '{data}' can measure the run: "
            + (f"none is in the split '{split}'. " if split else "it was trained or validated on them. ")
            + "Give other photos, or use --split all to measure on these anyway."
        )
    highest = [each for each, is_chosen in zip(highest, chosen, strict=True) if is_chosen]
    known_ones = [index for index, run_split in enumerate(of_run) if run_split in (TRAIN, VALIDATION)]
    return HeldOut(
        images.take(np.flatnonzero(chosen)),
        f"{description.removesuffix('.')}{_remark_on_values(highest, run)}.",
        None if split else images.take(known_ones),
        _others(collection, known, is_other, split),
    )


def _part(
    collection: Collection, known: dict[str, str], wanted: Bool[np.ndarray, " n"]
) -> tuple[Split, list[str | None], list[int], list[str | None]]:
    """Some of the images; their splits and highest values in the collection; and their splits in the run."""
    rows = np.flatnonzero(wanted).tolist()
    images = collection.images().take(rows)
    own, highest = [collection.items[i].split for i in rows], [collection.highest[i] for i in rows]
    return images, own, highest, [known.get(digest) for digest in images.digests]


def _chosen(of_run: Sequence[str | None], own: Sequence[str | None], split: str | None) -> list[bool]:
    """See `choose`. of_run, own: the split of each image in the run, and in the collection."""
    pairs = list(zip(of_run, own, strict=True))
    if split == ALL:
        return [True] * len(pairs)
    if split:
        return [(run_split or data_split) == split for run_split, data_split in pairs]
    has_test = TEST in own
    return [run_split in (None, TEST) and (data_split == TEST or not has_test) for run_split, data_split in pairs]


def _others(
    collection: Collection, known: dict[str, str], is_other: Bool[np.ndarray, " n"], split: str | None
) -> Split | None:
    images, own, _, of_run = _part(collection, known, is_other)
    found = images.take(np.flatnonzero(_chosen(of_run, own, split)))
    return found if len(found) else None


def _remark_on_values(highest: Sequence[int], run: Path) -> str:
    """How many of the photos may be too dark or too bright to the classifier, and why one of them; it continues a
    sentence. highest: see `Collection`."""
    card = RunFolder(run).card
    value_range, known = ValueRange(*card["value_range"]), known_values_of(card)
    remarks = [remark for each in highest if (remark := remark_on_photo(each or None, value_range, known))]
    many = f", and {len(remarks) - 1:,} more are like it" if len(remarks) > 1 else ""
    return f"; one {remarks[0]}{many}" if remarks else ""


def _splits_of(run: Path) -> dict[str, str]:
    """Digest of each image that the run knows -> its split there; for copies in several, train before validation."""
    rows = RunFolder(run).splits
    return {row.digest: row.split for split in reversed(SPLITS) for row in rows if row.split == split}
