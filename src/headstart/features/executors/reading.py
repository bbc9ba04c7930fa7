"""Photos that are read, decoded and hashed through an executor: see `look_at`, which does that on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headstart.data.collection import Read
from headstart.data.items import Item
from headstart.data.loading import Look, look_at
from headstart.features.executors.ray import RayExecutor

PHOTOS = 2_000  # of a task, at most: some ten seconds of a core


def looking_on(executor: RayExecutor | None) -> Look | None:
    """What `read_collection` looks at files with; None: this machine does."""
    if executor is None:
        return None

    def look(items: Sequence[Item], known: Mapping[bytes, int]) -> Iterator[Read | str]:
        size = max(1, min(PHOTOS, -(-len(items) // executor.side_by_side)))
        tasks = (tuple(items[start : start + size]) for start in range(0, len(items), size))
        for found in executor.map(look_at_task, tasks):
            yield from found

    return look


def look_at_task(items: Sequence[Item]) -> list[Read | str]:
    """What a machine of the cluster does. It decodes all of them: what is known is known to others."""
    return list(look_at(items, {}))
