"""Sums over features whose shards stay where they lie: each core of a cluster has some of them in its memory.

In each step of a solution a head goes to all of them, and a loss and its derivatives come back, added up in a tree:
some hundred kilobytes, however many photos there are. A machine that is lost is replaced by another, which reads its
shards again, so the sums are the same. They are those of one machine, too, to the last bit, if its processor rounds
alike: of the same pieces (`rows.pieces`), which add up to the same in any order (`sums.on_grid`). Knows no images.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from headstart.cluster import connect
from headstart.concurrency import limit_cores, single_threaded_products
from headstart.features.depth_head import IN_MEMORY
from headstart.features.executors.ray import RayExecutor, added_in_a_tree, result
from headstart.features.rows import PIECE, Rows, stored
from headstart.features.shared_store import for_all_machines
from headstart.features.store import DIGEST, Features
from headstart.features.sums import Loss, Sums, added, loss_of, on_grid, squares_of, sum_of
from headstart.numerics import Truth
from headstart.storage import locations

Wanted = tuple[str, np.ndarray, np.ndarray]  # path or URL of a shard, rows of it (m,), and what is right of them


@contextmanager
def sums_on(
    executor: RayExecutor | None, views: Sequence[Rows], truth: Truth, counts: np.ndarray
) -> Iterator[Sums | None]:
    """Sums by the machines of a cluster; None where there is none, or where this machine has room for all features.

    views: of the same images, by an extractor with that executor. truth: of these. counts: what an image of each class
    counts.
    """
    features = [found for view in views if (found := stored(view)) is not None]
    numbers = views[0][:0].shape[1]
    if executor is None or len(features) < len(views) or 4 * numbers * sum(map(len, views)) <= IN_MEMORY:
        yield None
        return
    files = [str(shard.filename) for each in features for shard in each.shards if isinstance(shard, np.memmap)]
    if len(files) < sum(len(each.shards) for each in features):  # some could not be kept
        yield None
        return
    places = dict(zip(files, for_all_machines(files, executor.store), strict=True))
    wanted = [each for found in features for each in _wanted(found, truth, places)]
    with RaySums.of(executor, wanted, counts) as sums:
        yield sums


def _wanted(features: Features, truth: Truth, places: dict[str, str]) -> Iterator[Wanted]:
    """Shard by shard."""
    for number, indices in features.by_shard():
        file = features.shards[number].filename  # pyright: ignore[reportAttributeAccessIssue] - all are mapped
        yield places[str(file)], features.place[indices, 1], truth[indices]


class RaySums:
    """See `Sums`. The rows are those of some actors, one on each core."""

    def __init__(self, ray: Any, parts: Sequence[Any], rows: int) -> None:
        self._ray, self._parts, self.rows = ray, parts, rows
        self._added = ray.remote(num_cpus=0, max_retries=-1)(_added)

    @classmethod
    @contextmanager
    def of(cls, executor: RayExecutor, wanted: Sequence[Wanted], counts: np.ndarray) -> Iterator[RaySums]:
        """Sums of these rows, as long as they are used."""
        ray, count = connect(executor.address), min(executor.side_by_side, len(wanted))
        sizes = np.cumsum([len(rows) for _, rows, _ in wanted])
        part = np.minimum((sizes - 1) * count // sizes[-1], count - 1)  # as many rows each, in the order of the shards
        groups = [[each for each, at in zip(wanted, part, strict=True) if at == number] for number in range(count)]
        # a hundredth of a core, so that there is room for one whose machine is lost
        strategy = {"num_cpus": 0.01, "scheduling_strategy": "SPREAD"}
        actor = ray.remote(max_restarts=-1, max_task_retries=-1, **strategy)(_Part)
        sent = [
            ray.put(group) for group in groups if group
        ]  # kept: who takes over for a lost machine asks for it again
        rows = int(sizes[-1])
        parts = [actor.remote(each, counts, rows) for each in sent]
        try:
            yield cls(ray, parts, rows)
        finally:
            for each in parts:
                ray.kill(each)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        mean = np.sum(self._get([part.sum.remote() for part in self._parts]), axis=0) / self.rows
        sent = self._ray.put(mean)
        return mean, np.sum(self._get([part.squares.remote(sent) for part in self._parts]), axis=0) / self.rows

    def loss(self, kernel: np.ndarray, bias: np.ndarray) -> Loss:
        sent = self._ray.put(kernel)
        waiting = [part.loss.remote(sent, bias) for part in self._parts]
        return added(self._get(added_in_a_tree(self._added, waiting)))

    def _get(self, references: Sequence[Any]) -> list[Any]:
        return [result(self._ray, each) for each in references]


class _Part:
    """Some rows of features, in the memory of a process."""

    def __init__(self, wanted: Sequence[Wanted], counts: np.ndarray, rows: int) -> None:
        """rows: how many there are in all parts."""
        limit_cores(1)
        self._rows = rows
        self._shards = [(_side_by_side(place, rows), truth) for place, rows, truth in wanted]
        self._counts = counts

    def sum(self) -> np.ndarray:
        return sum_of([features for features, _ in self._shards])

    def squares(self, mean: np.ndarray) -> np.ndarray:
        return squares_of([features for features, _ in self._shards], mean)

    def loss(self, kernel: np.ndarray, bias: np.ndarray) -> Loss:
        with single_threaded_products():  # as on one machine, where each core has pieces of its own
            return added(
                on_grid(loss_of(features[place], truth[place], self._counts, kernel, bias), self._rows, self._counts)
                for features, truth in self._shards
                for place in (slice(start, start + PIECE) for start in range(0, len(features), PIECE))
            )


def _side_by_side(place: str, rows: np.ndarray) -> np.ndarray:
    """(m, numbers): all tensors of some rows of a shard, in 16 bits where they are kept so."""
    shard = np.load(io.BytesIO(locations.read(place)), allow_pickle=False)[rows]
    names = [name for name in shard.dtype.names or () if name != DIGEST]
    return np.concatenate([shard[name] for name in names], axis=1)


def _added(*losses: Loss) -> Loss:
    return added(losses)
