"""Images and their features -> which of them are the same photo: byte for byte, pixel for pixel, or nearly.

Features only select the pairs that are worth comparing; every reported pair is confirmed by its pixels. Knows no model,
no labels and no cache (`duplicate_cache.py`).
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from headstart.array_types import Bool, Int, Int64
from headstart.concurrency import cpu_budget, prefetch
from headstart.data.dataset import Split
from headstart.data.images import read_again
from headstart.data.packed import numbered
from headstart.data.value_range import FULL, ValueRange
from headstart.events import Listener, Task, advancing
from headstart.features.neighbours import LEAST, closest_pairs
from headstart.features.rows import Chosen, Rows
from headstart.inspection.findings import BYTES, NEAR, PIXELS
from headstart.inspection.image_match import SIDE, Structure, match
from headstart.storage.locations import Fetched, fetched, map_fetched

# similarity: all copies but 1 in 60 are above it; different photos are far below; some plain things of a kind are not
MIN_SIMILARITY = 0.9
# where more images look alike than a photo has copies, they show things of one kind, and similarity proves less
# (benchmarks/LOG.md)
CROWD = 10  # different files
MIN_SIMILARITY_IN_A_CROWD = 0.975
IDENTICAL = 0.99  # from here on the pixels are worth comparing one by one
CHUNK = 512  # pairs; the parts of their images that are compared take at most 90 MB
AHEAD = 8  # pairs whose pixels are handed to the threads before they are needed
# Pairs per image, on average, that may be compared without success: the time grows with the number of images, however
# alike they are, while all copies of a photo with many copies are found.
MAX_MISSES_PER_IMAGE = 1.0
MIN_MISSES = 1_000  # that are allowed in any case


@dataclass(frozen=True)
class Pair:
    """Two images of the same photo; `similarity` is 1 for the same bytes or pixels, else the correlation.

    mirrored: whether one is the other's mirror image.
    """

    first: int
    second: int
    kind: str
    similarity: float
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The copies among n images.

    pairs: the confirmed copies: as few pairs as connect all copies, the surest ones.
    groups: images with the same number show the same photo, or belong to one crowd of things that look alike, which is
        safe to keep on one side of a split, too.
    limit: the cosine of features from which on pairs were compared.
    compared: how many pairs were compared, including those that earlier pairs had already shown to be copies.
    is_exact: whether features were searched for all pairs; else by an index, which may miss some.
    """

    pairs: tuple[Pair, ...]
    groups: Int[np.ndarray, " n"]
    limit: float = LEAST
    compared: int = 0
    is_exact: bool = True

    def members(self) -> list[np.ndarray]:
        """The indices of the images of each group of two or more."""
        order = np.argsort(self.groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.groups[order])) + 1)
        return [part for part in parts if len(part) > 1]


def find_duplicates(images: Split, features: Rows, *, value_range: ValueRange = FULL, listener: Listener) -> Duplicates:
    """Find the copies among images.

    Args:
        images: of any splits and classes; their labels are not used.
        features: (n, depth), from a pretrained network; similar photos have similar directions.
        value_range: what is black and white in photos with 16 bits a value.

    Raises:
        ImageError: a file was changed, moved or damaged since the collection was read.
    """
    twin = numbered(images.digests)
    first = np.unique(twin, return_index=True)[1]
    repeated = np.flatnonzero(first[twin] != np.arange(len(images))).tolist()
    pairs = [Pair(int(first[twin[i]]), i, BYTES, 1.0) for i in repeated]
    different = np.sort(first)
    close = closest_pairs(Chosen(features, different))
    confirmed, compared = _confirmed(images.paths, different[close.pairs], value_range, listener)
    pairs += confirmed
    groups = grouped(len(images), pairs)
    crowded = np.bincount(groups[different]) > CROWD
    sure = [pair for pair in pairs if pair.similarity >= MIN_SIMILARITY_IN_A_CROWD or not crowded[groups[pair.first]]]
    limit = float(close.similarities[compared - 1]) if compared < len(close.pairs) else LEAST
    return Duplicates(_surest(len(images), sure), groups, limit, compared, close.is_exact)


def find_copies(
    images: Split,
    seen: Bool[np.ndarray, " n"],
    features: Rows,
    *,
    value_range: ValueRange = FULL,
    listener: Listener,
) -> Int64[np.ndarray, " m"]:
    """Which of the images that are not `seen` are copies of one that is: indices, ascending. Arguments: see
    `find_duplicates`."""
    close = closest_pairs(features).pairs
    across = close[seen[close[:, 0]] != seen[close[:, 1]]]
    confirmed, _ = _confirmed(images.paths, across, value_range, listener)
    found = {pair.second if seen[pair.first] else pair.first for pair in confirmed}
    return np.array(sorted(found), np.int64)


