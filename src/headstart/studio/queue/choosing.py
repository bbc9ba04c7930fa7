"""Photos without labels -> those whose labels would teach a head most, and clusters of like photos. Knows no words.

At first the most typical photos of clusters, of those clusters that no label covers (G. Hacohen, A. Dekel and
D. Weinshall, Active learning on a budget, ICML 2022); then photos between two classes that differ from each other
(as in G. Citovsky et al., Batch active learning at scale, NeurIPS 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from headstart.array_types import Float32, Int64
from headstart.studio.answers import Answers

CLUSTERED = 5_000  # photos, at most, that clusters are looked for among
LEAST_CLUSTER = 5  # photos; smaller ones teach little
TYPICAL = 10  # neighbours in its cluster that tell how typical a photo is
COVERED = 5  # labels of each class, on average, from which on heads know better than clusters what to ask
LEAST_COVERED = 20  # labels
UNCOVERED = 0.5  # share of clusters in which photos wait, and none has a label
PER_WANTED = 10  # photos with the smallest margins that are looked at for each that is wanted


def has_enough_labels(
    directions: Float32[np.ndarray, "n c"], candidates: Int64[np.ndarray, " m"], labels: np.ndarray, *, seed: int
) -> bool:
    """Whether the head's doubts are the better guide: there are some labels of each class, and they are spread over the
    collection. The labels of one cluster, given by one answer, are not: other kinds of photos may have none yet."""
    labelled = np.flatnonzero((labels >= 0) & directions.any(axis=1))
    wanted = max(LEAST_COVERED, COVERED * len(np.unique(labels[labelled])))
    if len(labelled) < wanted:
        return False
    rng = np.random.default_rng(seed)
    some = [each[rng.permutation(len(each))[:CLUSTERED]] for each in (candidates, labelled)]
    number = max(min(wanted, len(candidates) // LEAST_CLUSTER), 1)
    means = MiniBatchKMeans(number, random_state=seed, n_init=3, batch_size=1024).fit(directions[np.concatenate(some)])
    waits, held = (np.unique(part) for part in np.split(means.labels_, [len(some[0])]))
    return len(np.setdiff1d(waits, held)) <= UNCOVERED * number


def clusters(
    directions: Float32[np.ndarray, "n c"],
    candidates: Int64[np.ndarray, " m"],
    labelled: Int64[np.ndarray, " l"],
    count: int,
    *,
    seed: int,
) -> list[Int64[np.ndarray, " _"]]:
    """Clusters of candidates, the most typical photo of each first; those that hold no labelled photo, the largest
    first, before the others.

    count: of clusters without labels that are wanted. As many more are made as there are labels, so that each label
    may cover one.
    """
    rng = np.random.default_rng(seed)
    some = candidates if len(candidates) <= CLUSTERED else np.sort(rng.choice(candidates, CLUSTERED, replace=False))
    photos = np.concatenate([some, labelled])
    number = min(count + len(labelled), max(len(some) // LEAST_CLUSTER, 1), 500)
    means = MiniBatchKMeans(number, random_state=seed, n_init=3, batch_size=1024).fit(directions[photos])
    place = means.labels_
    held = np.bincount(place[len(some) :], minlength=number)
    sizes = np.bincount(place[: len(some)], minlength=number)
    order = np.lexsort((-sizes, held))
    members = [some[place[: len(some)] == each] for each in order if sizes[each]]
    large = [each for each in members if len(each) >= LEAST_CLUSTER] or members
    return [_typical_first(directions, each) for each in large[:count]]


def _typical_first(directions: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Those that are most similar to their nearest in the cluster."""
    ways = directions[members]
    cosines = np.sort(ways @ ways.T, axis=1)[:, ::-1][:, 1 : 1 + TYPICAL]
    typical = cosines.mean(axis=1) if cosines.shape[1] else np.zeros(len(members))
    return members[np.argsort(-typical, kind="stable")]


def most_informative(
    answers: Answers, directions: Float32[np.ndarray, "n c"], candidates: Int64[np.ndarray, " m"], count: int
) -> Int64[np.ndarray, " k"]:
    """The photos that teach most: of those with the smallest margins, such as differ from each other, in order."""
    margins = answers.margin[candidates]
    near = candidates[np.argsort(margins, kind="stable")[: count * PER_WANTED]]
    unsure = 1 - answers.margin[near].astype(np.float64)
    likeness = np.full(len(near), -1.0)
    chosen: list[int] = []
    for _ in range(min(count, len(near))):
        best = int(np.argmax(unsure * (1 - np.maximum(likeness, 0))))
        chosen.append(best)
        likeness = np.maximum(likeness, directions[near] @ directions[near[best]])
        unsure[best] = -1.0
    return near[chosen]


def proposals(answers: Answers, candidates: Int64[np.ndarray, " m"], least: float, most: int) -> list[np.ndarray]:
    """For each class, the candidates that are answered so with at least that probability, the surest first, at most
    `most`; the largest classes first."""
    sure = candidates[answers.confidence[candidates] >= least]
    sure = sure[np.argsort(-answers.confidence[sure], kind="stable")]
    of_class = [sure[answers.answer[sure] == label] for label in range(len(answers.class_names))]
    return [each[:most] for each in sorted(of_class, key=len, reverse=True) if len(each)]


def shuffled(candidates: Sequence[int], seed: int) -> Int64[np.ndarray, " m"]:
    """In random order: what the simulation compares with."""
    return np.random.default_rng(seed).permutation(np.asarray(candidates, np.int64))
