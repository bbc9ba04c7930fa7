"""Names of files, labels and features -> signs that several photos show one thing (a patient, a plant, a site, a day).

Photos of one thing on both sides of a split make a classifier look better than it is on new things. Names suggest such
groups (p01_1.jpg, p01_2.jpg; a folder for each patient); whether they mean something is asked of the features: are
photos of one group each other's nearest neighbours far more often than photos of their class that are put into groups
at random? Knows no pixels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from headstart.array_types import Float32, Int, Int64
from headstart.features.neighbours import directions
from headstart.statistics import SIGNIFICANT

PARENT_FOLDER = "parent-folder"
_TOKEN, _MARK = "[^-_ /]+", "[-_ ]"  # marks separate the tokens of a file's name
# Expressions to be searched for in paths with forward slashes; what they match names the group.
EXPRESSIONS = (
    *(f"{(_TOKEN + _MARK) * more}{_TOKEN}(?={_MARK}[^/]*$)" for more in range(3)),  # the first tokens, up to three
    r"[^/]*[^/\d](?=\d+\.[^./]+$)",  # all before the last number
    r"[^/]*\d(?=[^/\W\d]+\.[^./]+$)",  # all before the last letters, which follow a number: 12a, 12left
)
PERMUTATIONS = 499
MAX_PHOTOS = 3_000  # that are looked at, in whole groups: their cosines take 36 MB
MAX_OF_A_GROUP = 50  # of these
MIN_GROUPS = 3  # of two photos or more, in all classes together
MIN_IN_GROUPS = 0.2  # share of the photos
MIN_MORE = 0.1  # share of photos whose nearest neighbour is of their group, beyond what chance gives
MIN_TIMES = 2.0  # the same, as a multiple
EXAMPLES = 3


@dataclass(frozen=True)
class SuspectedGroups:
    """Photos whose names form groups, and that look it.

    pattern: one of EXPRESSIONS, or PARENT_FOLDER.
    examples: names of some groups. groups, photos: how many groups of two photos or more there are, and photos in them.
    share: of those photos that were looked at, whose nearest neighbour in their class (copies left out) is of the same
        group. chance: the same of groups drawn at random within each class.
    p: of the permutation test, corrected for the number of patterns (Bonferroni).
    """

    pattern: str
    examples: tuple[str, ...]
    groups: int
    photos: int
    share: float
    chance: float
    p: float

    @property
    def sentence(self) -> str:
        """Without a full stop."""
        remedy = self.pattern if self.pattern == PARENT_FOLDER else f"'{self.pattern}'"
        where = "folders" if self.pattern == PARENT_FOLDER else "names"
        return (
            f"the {where} of {self.photos:,} photos make {self.groups:,} groups ({', '.join(self.examples)}, ...; "
            f"`--group-by {remedy}`), and for {self.share:.0%} of these photos the most similar one of their class is "
            f"of their group (by chance: {self.chance:.0%}): if a group shows one patient, plant, place or day, train "
            f"with that option, or the accuracy will look better than it is"
        )


def find_suspected_groups(
    names: Sequence[str],
    labels: Int[np.ndarray, " n"],
    class_names: Sequence[str],
    features: Float32[np.ndarray, "n numbers"],
    copies: Int[np.ndarray, " n"],
    *,
    seed: int,
) -> SuspectedGroups | None:
    """The pattern whose groups are most alike, if any are.

    Args:
        names: of the files, relative to the collection, with forward slashes.
        copies: images with the same number are copies of one photo, and so no sign of groups.
        seed: of the photos that are looked at, where there are many, and of the permutations.
    """
    found = []
    for pattern, groups in _groupings(names, labels, class_names).items():
        rng = np.random.default_rng(seed)
        chosen = _some(groups, rng)
        near = _nearest(features[chosen], labels[chosen], copies[chosen])
        share, chance, p = _likeness(groups[chosen], labels[chosen], near, rng)
        if p < SIGNIFICANT:
            found.append(_described(pattern, names, groups, share, chance, p))
    return max(found, key=lambda each: each.share - each.chance, default=None)


def name_of_group(pattern: str, name: str, label: str) -> str | None:
    """What `pattern` makes of the name of a file; None where it belongs to no group."""
    if pattern != PARENT_FOLDER:
        match = re.search(pattern, name.rpartition("/")[2])  # where all matches are: it is faster there
        return match and match[0]
    folder = PurePosixPath(name).parent
    return folder.as_posix() if folder.name not in ("", label) else None  # the folder of a class is no group


def _groupings(
    names: Sequence[str], labels: Int[np.ndarray, " n"], class_names: Sequence[str]
) -> dict[str, Int64[np.ndarray, " n"]]:
    """Pattern -> a number for each photo, the same for those of one class and group, of the patterns that make enough
    groups; of patterns that make the same groups, the first."""
    found: dict[str, np.ndarray] = {}
    if len(names) == 0:
        return found
    for pattern in (PARENT_FOLDER, *EXPRESSIONS):
        keys: dict[tuple[int, str | int], int] = {}
        groups = np.empty(len(names), np.int64)
        for place, (name, label) in enumerate(zip(names, map(int, labels), strict=True)):
            group = name_of_group(pattern, name, class_names[label])
            groups[place] = keys.setdefault((label, place if group is None else group), len(keys))
        sizes = np.bincount(groups)
        is_real = (sizes > 1) & (
            sizes < np.bincount(labels)[np.array([label for label, _ in keys])]
        )  # not all of a class
        enough = is_real.sum() >= MIN_GROUPS and sizes[is_real].sum() >= MIN_IN_GROUPS * len(names)
        if enough and not any(np.array_equal(groups, other) for other in found.values()):
            found[pattern] = groups
    return found


def _some(groups: Int64[np.ndarray, " n"], rng: np.random.Generator) -> Int64[np.ndarray, " m"]:
    """The photos of as many groups as MAX_PHOTOS allow, in the order of the collection."""
    if len(groups) <= MAX_PHOTOS:
        return np.arange(len(groups))
    order = rng.permutation(len(groups))
    drawn = rng.permutation(groups.max() + 1)[groups[order]]  # the groups in another order
    order, drawn = (each[np.argsort(drawn, kind="stable")] for each in (order, drawn))
    rank = np.arange(len(drawn)) - np.searchsorted(drawn, drawn)
    return np.sort(order[rank < MAX_OF_A_GROUP][:MAX_PHOTOS])


def _nearest(
    features: Float32[np.ndarray, "n numbers"], labels: Int[np.ndarray, " n"], copies: Int[np.ndarray, " n"]
) -> Int64[np.ndarray, " n"]:
    """Of each photo the most similar one of its class that is no copy of it; -1 where there is none."""
    near = np.full(len(labels), -1)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        ways = directions(features[members])
        cosines = ways @ ways.T
        cosines[copies[members][:, None] == copies[members]] = -np.inf
        best = cosines.argmax(axis=1)
        is_there = cosines[np.arange(len(members)), best] > -np.inf
        near[members[is_there]] = members[best[is_there]]
    return near


def _likeness(
    groups: Int64[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    near: Int64[np.ndarray, " n"],
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """The share of photos in groups whose nearest neighbour is of their group, the same by chance, and p.

    p is 1 where the share is no sign of groups, whatever chance says.
    """
    together = np.bincount(groups)[groups]
    has_near = near >= 0
    count = max(int((together > 1).sum()), 1)
    by_class = np.argsort(labels, kind="stable")

    def share(of: np.ndarray) -> float:
        return float((has_near & (of == of[near])).sum()) / count

    observed = share(groups)
    chance = float(((together - 1) / np.maximum(np.bincount(labels)[labels] - 1, 1)).sum()) / count
    if observed - chance < MIN_MORE or observed < MIN_TIMES * chance:
        return observed, chance, 1.0
    at_least, shuffled = 0, groups.copy()
    for _ in range(PERMUTATIONS):
        shuffled[by_class] = groups[np.lexsort((rng.random(len(groups)), labels))]
        at_least += share(shuffled) >= observed
    return observed, chance, min(1.0, (1 + at_least) / (1 + PERMUTATIONS) * (1 + len(EXPRESSIONS)))


def _described(
    pattern: str, names: Sequence[str], groups: Int64[np.ndarray, " n"], share: float, chance: float, p: float
) -> SuspectedGroups:
    sizes = np.bincount(groups)
    members = np.flatnonzero(sizes[groups] > 1)
    shown = dict.fromkeys(name_of_group(pattern, names[int(place)], "") for place in members)
    examples = tuple(name for name in shown if name)[:EXAMPLES]
    return SuspectedGroups(pattern, examples, int((sizes > 1).sum()), len(members), share, chance, p)
