"""Split and Dataset: paths, labels and class names, and questions about them. Reads no file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from headstart.array_types import Int, Int64
from headstart.data import splits
from headstart.data.groups import joined
from headstart.data.label_state import OWN_LABELS, LabelSummary
from headstart.data.packed import Names, chosen, numbered
from headstart.data.splits import TEST, TRAIN, VALIDATION
from headstart.data.stratification import draw_share
from headstart.data.targets import Kind, Targets
from headstart.data.value_range import FULL, KnownValues, ValueRange
from headstart.errors import DatasetError
from headstart.numerics import Truth


@dataclass(frozen=True, eq=False)
class Split:
    """n images with their labels, to train a classifier on, or to measure it on."""

    paths: Sequence[str]  # a tuple; of many images, packed (see `packed.py`)
    # indices into class_names: of soft targets, the largest one's; of several labels, the number of their combination
    labels: Int[np.ndarray, " n"]
    digests: Sequence[str]  # the same; SHA-256 of the files' bytes, hexadecimal
    class_names: tuple[str, ...]
    copies: Names = ()  # equal for copies of one photo, near ones too, if these were searched for
    groups: tuple[str, ...] = ()  # of the same patient, plant, site, day, ..., if the user names such groups
    given_targets: Targets | None = None  # where labels do not say everything; None: a class each

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def kind(self) -> Kind:
        return Kind.EXCLUSIVE if self.given_targets is None else self.given_targets.kind

    @property
    def is_soft(self) -> bool:
        """Whether labels are probabilities: a photo may be shared among classes."""
        return self.given_targets is not None and self.kind is Kind.EXCLUSIVE

    @property
    def truth(self) -> Truth:
        """What is right of images that show one class each: their labels; where these are probabilities, all shares."""
        return self.targets.values if self.is_soft else self.labels

    @cached_property
    def targets(self) -> Targets:
        """Of each image: those given, or its label as one."""
        if self.given_targets is None:
            return Targets.one_hot(self.labels, len(self.class_names))
        return self.given_targets

    @property
    def texts(self) -> Iterator[str]:
        """The label of each image as tables have it: its class, or all its labels with | between them."""
        if self.kind is Kind.MULTI_LABEL:
            return self.targets.texts(self.class_names)
        return (self.class_names[label] for label in self.labels)

    @cached_property
    def photos(self) -> Int64[np.ndarray, " n"]:
        """A number for each image, equal for images that belong on one side of a split: of the same photo, as far as
        known (by `copies`, or by digest), or of the same group."""
        names = self.copies if len(self.copies) else self.digests
        return numbered(joined(names, self.groups) if self.groups else names)

    def of_classes(self, class_names: tuple[str, ...]) -> "Split":
        """The same images; `class_names`: the first ones of its own, of which all images are."""
        targets = self.given_targets
        if targets is not None:
            targets = replace(targets, values=targets.values[:, : len(class_names)])
        return replace(self, class_names=class_names, given_targets=targets)

    def take(self, indices: Sequence[int] | Int[np.ndarray, " m"]) -> "Split":
        """The images at `indices`, in that order."""
        return replace(
            self,
            paths=chosen(self.paths, indices),
            labels=self.labels[np.asarray(indices, np.int64)],
            digests=chosen(self.digests, indices),
            copies=chosen(self.copies, indices) if len(self.copies) else (),
            groups=tuple(chosen(self.groups, indices)) if self.groups else (),
            given_targets=None if self.given_targets is None else self.given_targets.take(indices),
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
    hierarchy: bool = False  # whether class names are paths in a hierarchy: "birds/robin"

    def __len__(self) -> int:
        return len(self.train) + len(self.validation) + len(self.test)

    @property
    def kind(self) -> Kind:
        """Of its targets."""
        return self.train.kind

    def splits(self) -> dict[str, Split]:
        return {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}

    def check_splits(self) -> None:
        """
        Raises:
            DatasetError: it cannot be trained on, as a split that training needs has no images.
        """
        digests = [digest for split in self.splits().values() for digest in split.digests]
        check_splits({name: len(split) for name, split in self.splits().items()}, digests)

    def rows(self) -> list[tuple[str, ...]]:
        """See `each_row`."""
        return list(self.each_row())

    def each_row(self) -> Iterator[tuple[str, ...]]:
        """path, label, split, hash of every image, and if images have groups, that: the content of splits.csv."""
        for name, known in self.splits().items():
            for split in (known, *filter(None, [self.others.get(name)])):
                columns = split.paths, split.texts, split.digests, *([split.groups] if split.groups else [])
                for path, label, digest, *group in zip(*columns, strict=True):
                    yield path, label, name, digest, *group

    def sample(self, count: int, *, seed: int = 0) -> "Dataset":
        """About `count` of the images, in the same proportions of splits and classes, for a quick look.

        Each class keeps at least one image in each split that has any, so there may be a few more.
        """
        if count >= len(self):
            return self
        sampled = {}
        for name, split in self.splits().items():
            if split.kind is Kind.MULTI_LABEL:
                picked = draw_share(split.targets.values > 0, np.arange(len(split)), count / len(self), seed)
                sampled[name] = split.take(np.flatnonzero(picked))
                continue
            labels = list(split.texts)
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


def check_splits(sizes: Mapping[str, int], digests: Collection[str]) -> None:
    """
    Raises:
        DatasetError: no image is in a split that training needs. digests: of all images.
    """
    for name in (TRAIN, VALIDATION):
        if sizes[name]:
            continue
        photos = len(set(digests))
        remedy = "Leave out the fractions, or add images."
        if photos <= len(digests) // 2:
            originals = f"{photos:,} photos" if photos > 1 else "one photo"
            remedy = (
                f"All {len(digests):,} images are copies of {originals}, and copies stay on one side of the splits: "
                f"add other photos."
            )
        raise DatasetError(
            f"There are no {name} images, and training needs some. {remedy}", reason="empty-split", split=name
        )
