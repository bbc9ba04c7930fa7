"""Lines of a table with weights of labels -> what share of a photo each class has. Knows no files.

Either several lines name a photo, each with a class and a weight, such as how many experts chose it: a class has the
part of the photo's weights that its lines have. Or each photo has one line, and there are two classes: the weight is
then the probability of the label, and the other class has the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from headstart.array_types import Float32, Int
from headstart.errors import DatasetError

Shares = tuple[tuple[str, float], ...]  # class -> its share, above 0, in the order of names; they add up to 1


class WeighedLine(NamedTuple):
    """place: of the line in its table, in words. photo: the same in each line of a photo."""

    place: str
    photo: str
    label: str
    weight: str


def read_shares(lines: Sequence[WeighedLine], source: str) -> tuple[dict[str, Shares], list[str]]:
    """The shares of each photo, and what is wrong with lines. source: of the lines, in words.

    Raises:
        DatasetError: there is one line per photo, and not two classes.
    """
    one_each = len({line.photo for line in lines}) == len(lines)
    classes = sorted({line.label for line in lines})
    if one_each:
        _check_two(classes, source)
    weights: dict[str, dict[str, float]] = {}
    first: dict[str, str] = {}
    faults = []
    for line in lines:
        weight, fault = _weight(line.weight, 1.0 if one_each else math.inf)
        if fault:
            faults.append(f"{line.place}: {fault}")
        of_photo = weights.setdefault(line.photo, {})
        first.setdefault(line.photo, line.place)
        of_photo[line.label] = of_photo.get(line.label, 0.0) + weight
        if one_each and not fault:
            (other,) = {*classes} - {line.label}
            of_photo[other] = 1 - weight
    shares = {}
    for photo, of_photo in weights.items():
        shares[photo] = normalised(of_photo)
        if not shares[photo] and not faults:
            faults.append(f"{first[photo]}: all weights of the photo are 0, but at least one is expected to be above 0")
    return shares, faults


def normalised(weights: Mapping[str, float]) -> Shares:
    """Of weights, 0 or more; none where all are 0. Exact in float32, so that the largest stays the largest there."""
    total = sum(weights.values())
    parts = ((name, float(np.float32(weights[name] / total))) for name in sorted(weights) if total)
    return tuple((name, share) for name, share in parts if share > 0)


def most_probable(shares: Shares) -> str:
    """The class with the largest share; of several, the first in the order of names."""
    return max(shares, key=lambda each: each[1])[0]


def as_array(
    shares: Iterable[Shares | None], labels: Int[np.ndarray, " n"], numbers: Mapping[str, int]
) -> Float32[np.ndarray, "n classes"]:
    """A row a photo, a column a class. shares: None: all of the photo is of its label. numbers: class -> its column."""
    found = np.zeros((len(labels), len(numbers)), np.float32)
    for row, (label, parts) in enumerate(zip(labels, shares, strict=True)):
        if parts is None:
            found[row, label] = 1
        for name, share in parts or ():
            found[row, numbers[name]] += share  # two spellings of a name may have become one
    return found


def _check_two(classes: Sequence[str], source: str) -> None:
    if len(classes) == 2:
        return
    named = f"{len(classes)} classes" if len(classes) > 1 else f"the one class {classes[0]!r}"
    rest = "which classes have the rest" if len(classes) > 1 else "what the other class is called"
    raise DatasetError(
        f"'{source}' has one line per photo, with a weight, and {named}: that does not say {rest}. Give each photo a "
        f"line for each class that has a share of it, with its weight; with two classes, make sure that both occur."
    )


def _weight(text: str, most: float) -> tuple[float, str | None]:
    """A weight, or what is wrong with it."""
    expected = "a number from 0 to 1, the probability of the label" if most == 1 else "a number, 0 or more"
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and 0 <= weight <= most):
        return 0.0, f"the weight {text!r}, where {expected}, is expected"
    return weight, None
