"""Split and Dataset: paths, labels and class names, and questions about them. Reads no file."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from headstart.array_types import Int, Int64
from headstart.data import splits
from headstart.data.groups import joined
from headstart.data.label_state import OWN_LABELS, LabelSummary
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.data.value_range import FULL, KnownValues, ValueRange


@dataclass(frozen=True, eq=False)
class Split:
    """n images with their labels, to train a classifier on, or to measure it on."""

    paths: tuple[str, ...]
    labels: Int[np.ndarray, " n"]  # indices into class_names
    digests: tuple[str, ...]  # SHA-256 of the files' bytes, hexadecimal
    class_names: tuple[str, ...]
    copies: tuple[Hashable, ...] = ()  # equal for copies of one photo, near ones too, if these were searched for
    groups: tuple[str, ...] = ()  # of the same patient, plant, site, day, ..., if the user names such groups

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def photos(self) -> Int64[np.ndarray, " n"]:
        """A number for each image, equal for images that belong on one side of a split: of the same photo, as far as
        known (by `copies`, or by digest), or of the same group."""
        names: Sequence[Hashable] = self.copies or self.digests
        if self.groups:
            names = joined(names, self.groups)
        numbers: dict[Hashable, int] = {}
        return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)

    def take(self, indices: Sequence[int] | Int[np.ndarray, " m"]) -> "Split":
        """The images at `indices`, in that order."""
        indices = [int(index) for index in indices]
        return replace(
            self,
            paths=tuple(self.paths[i] for i in indices),
            labels=self.labels[indices],
            digests=tuple(self.digests[i] for i in indices),
            copies=tuple(self.copies[i] for i in indices) if self.copies else (),
            groups=tuple(self.groups[i] for i in indices) if self.groups else (),
        )


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be used, and why."""

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
    value_range: ValueRange = FULL  # black and white of images with 16 bits a value
    known_values: KnownValues | None = None  # what values its images hold
    labels: LabelSummary = OWN_LABELS  # with which corrections of the user
    others: Mapping[str, Split] = field(default_factory=dict)  # split -> photos of none of the classes

    def __len__(self) -> int:
        return len(self.train) + len(self.validation) + len(self.test)

    def splits(self) -> dict[str, Split]:
        return {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}

    def without(self, name: str) -> str:
        """Why it cannot be trained on, if it has no images in a split."""
        photos = len({digest for split in self.splits().values() for digest in split.digests})
        remedy = "Leave out the fractions, or add images."
        if photos <= len(self) // 2:
            originals = f"{photos:,} photos" if photos > 1 else "one photo"
            remedy = (
                f"All {len(self):,} images are copies of {originals}, and copies stay on one side of the splits: "
                f"add other photos."
            )
        return f"There are no {name} images, and training needs some. {remedy}"

    def rows(self) -> list[tuple[str, ...]]:
        """path, label, split, hash of every image, and if images have groups, that: the content of splits.csv."""
        return [
            (path, split.class_names[label], name, digest, *group)
            for name, known in self.splits().items()
            for split in (known, *filter(None, [self.others.get(name)]))
            for path, label, digest, *group in zip(
                split.paths, split.labels, split.digests, *([split.groups] if split.groups else []), strict=True
            )
        ]

    def sample(self, count: int, *, seed: int = 0) -> "Dataset":
        """About `count` of the images, in the same proportions of splits and classes, for a quick look.

        Each class keeps at least one image in each split that has any, so there may be a few more.
        """
        if count >= len(self):
            return self
        sampled = {}
        for name, split in self.splits().items():
            labels = [split.class_names[label] for label in split.labels]
            counts = splits.proportional(labels, round(count * len(split) / len(self)))
            wanted = {label: max(number, 1) for label, number in counts.items()}
            picked = splits.draw(split.paths, labels, split.digests, wanted=wanted, seed=seed)
            sampled[name] = split.take(np.flatnonzero(picked))
        others = {name: split.take(range(round(count / len(self) * len(split)))) for name, split in self.others.items()}
        return replace(self, **sampled, others=others)

    def __str__(self) -> str:
        sizes = ", ".join(f"{len(split):,} {name}" for name, split in self.splits().items())
        found = f"{len(self):,} images of {len(self.class_names)} classes ({sizes}): {', '.join(self.class_names)}"
        others = sum(map(len, self.others.values()))
        return f"{found}; and {others:,} of none of them" if others else found
