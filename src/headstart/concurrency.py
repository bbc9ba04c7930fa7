"""How many cores there are, and work on one thing after another in threads, a few of them ahead of who takes the results.

Knows nothing of what is worked on.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

CGROUP = Path("/sys/fs/cgroup")


def cpu_budget() -> int:
    """How many cores this process may keep busy: at least 1.

    The least of what the machine has, what the process is bound to (affinity), and what the control group of its
    container allows (a quota of 150% is two threads, of which each waits a quarter of the time).
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, os.cpu_count() or 1, _quota(CGROUP))))


@cache
def _quota(root: Path) -> float:
    """Cores that the control group of this process, and those above it, may use; infinity where none says."""
    return min(_quotas_of_version_2(root), _quota_of_version_1(root))


def _quotas_of_version_2(root: Path) -> float:
    """The least of the groups from this process's own up to the root; see cpu.max in the kernel's cgroup-v2.rst."""
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return math.inf
    own = next((line.removeprefix("0::").strip("/") for line in lines if line.startswith("0::")), "")
    folder, least = root / own, math.inf
    while folder.is_relative_to(root):
        least = min(least, _share(folder / "cpu.max"))
        folder = folder.parent
    return least


def _quota_of_version_1(root: Path) -> float:
    try:
        quota, period = (int((root / "cpu" / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
    except (OSError, ValueError):
        return math.inf
    return quota / period if quota > 0 else math.inf


def _share(file: Path) -> float:
    """The content of cpu.max, "QUOTA PERIOD" in microseconds or "max PERIOD", as a number of cores."""
    try:
        quota, period = file.read_text("utf-8").split()
        return math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def prefetch(pool: Executor, work: Callable[[A], B], things: Iterable[A], depth: int) -> Iterator[B]:
    """The results of work on each thing, in their order. Of the things, `depth` are taken ahead; at least 1."""
    rest = iter(things)
    coming = deque(pool.submit(work, thing) for thing in islice(rest, depth))
    while coming:
        yield coming.popleft().result()
        coming.extend(pool.submit(work, thing) for thing in islice(rest, 1))
