"""Names, labels and a seed -> stratified train, validation and test splits. Knows no files.

The draw depends on the names, the labels and the seed, never on the order in which files were found. Copies of one
photo form a group, and a group stays together.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from headstart.array_types import Bool, Int

TRAIN, VALIDATION, TEST = "train", "validation", "test"
OTHER = "_other"  # the label of photos that are none of the classes: it is no class
SPLITS = (TRAIN, VALIDATION, TEST)

VALIDATION_FRACTION = 0.15  # of all images, where the collection has no splits ...
TEST_FRACTION = 0.15  # ... which leaves 70% for training
TEST_FRACTION_OF_VALIDATION = 0.2  # where it has train and validation only: a fifth, as in the tutorial
TUTORIAL_BATCH_SIZE = 32  # the tutorial moves whole batches from validation to test


def draw(
    names: Sequence[str], labels: Sequence[str], groups: Sequence[Hashable], *, wanted: dict[str, int], seed: int
) -> Bool[np.ndarray, " n"]:
    """Pick `wanted[label]` of n images for each label, at random.

    Args:
        names: of the images, unique; they fix the order that is drawn from.
        labels: of the images.
        groups: images with the same group stay together, also of several labels.
        wanted: how many images of each label to pick.
        seed: of the random order.

    Returns:
        whether each image was picked. Fewer than wanted are picked where a group would be torn apart; if all groups of
        a label are larger than wanted, the smallest of them is picked, unless it is the only one.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(range(len(names)), key=lambda i: names[i]):
        members[groups[index]].append(index)
    of_label: dict[str, list[list[int]]] = defaultdict(list)
    for group in members.values():
        of_label[labels[group[0]]].append(group)

    picked = np.zeros(len(names), dtype=bool)
    room = Counter(wanted)
    rng = np.random.default_rng(seed)
    for label in sorted(of_label):
        before = room[label]
        for position in rng.permutation(len(of_label[label])):
            group = of_label[label][int(position)]
            sizes = Counter(labels[index] for index in group)
            if all(sizes[name] <= room[name] for name in sizes):
                picked[group] = True
                room -= sizes
        if room[label] == before > 0 and len(of_label[label]) > 1:  # no group was small enough
            picked[min(of_label[label], key=len)] = True
    return picked


def round_robin(labels: Int[np.ndarray, " n"], rng: np.random.Generator) -> Int[np.ndarray, " n"]:
    """The indices of all images in random order, one from each class in turn for as long as it has any."""
    order = rng.permutation(len(labels))
    position = np.zeros(len(labels), dtype=int)  # within its class, in that order
    for label in np.unique(labels):
        of_label = order[labels[order] == label]
        position[of_label] = np.arange(len(of_label))
    return order[np.argsort(position[order], kind="stable")]


def proportional(labels: Sequence[str], total: int) -> dict[str, int]:
    """Divide `total` among the labels in proportion to their counts; the largest remainders round up."""
    classes, counts = np.unique(np.asarray(labels, dtype=object).astype(str), return_counts=True)
    exact = counts * (total / max(len(labels), 1))
    rounded = np.floor(exact).astype(int)
    for index in np.argsort(rounded - exact, kind="stable")[: total - rounded.sum()]:
        rounded[index] += 1
    return dict(zip(classes.tolist(), rounded.tolist(), strict=True))


def fraction_of_each(labels: Sequence[str], fraction: float, *, keep: int) -> dict[str, int]:
    """`fraction` of each label's images, rounded, but at least one, and always leaving `keep`. No images for 0."""
    classes, counts = np.unique(np.asarray(labels, dtype=object).astype(str), return_counts=True)
    if fraction == 0:
        return {}
    wanted = np.minimum(np.maximum(np.round(counts * fraction).astype(int), 1), np.maximum(counts - keep, 0))
    return dict(zip(classes.tolist(), wanted.tolist(), strict=True))


def size_of_test(count: int, fraction: float = TEST_FRACTION_OF_VALIDATION) -> int:
    """How many of `count` validation images become the test set: whole batches of 32, where there are enough.

    1,000 images are 32 batches; a fifth are 6 batches, 192 images, and 26 batches stay (the tutorial's numbers).
    """
    images = int(count * fraction)
    return images - images % TUTORIAL_BATCH_SIZE if images >= TUTORIAL_BATCH_SIZE else images
