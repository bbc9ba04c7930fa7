"""Labels -> in which fold of cross-validation each photo is. Folds stay as they are while labels change, so that heads
can be solved from the last ones on. Knows no features."""

from __future__ import annotations

import numpy as np

from headstart.array_types import Bool, Float64, Int
from headstart.features.linear_head import FOLDS

NO_FOLD = -1  # trained on in all folds, and answered by none of their heads


def extended(
    folds: Int[np.ndarray, " n"], labels: Int[np.ndarray, " n"], groups: Int[np.ndarray, " n"], *, seed: int
) -> Int[np.ndarray, " n"]:
    """The same folds, and one for each labelled photo that had none: those of a class evenly.

    labels: below 0 where there is none. groups: photos with the same number are in the same fold. A class of a single
    group has none: without it no head would know the class.
    """
    labelled = np.flatnonzero(labels >= 0)
    if not len(labelled):
        return folds
    numbers, standing, group = np.unique(groups[labelled], return_index=True, return_inverse=True)
    of_group, label = np.full(len(numbers), NO_FOLD), labels[labelled][standing]
    np.maximum.at(of_group, group, folds[labelled])
    of_group[_alone(of_group, label)] = NO_FOLD
    order = np.random.default_rng(seed).random(int(numbers[-1]) + 1)[numbers]  # of a group the same, whatever others
    found = folds.copy()
    found[labelled] = _spread(of_group, label, order)[group]
    return found


def _alone(folds: np.ndarray, labels: np.ndarray) -> Bool[np.ndarray, " groups"]:
    """The groups of classes whose groups are all in one fold, as when a few photos have become a new class."""
    seen = np.zeros((int(labels.max()) + 1, FOLDS), bool)
    placed = folds >= 0
    seen[labels[placed], folds[placed]] = True
    return seen[labels].sum(axis=1) == 1


def _spread(folds: np.ndarray, labels: np.ndarray, order: Float64[np.ndarray, " groups"]) -> Int[np.ndarray, " groups"]:
    """A fold for each group that has none: that with the fewest of its class, and the fewest of all."""
    found = folds.copy()
    sizes = np.zeros((int(labels.max()) + 1, FOLDS), np.int64)
    placed = folds >= 0
    np.add.at(sizes, (labels[placed], folds[placed]), 1)
    total, groups = sizes.sum(axis=0), np.bincount(labels)
    new = np.flatnonzero(~placed & (groups[labels] > 1))
    for place in new[np.argsort(order[new], kind="stable")]:
        label = labels[place]
        fold = min(range(FOLDS), key=lambda number: (sizes[label, number], total[number], number))
        sizes[label, fold] += 1
        total[fold] += 1
        found[place] = fold
    return found
