"""Features and labels -> which labels are doubtful, and which images are unlike the rest of their class.

Each image is judged by a head that has seen neither it nor a copy of it (out-of-fold). Which judgements count against
its label is decided as in confident learning: a class must be as probable as it usually is for images of that class
(Northcutt, Jiang and Chuang 2021, https://arxiv.org/abs/1911.00068); or else far more probable than the label. Knows no
files.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from headstart.concurrency import cpu_budget
from headstart.features import linear_head
from headstart.features.linear_head import FOLDS
from headstart.features.neighbours import directions, distances
from headstart.features.rows import Chosen, Rows
from headstart.numerics import probabilities

STRENGTH = linear_head.DEFAULT_C  # weaker heads than those that answer best: they learn fewer wrong labels by heart
LEARNED = 20_000  # images that such a head learns from at most: that of 1,280 features takes some 400 MB
CLEAR = 0.5  # where one class is so much more probable than the label, that is doubtful however sure a class usually is
NEAREST = 10  # images of the same class that an image is compared with
SHOWN = 2_000  # images of a class among which these are looked for
ENOUGH = 20  # images of a class, to say what is unusual there
UNUSUAL = 6.0  # robust standard deviations further away than the class's median


@dataclass(frozen=True)
class LabelIssue:
    """An image whose label is doubtful.

    suggested: the class that a head, trained without it, finds most probable.
    margin: the probability of its label minus that of the suggested class: -1 (surely wrong) to 0.
    """

    image: int
    suggested: int
    margin: float


@dataclass(frozen=True)
class Outlier:
    """An image far from the rest of its class: `distance` in robust standard deviations from the median."""

    image: int
    distance: float


def out_of_fold(features: Rows, labels: np.ndarray, groups: np.ndarray, *, seed: int) -> np.ndarray:
    """What heads that have not seen an image say of it.

    Args:
        features: (n, depth); labels: int (n,).
        groups: int (n,): images with the same number, copies of one photo, are never on two sides.
        seed: of the folds.

    Returns:
        float64 (n, classes): probabilities; NaN in the rows of classes with too few photos for as many folds, and in
        all rows where fewer than two classes have enough.
    """
    judged = np.full((len(labels), int(labels.max(initial=-1)) + 1), np.nan)
    _, first = np.unique(groups, return_index=True)  # one image stands for each group
    photos = np.bincount(labels[first], minlength=judged.shape[1])
    classes = np.flatnonzero(photos >= FOLDS)
    if len(classes) < 2:
        return judged
    rows = np.flatnonzero(np.isin(labels, classes))
    number = np.searchsorted(classes, labels)

    def judge(part: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        seen, unseen = rows[part[0]], rows[part[1]]
        seen = seen[linear_head.some_images(number[seen], LEARNED, seed)]
        # all classes count alike: else labels of a rare one would be doubtful wherever features say little
        counts = np.maximum(np.bincount(number[seen], minlength=len(classes)), 1)
        weights = len(seen) / (len(classes) * counts)
        solved = linear_head.solve(
            [Chosen(features, seen)], number[seen], len(classes), seed=seed, C=STRENGTH, class_weights=weights
        )
        return unseen, probabilities(solved.logits(Chosen(features, unseen)))

    with threadpool_limits(1), ThreadPoolExecutor(cpu_budget()) as pool:  # a head on each core
        for unseen, shares in pool.map(judge, linear_head.folds(number[rows], seed, groups[rows])):
            judged[unseen] = 0.0
            judged[np.ix_(unseen, classes)] = shares
    return judged


def doubtful(judged: np.ndarray, labels: np.ndarray) -> list[LabelIssue]:
    """The doubtful labels, the most doubtful first; `judged` as `out_of_fold` gives it."""
    known = ~np.isnan(judged).any(axis=1)
    members = [judged[known & (labels == label), label] for label in range(judged.shape[1])]
    usual = np.array([own.mean() if len(own) else np.inf for own in members])
    return [
        doubt
        for doubt in ranking(judged, labels)
        if doubt.margin <= -CLEAR or judged[doubt.image, doubt.suggested] >= usual[doubt.suggested]
    ]


def ranking(judged: np.ndarray, labels: np.ndarray) -> list[LabelIssue]:
    """All images that a head would call something else, the surest first."""
    own = judged[np.arange(len(labels)), labels]
    rest = judged.copy()
    rest[np.arange(len(labels)), labels] = -np.inf
    rest[np.isnan(rest)] = -np.inf
    best = rest.argmax(axis=1)
    margins = own - rest[np.arange(len(labels)), best]
    order = np.argsort(margins, kind="stable")
    return [LabelIssue(int(i), int(best[i]), float(margins[i])) for i in order if margins[i] < 0]


def outliers(features: Rows, labels: np.ndarray, *, seed: int) -> list[Outlier]:
    """Images whose nearest neighbours of their own class are unusually far away, the furthest first."""
    found = []
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < ENOUGH:
            continue
        shown = directions(features[np.sort(rng.permutation(members)[:SHOWN])])
        away = np.concatenate(
            # it is among those shown itself, and its copies may be: they are nearer
            [distances(directions(features[members[start : start + SHOWN]]), shown, NEAREST)
             for start in range(0, len(members), SHOWN)]
        )  # fmt: skip
        middle = np.median(away)
        usual = 1.4826 * float(np.median(np.abs(away - middle)))  # the standard deviation, were it a normal one
        if usual > 0:
            scores = (away - middle) / usual
            found += [Outlier(int(members[i]), float(scores[i])) for i in np.flatnonzero(scores > UNUSUAL)]
    return sorted(found, key=lambda outlier: -outlier.distance)
