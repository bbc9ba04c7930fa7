"""A listing -> Dataset: every file read once, the unreadable put aside, the splits given or drawn.

Goes in: a directory, zip or CSV. Comes out: paths, labels, class names, splits. Nothing on disk is changed.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from headstart.data import splits
from headstart.data.folder import Item, list_images
from headstart.data.images import read_image
from headstart.data.splits import SPLITS, TEST, TRAIN, VALIDATION
from headstart.errors import DatasetError, ImageError
from headstart.progress import Console, Progress, track

MAX_UNREADABLE = 0.10  # of all files: with more than that, something else is wrong
READ_SIZE = 32  # pixels: reading a file to see whether it can be read needs no more


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels: what a classifier is trained, or measured, on."""

    paths: tuple[str, ...]
    labels: np.ndarray  # int32 (n,), indices into class_names
    digests: tuple[str, ...]  # SHA-256 of the files' bytes, hexadecimal
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, indices: Sequence[int] | np.ndarray) -> "Split":
        """Only the images at `indices`, in that order."""
        indices = [int(index) for index in indices]
        return replace(
            self,
            paths=tuple(self.paths[i] for i in indices),
            labels=self.labels[indices],
            digests=tuple(self.digests[i] for i in indices),
        )


@dataclass(frozen=True)
class Unreadable:
    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """A collection of labelled images, split for training, validation and test."""

    class_names: tuple[str, ...]  # sorted
    train: Split
    validation: Split
    test: Split
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()  # what its owner should know, in sentences

    def __len__(self) -> int:
        return len(self.train) + len(self.validation) + len(self.test)

    def splits(self) -> dict[str, Split]:
        return {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """path, label, split, hash of every image: the content of splits.csv."""
        return [
            (path, self.class_names[label], name, digest)
            for name, split in self.splits().items()
            for path, label, digest in zip(split.paths, split.labels, split.digests, strict=True)
        ]

    def sample(self, count: int, *, seed: int = 0) -> "Dataset":
        """About `count` of the images, in the same proportions of splits and classes: for a quick look."""
        if count >= len(self):
            return self
        taken = {
            name: _draw(split, splits.proportional(_names(split), round(count * len(split) / len(self))), seed)
            for name, split in self.splits().items()
        }
        return replace(self, **taken)

    def __str__(self) -> str:
        sizes = ", ".join(f"{len(split):,} {name}" for name, split in self.splits().items())
        return f"{len(self):,} images of {len(self.class_names)} classes ({sizes}): {', '.join(self.class_names)}"


def load_dataset(
    data: str | Path,
    *,
    seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read a collection of labelled images.

    Args:
        data: a folder of class folders; a folder with train/, validation/ and perhaps test/, each of class folders;
            a zip of either; or a CSV with the columns path,label[,split].
        seed: of the splits that headstart draws. Splits that the collection has are kept.
        validation_fraction: of each class, where there is no validation split. Default: 0.15.
        test_fraction: where there is no test split: of each class (default 0.15), or of the validation images where
            the collection has those (default 0.2, in whole batches of 32, as in the tutorial). 0: no test set.
        progress: where to report to; by default to standard error.

    Raises:
        DatasetError: it cannot be trained on; the message says why and what to do.
    """
    progress = progress or Console()
    _check_fractions(validation_fraction, test_fraction)
    listing = list_images(Path(data))
    if all(item.split in (VALIDATION, TEST) for item in listing.items):
        raise DatasetError(f"'{data}' has split folders, but no images in 'train'. Add them, to train on.")
    _check_classes({item.label for item in listing.items}, str(data))
    items, digests, unreadable = _read_all(listing.items, progress)
    _check_unreadable(unreadable, len(items), str(data))
    items = _with_splits(items, digests, seed, validation_fraction, test_fraction, str(data))
    notes = [*listing.notes, *_notes(items, digests)]
    dataset = _build(items, digests, tuple(unreadable), tuple(notes))
    progress.say(f"Found {len(items):,} files belonging to {len(dataset.class_names)} classes.")
    for bad in unreadable[:10]:
        progress.say(f"Left out: '{bad.path}' {bad.reason}.")
    for note in notes:
        progress.say(f"Note: {note}.")
    return dataset


def load_images(data: str | Path, *, progress: Progress | None = None) -> tuple[Split, tuple[str | None, ...]]:
    """Labelled images to measure a classifier on: any number of them, of any number of classes, and no split drawn.

    Args:
        data: as for `load_dataset`.
        progress: where to report to; by default to standard error.

    Returns:
        the images, and of each the split that the collection itself puts it in, or None.

    Raises:
        DatasetError: there are no images, or too many cannot be read.
    """
    progress = progress or Console()
    listing = list_images(Path(data))
    items, digests, unreadable = _read_all(listing.items, progress)
    _check_unreadable(unreadable, len(items), str(data))
    for bad in unreadable:
        progress.say(f"Left out: '{bad.path}' {bad.reason}.")
    class_names = tuple(sorted({item.label for item in items}))
    return _split(items, digests, class_names), tuple(item.split for item in items)


def _check_fractions(*fractions: float | None) -> None:
    for fraction in fractions:
        if fraction is not None and not 0 <= fraction < 1:
            raise DatasetError(f"A fraction of {fraction} was asked for: expected 0 or more, and less than 1.")
    if sum(fraction or 0 for fraction in fractions) >= 1:
        raise DatasetError("Validation and test together would take all images: nothing is left to train on.")


def _check_classes(names: set[str], shown: str) -> None:
    if len(names) < 2:
        found = f"one class, '{next(iter(names))}'" if names else "no class"
        raise DatasetError(
            f"'{shown}' holds {found}; a classifier needs at least two. "
            f"Add a folder of images of something else (such as 'other')."
        )
    for _, same in groupby(sorted(names, key=lambda name: (name.casefold(), name)), key=str.casefold):
        twins = list(same)
        if len(twins) > 1:
            raise DatasetError(
                f"'{shown}' holds the classes {' and '.join(map(repr, twins))}, which differ in upper and lower case "
                f"only. Give them one name if they are one class, or clearly different ones."
            )


def _read_all(items: Sequence[Item], progress: Progress) -> tuple[list[Item], list[str], list[Unreadable]]:
    """Read and decode every file, on all cores: the readable ones, their digests, and what is wrong with the rest."""
    readable, digests, unreadable = [], [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(_digest_or_reason, (item.path for item in items))
        for item, (digest, reason) in zip(items, track(progress, results, "Reading images", len(items)), strict=True):
            if reason is None:
                readable.append(item)
                digests.append(digest)
            else:
                unreadable.append(Unreadable(str(item.path), reason))
    return readable, digests, unreadable


def _check_unreadable(unreadable: Sequence[Unreadable], readable: int, shown: str) -> None:
    total = readable + len(unreadable)
    if len(unreadable) > MAX_UNREADABLE * total:
        first = "\n  ".join(f"'{bad.path}' {bad.reason}" for bad in unreadable[:5])
        raise DatasetError(
            f"{len(unreadable)} of {total} files in '{shown}' cannot be read, more than {MAX_UNREADABLE:.0%}. "
            f"Mend or remove them:\n  {first}" + ("\n  ..." if len(unreadable) > 5 else "")
        )


def _digest_or_reason(path: Path) -> tuple[str, str | None]:
    try:
        data = path.read_bytes()
        read_image(data, READ_SIZE)
    except OSError as error:
        return "", f"cannot be opened: {error.strerror or error}"
    except ImageError as error:
        return "", str(error)
    return hashlib.sha256(data).hexdigest(), None


def _with_splits(
    items: list[Item],
    digests: list[str],
    seed: int,
    validation_fraction: float | None,
    test_fraction: float | None,
    shown: str,
) -> list[Item]:
    """The items, each with its split: as given, or drawn."""
    given = items[0].split is not None
    train_classes = Counter(item.label for item in items if item.split in (None, TRAIN))
    for label in sorted({item.label for item in items}):
        if train_classes[label] == 0:
            where = ", ".join(sorted({str(item.split) for item in items if item.label == label}))
            raise DatasetError(
                f"'{shown}' has the class '{label}' in {where}, but no readable image of it in train "
                f"(there: {', '.join(sorted(train_classes))}). Add it to train, or remove it."
            )
        if train_classes[label] < 2 and not given:
            raise DatasetError(
                f"'{label}' in '{shown}' holds 1 readable image; a split needs at least 2 in each class. "
                f"Add images, or leave '{label}' out."
            )
    if not any(item.split == VALIDATION for item in items):
        fraction = splits.VALIDATION_FRACTION if validation_fraction is None else validation_fraction
        items = _move(
            items, digests, TRAIN, VALIDATION, seed, lambda labels: splits.fraction_of_each(labels, fraction, keep=1)
        )
        if not any(item.split == TEST for item in items):
            # of what is left, so that the fraction is one of all images
            fraction = (splits.TEST_FRACTION if test_fraction is None else test_fraction) / (1 - fraction)
            items = _move(
                items, digests, TRAIN, TEST, seed, lambda labels: splits.fraction_of_each(labels, fraction, keep=1)
            )
    elif not any(item.split == TEST for item in items):
        fraction = splits.TEST_FRACTION_OF_VALIDATION if test_fraction is None else test_fraction
        items = _move(
            items, digests, VALIDATION, TEST, seed,
            lambda labels: splits.proportional(labels, splits.size_of_test(len(labels), fraction)),
        )  # fmt: skip
    return items


def _move(
    items: list[Item],
    digests: list[str],
    source: str,
    target: str,
    seed: int,
    wanted: Callable[[list[str]], dict[str, int]],
) -> list[Item]:
    """Draw some of the images of split `source` (None counts as train) and put them into split `target`."""
    items = [replace(item, split=item.split or TRAIN) for item in items]
    indices = [index for index, item in enumerate(items) if item.split == source]
    labels = [items[index].label for index in indices]
    picked = splits.draw(
        [items[index].name for index in indices],
        labels,
        [digests[index] for index in indices],
        wanted=wanted(labels),
        seed=seed,
    )
    for index, is_picked in zip(indices, picked, strict=True):
        if is_picked:
            items[index] = replace(items[index], split=target)
    return items


def _notes(items: list[Item], digests: list[str]) -> list[str]:
    """What the owner of the data should know about its splits."""
    notes = []
    trained = {digest for item, digest in zip(items, digests, strict=True) if item.split == TRAIN}
    for name in (VALIDATION, TEST):
        held_out = [(item, digest) for item, digest in zip(items, digests, strict=True) if item.split == name]
        leaked = [item for item, digest in held_out if digest in trained]
        if leaked:
            notes.append(
                f"{len(leaked)} images in {name} are byte for byte also in train (such as '{leaked[0].name}'), "
                f"which makes the accuracy there look better than it is"
            )
        unseen = sorted({item.label for item in items} - {item.label for item, _ in held_out})
        if held_out and unseen:
            notes.append(f"{name} holds no image of {', '.join(unseen)}, so nothing is measured there")
    return notes


def _build(
    items: list[Item], digests: list[str], unreadable: tuple[Unreadable, ...], notes: tuple[str, ...]
) -> Dataset:
    class_names = tuple(sorted({item.label for item in items}))
    parts = []
    for name in SPLITS:
        chosen = [index for index, item in enumerate(items) if item.split == name]
        parts.append(_split([items[index] for index in chosen], [digests[index] for index in chosen], class_names))
    return Dataset(class_names, *parts, unreadable=unreadable, notes=notes)


def _split(items: Sequence[Item], digests: Sequence[str], class_names: tuple[str, ...]) -> Split:
    number = {name: index for index, name in enumerate(class_names)}
    return Split(
        paths=tuple(str(item.path.absolute()) for item in items),
        labels=np.array([number[item.label] for item in items], dtype=np.int32),
        digests=tuple(digests),
        class_names=class_names,
    )


def _names(split: Split) -> list[str]:
    return [split.class_names[label] for label in split.labels]


def _draw(split: Split, wanted: dict[str, int], seed: int) -> Split:
    return split.take(np.flatnonzero(splits.draw(split.paths, _names(split), split.digests, wanted=wanted, seed=seed)))
