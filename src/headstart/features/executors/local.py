"""LocalExecutor: one task after another, in this process, where each task keeps all cores busy by itself."""

from collections.abc import Callable, Iterable, Iterator

from headstart.features.executors.base import Result, Task


class LocalExecutor:
    """Works here."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        return map(function, tasks)
