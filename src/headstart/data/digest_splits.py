"""Splits of collections so large that no draw among all photos is needed for even shares: a group's split is a function
of the digests of its photos and the seed, which any machine knows, and photos that are added move no others.

The share of each class is approximate: of 10,000 photos, 15% are 14.3% to 15.7%. Knows names and labels, opens no file.
"""

from collections.abc import Sequence

import numpy as np

from headstart.array_types import Bool
from headstart.data.packed import Digests, Names, numbered
from headstart.data.steady_splits import number_of

LARGE = 1_000_000  # images, from which on splits are drawn so


def names_by_digest(groups: Names, digests: Sequence[str]) -> Digests:
    """For each image the least digest in its group: the group's name, whatever else it was called."""
    if groups is digests:
        return Digests.of(digests)
    packed, numbers = Digests.of(digests), numbered(groups)
    order = np.lexsort((numbered(packed), numbers))
    first = order[np.flatnonzero(np.diff(numbers[order], prepend=-1))]  # of each group, the image with the least digest
    return packed.take(first[numbers])


def draw_by_digest(
    groups: Names, labels: Sequence[str], target: str, fraction: float, seed: int
) -> Bool[np.ndarray, " n"]:
    """Which images go to the split `target`: about `fraction` of the groups; of each label one group stays."""
    numbers, of_label = numbered(groups), numbered(labels)
    first = np.unique(numbers, return_index=True)[1]
    names = (str(groups[index]) for index in first.tolist())
    of_group = np.fromiter((number_of(name, target, seed) for name in names), np.float64, len(first))
    goes = of_group < fraction
    for label in range(of_label.max(initial=-1) + 1):
        inside = numbers[of_label == label]
        goes[inside[np.argmax(of_group[inside])]] = False
    return goes[numbers]
