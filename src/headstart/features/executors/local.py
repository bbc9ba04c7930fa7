"""LocalExecutor: tasks in this process, where each keeps all cores busy by itself, but at its beginning and its end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from headstart.concurrency import prefetch
from headstart.features.executors.base import Result, Task


class LocalExecutor:
    """Works here, on one task after another, or on a few side by side."""

    def __init__(self, side_by_side: int = 1) -> None:
        """side_by_side: tasks at a time. With more than one, the next begins while the one before writes."""
        self.side_by_side = side_by_side

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        if self.side_by_side == 1:
            return map(function, tasks)
        return self._in_threads(function, tasks)

    def _in_threads(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        with ThreadPoolExecutor(self.side_by_side) as pool:
            yield from prefetch(pool, function, tasks, self.side_by_side)
