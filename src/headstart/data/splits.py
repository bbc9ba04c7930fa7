"""Seeded, stratified train / validation / test. Knows labels and names, no files.

What is drawn depends on the names, the labels and the seed, and never on the order in which files were found.
Copies of one photo form a group, and a group is never torn apart.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

VALIDATION_FRACTION = 0.15  # of all images, where the user has drawn no split ...
TEST_FRACTION = 0.15  # ... which leaves 70% for training
TEST_FRACTION_OF_VALIDATION = 0.2  # where the user has drawn train and validation only: a fifth, as the tutorial does
BATCH = 32  # the tutorial moves whole batches from validation to test


def draw(
    names: Sequence[str], labels: Sequence[str], groups: Sequence[Hashable], *, wanted: dict[str, int], seed: int
) -> np.ndarray:
    """Pick, class by class in proportion, `wanted[label]` images of each label.

    Args:
        names: of the images, unique; they fix the order from which is drawn.
        labels: their classes.
        groups: images with the same group stay together (it belongs to the class of its first image).
        wanted: how many images of each class to pick.
        seed: of the random order.

    Returns:
        bool (len(names),): picked or not. As many as wanted, or fewer where a group would be torn apart; but where all
        groups of a class are larger than what is wanted of it, the smallest, if others stay.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(range(len(names)), key=lambda i: names[i]):
        members[groups[index]].append(index)
    of_class: dict[str, list[list[int]]] = defaultdict(list)
    for group in members.values():
        of_class[labels[group[0]]].append(group)

    picked = np.zeros(len(names), dtype=bool)
    rng = np.random.default_rng(seed)
    for label in sorted(of_class):
        room = wanted.get(label, 0)
        for position in rng.permutation(len(of_class[label])):
            group = of_class[label][position]
            if len(group) <= room:
                picked[group] = True
                room -= len(group)
        if room == wanted.get(label, 0) > 0 and len(of_class[label]) > 1:  # nothing was small enough
            picked[min(of_class[label], key=len)] = True
    return picked


def in_turn(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int (n,): all images in random order, taken in turn from one class after the other, as long as they last."""
    order = rng.permutation(len(labels))
    turn = np.zeros(len(labels), dtype=int)  # the how-manieth of its class an image is, in that order
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        turn[of_class] = np.arange(len(of_class))
    return order[np.argsort(turn[order], kind="stable")]


def proportional(labels: Sequence[str], total: int) -> dict[str, int]:
    """Share `total` among the classes in proportion to their sizes; the largest remainders round up."""
    classes, counts = np.unique(np.asarray(labels, dtype=object).astype(str), return_counts=True)
    exact = counts * (total / max(len(labels), 1))
    shares = np.floor(exact).astype(int)
    for index in np.argsort(shares - exact, kind="stable")[: total - shares.sum()]:
        shares[index] += 1
    return dict(zip(classes.tolist(), shares.tolist(), strict=True))


def fraction_of_each(labels: Sequence[str], fraction: float, *, keep: int) -> dict[str, int]:
    """`fraction` of each class, rounded, at least one where `keep` images stay behind; 0 for a fraction of 0."""
    classes, counts = np.unique(np.asarray(labels, dtype=object).astype(str), return_counts=True)
    if fraction == 0:
        return {}
    wanted = np.minimum(np.maximum(np.round(counts * fraction).astype(int), 1), np.maximum(counts - keep, 0))
    return dict(zip(classes.tolist(), wanted.tolist(), strict=True))


def size_of_test(count: int, fraction: float = TEST_FRACTION_OF_VALIDATION) -> int:
    """How many of `count` validation images become the test set: in whole batches of 32 where there are enough.

    1,000 images are 32 batches; a fifth are 6 batches, 192 images, and 26 batches stay (the tutorial's numbers).
    """
    images = int(count * fraction)
    return images - images % BATCH if images >= BATCH else images
