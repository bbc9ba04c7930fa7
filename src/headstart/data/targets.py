"""Targets: what is right of images, as one number for each image and class. Knows no files and no networks.

A photo of an exclusive kind shows one class; where its label is a probability, that is shared among classes, and each
row adds up to 1. A photo of the kind "multi-label" shows any number of classes, also none: each number is 0 or 1, for
itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress

import numpy as np

from headstart.array_types import Bool, Float32, Int

SIGN = "|"  # between the labels of a photo, in tables


class Kind(StrEnum):
    """What the numbers of a row are to each other."""

    EXCLUSIVE = "exclusive"  # shares of one: they add up to 1
    MULTI_LABEL = "multi-label"  # independent of each other: 0 or 1


@dataclass(frozen=True, eq=False)
class Targets:
    """values: 0..1, a row an image, a column a class."""

    values: Float32[np.ndarray, "n classes"]
    kind: Kind = Kind.EXCLUSIVE

    @classmethod
    def one_hot(cls, labels: Int[np.ndarray, " n"], num_classes: int) -> Targets:
        """Of labels that are classes' numbers."""
        values = np.zeros((len(labels), num_classes), np.float32)
        values[np.arange(len(labels)), labels] = 1
        return cls(values)

    def take(self, indices: Sequence[int] | Int[np.ndarray, " m"]) -> Targets:
        """Those of the images at `indices`, in that order."""
        return Targets(self.values[np.asarray(indices, np.int64)], self.kind)

    def texts(self, class_names: Sequence[str]) -> Iterator[str]:
        """All classes of each image in one text, see `texts_of`."""
        return texts_of(self.values > 0, class_names)


def texts_of(rows: Bool[np.ndarray, "n classes"], class_names: Sequence[str]) -> Iterator[str]:
    """Of each row the names that it marks, as tables have them: "cats|dogs"; "" for none."""
    return (SIGN.join(compress(class_names, row)) for row in rows)
