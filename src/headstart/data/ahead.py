"""Work on one thing after another in threads, a few of them ahead of who takes the results."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from itertools import islice
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(pool: Executor, work: Callable[[A], B], things: Iterable[A], depth: int) -> Iterator[B]:
    """The results of work on each thing, in their order. Of the things, `depth` are taken ahead; at least 1."""
    rest = iter(things)
    coming = deque(pool.submit(work, thing) for thing in islice(rest, depth))
    while coming:
        yield coming.popleft().result()
        coming.extend(pool.submit(work, thing) for thing in islice(rest, 1))
