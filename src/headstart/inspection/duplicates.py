"""Images and their features -> which of them are the same photo: byte for byte, pixel for pixel, or nearly.

Features only say which pairs are worth a look; what is reported, the pixels confirm. Knows no model and no labels.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from headstart.concurrency import cpu_budget
from headstart.data.dataset import Split
from headstart.data.images import read_again, read_image
from headstart.events import Listener, Task, advancing
from headstart.features.neighbours import LEAST, closest_pairs
from headstart.features.rows import Chosen, Rows
from headstart.inspection.findings import BYTES, NEAR, PIXELS
from headstart.inspection.image_match import SIDE, Structure, match

# similarity: copies are above it, but for 1 in 60; different photos are far below; some plain things of a kind are not
ENOUGH = 0.9
# where more look alike than a photo has copies, they are things of one kind, and that says less (benchmarks/LOG.md)
CROWD = 10  # different files
ENOUGH_IN_A_CROWD = 0.975
IDENTICAL = 0.99  # from here on it is worth to compare pixel by pixel
TOGETHER = 512  # pairs; what is compared of their images takes at most 90 MB
# Pairs of an image, on average, that may be looked at in vain: time grows as the images do, however alike they are,
# while of a photo with many copies all of them are found.
IN_VAIN = 1.0
FEW_IN_VAIN = 1_000  # so many in any case


@dataclass(frozen=True)
class Pair:
    """Two images that are the same photo; `similarity` is 1 for the same bytes or pixels, else the correlation."""

    first: int
    second: int
    kind: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Duplicates:
    """What was found among n images.

    pairs: the copies: as few as hold them together, the surest ones.
    groups: int (n,): images with the same number are the same photo, or of one crowd of things that look alike: it is
        safe to keep these on one side of a split, too.
    limit: the cosine of features from which on pairs were looked at.
    looked_at: how many pairs, with those that others had shown to be copies before.
    """

    pairs: tuple[Pair, ...]
    groups: np.ndarray
    limit: float = LEAST
    looked_at: int = 0

    def members(self) -> list[np.ndarray]:
        """Of each group of two or more, the indices of its images."""
        order = np.argsort(self.groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.groups[order])) + 1)
        return [part for part in parts if len(part) > 1]


def find_duplicates(images: Split, features: Rows, *, listener: Listener) -> Duplicates:
    """
    Args:
        images: of any splits and classes; their labels are not looked at.
        features: (n, depth), what a pretrained network says of each; similar photos have similar directions.

    Raises:
        ImageError: a file was changed, moved or damaged since the collection was read.
    """
    _, first, twin = np.unique(images.digests, return_index=True, return_inverse=True)
    pairs = [Pair(int(first[twin[i]]), i, BYTES, 1.0) for i in range(len(images)) if first[twin[i]] != i]
    different = np.sort(first)
    close = closest_pairs(Chosen(features, different))
    confirmed, looked_at = _confirmed(images.paths, different[close.pairs], listener)
    pairs += confirmed
    groups = grouped(len(images), pairs)
    crowded = np.bincount(groups[different]) > CROWD
    sure = [pair for pair in pairs if pair.similarity >= ENOUGH_IN_A_CROWD or not crowded[groups[pair.first]]]
    limit = float(close.similarities[looked_at - 1]) if looked_at < len(close.pairs) else LEAST
    return Duplicates(_surest(len(images), sure), groups, limit, looked_at)


def grouped(count: int, pairs: Sequence[Pair]) -> np.ndarray:
    """int (count,): a number for each image, the same where pairs lead from one to the other."""
    return connected_components(_graph(count, pairs), directed=False)[1]


def _surest(count: int, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Of the pairs, those that still connect what all of them connect, and no more; the surest ones."""
    tree = minimum_spanning_tree(_graph(count, pairs)).tocoo()
    kept = {(int(row), int(column)) for row, column in zip(tree.row, tree.col, strict=True)}
    return tuple(pair for pair in pairs if (pair.first, pair.second) in kept)


def _graph(count: int, pairs: Sequence[Pair]) -> coo_matrix:
    distances = [{BYTES: 1.0, PIXELS: 2.0, NEAR: 4.0 - pair.similarity}[pair.kind] for pair in pairs]
    places = [pair.first for pair in pairs], [pair.second for pair in pairs]
    return coo_matrix((distances, places), shape=(count, count))


def _confirmed(paths: Sequence[str], candidates: np.ndarray, listener: Listener) -> tuple[list[Pair], int]:
    """Those of the candidates, int (m, 2), that the pixels confirm, and how many were looked at, from the first one on,
    before too many of them had been in vain."""

    def compare(pair: tuple[int, int]) -> Pair | None:
        first, second = pair
        alike = match(pictures[first], pictures[second])
        if alike < ENOUGH:
            return None
        if alike > IDENTICAL and _same_pixels(paths[first], paths[second]):
            return Pair(first, second, PIXELS, 1.0)
        return Pair(first, second, NEAR, alike)

    found: list[Pair] = []
    looked_at, allowed = 0, max(FEW_IN_VAIN, round(IN_VAIN * len(paths)))
    with (
        ThreadPoolExecutor(cpu_budget()) as pool,
        advancing(listener, Task.COMPARE, "Comparing images", len(candidates)) as advance,
    ):
        while allowed > 0 and looked_at < len(candidates):
            copies = grouped(len(paths), [pair for pair in found if pair.similarity >= ENOUGH_IN_A_CROWD])
            new = candidates[looked_at : looked_at + max(allowed, TOGETHER)]
            unknown = new[copies[new[:, 0]] != copies[new[:, 1]]]
            looked_at, before = looked_at + len(new), len(found)
            advance(len(new) - len(unknown))
            for some in _neighbourhoods(unknown, len(paths)):
                needed = np.unique(some).tolist()
                read = pool.map(lambda image: Structure.of(read_again(str(paths[image]), SIDE)), needed)
                pictures = dict(zip(needed, read, strict=True))
                found += [pair for pair in pool.map(compare, map(tuple, some.tolist())) if pair]
                advance(len(some))
            allowed -= len(unknown) - (len(found) - before)
    return found, looked_at


def _neighbourhoods(candidates: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """The candidates, TOGETHER at a time, so ordered that few images are needed more than once."""
    graph = coo_matrix((np.ones(len(candidates)), (candidates[:, 0], candidates[:, 1])), shape=(count, count))
    part = connected_components(graph, directed=False)[1]
    order = np.lexsort((candidates[:, 0], part[candidates[:, 0]]))
    for start in range(0, len(order), TOGETHER):
        yield candidates[order[start : start + TOGETHER]]


def _same_pixels(first: str, second: str) -> bool:
    return np.array_equal(read_image(first), read_image(second))