def grouped(count: int, pairs: Sequence[Pair]) -> Int[np.ndarray, " count"]:
    """A number for each of `count` images, the same for images that pairs connect."""
    return connected_components(_graph(count, pairs), directed=False)[1]


def _surest(count: int, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The fewest pairs that connect the same images; of several choices, the surest ones."""
    tree = minimum_spanning_tree(_graph(count, pairs)).tocoo()
    kept = {(int(row), int(column)) for row, column in zip(tree.row, tree.col, strict=True)}
    return tuple(pair for pair in pairs if (pair.first, pair.second) in kept)


def _graph(count: int, pairs: Sequence[Pair]) -> coo_matrix:
    distances = [{BYTES: 1.0, PIXELS: 2.0, NEAR: 4.0 - pair.similarity}[pair.kind] for pair in pairs]
    places = [pair.first for pair in pairs], [pair.second for pair in pairs]
    return coo_matrix((distances, places), shape=(count, count))


def _confirmed(
    paths: Sequence[str], candidates: Int64[np.ndarray, "m 2"], value_range: ValueRange, listener: Listener
) -> tuple[list[Pair], int]:
    """The candidates that their pixels confirm, and how many were compared before too many had failed.

    candidates: the most promising ones first.
    """
    found: list[Pair] = []
    compared, misses_left = 0, max(MIN_MISSES, round(MAX_MISSES_PER_IMAGE * len(paths)))
    with (
        ThreadPoolExecutor(cpu_budget()) as pool,
        advancing(listener, Task.COMPARE, "Comparing images", len(candidates)) as advance,
    ):
        while misses_left > 0 and compared < len(candidates):
            copies = grouped(len(paths), [pair for pair in found if pair.similarity >= MIN_SIMILARITY_IN_A_CROWD])
            new = candidates[compared : compared + max(misses_left, CHUNK)]
            unknown = new[copies[new[:, 0]] != copies[new[:, 1]]]
            compared, hits_before = compared + len(new), len(found)
            advance(len(new) - len(unknown))
            for chunk in _neighbourhoods(unknown, len(paths)):
                found += _compare_chunk(paths, chunk, value_range, pool)
                advance(len(chunk))
            misses_left -= len(unknown) - (len(found) - hits_before)
    return found, compared


def _compare_chunk(
    paths: Sequence[str], chunk: Int64[np.ndarray, "m 2"], value_range: ValueRange, pool: Executor
) -> list[Pair]:
    """The copies among some pairs; each image is read once, those that seem the same pixel by pixel twice."""
    needed = np.unique(chunk).tolist()
    structure = partial(_structure, value_range=value_range)
    structures = dict(zip(needed, map_fetched(pool, structure, [str(paths[i]) for i in needed]), strict=True))
    chosen = [(int(first), int(second)) for first, second in chunk]
    matches = list(pool.map(lambda pair: match(structures[pair[0]], structures[pair[1]]), chosen))
    alike = [pair for pair, (similarity, _) in zip(chosen, matches, strict=True) if similarity > IDENTICAL]
    contents = fetched(str(paths[i]) for pair in alike for i in pair)
    same = partial(_same_pixels, paths, value_range)
    is_same = dict(zip(alike, prefetch(pool, same, zip(alike, contents, contents, strict=True), AHEAD), strict=True))
    return [
        Pair(*pair, PIXELS, 1.0) if is_same.get(pair) else Pair(*pair, NEAR, similarity, mirrored)
        for pair, (similarity, mirrored) in zip(chosen, matches, strict=True)
        if similarity >= MIN_SIMILARITY
    ]


def _structure(path: str, content: Fetched, *, value_range: ValueRange) -> Structure:
    return Structure.of(read_again(path, SIDE, value_range=value_range, content=content))


def _same_pixels(
    paths: Sequence[str], value_range: ValueRange, given: tuple[tuple[int, int], Fetched, Fetched]
) -> bool:  # fmt: skip
    """given: a pair, and for each of the two what `fetched` gives."""
    pair, *contents = given
    first, second = (
        read_again(str(paths[i]), None, value_range=value_range, content=content)
        for i, content in zip(pair, contents, strict=True)
    )
    return np.array_equal(first, second)


def _neighbourhoods(candidates: Int64[np.ndarray, "m 2"], count: int) -> Iterator[Int64[np.ndarray, "k 2"]]:
    """The candidates, CHUNK at a time, in an order in which few images are needed more than once."""
    graph = coo_matrix((np.ones(len(candidates)), (candidates[:, 0], candidates[:, 1])), shape=(count, count))
    part = connected_components(graph, directed=False)[1]
    order = np.lexsort((candidates[:, 0], part[candidates[:, 0]]))
    for start in range(0, len(order), CHUNK):
        yield candidates[order[start : start + CHUNK]]
