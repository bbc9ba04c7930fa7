"""How many cores this process may use, and work in threads that runs a bounded number of items ahead.

Knows nothing of the work.
"""

import math
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

A = TypeVar("A")
B = TypeVar("B")

LAST = 10  # niceness of work that nobody waits for: a tenth of the share of others
PROCESS = Path("/proc/self")  # Linux describes the running process here; other systems have no such folder
_limit = [math.inf]  # cores, set by `limit_cores`


def limit_cores(cores: float) -> None:
    """From now on, this process keeps no more cores busy: on a machine that it shares with others of its kind."""
    _limit[:] = [cores]


def cpu_budget() -> int:
    """The number of cores that this process may keep busy, at least 1.

    It is the least of the machine's cores, the cores that the process is bound to (affinity), and the quota of its
    control groups, rounded up: a container with 1.5 cores gets two threads; or what `limit_cores` has set, if that is
    less. A quota may change while a process runs, so ask again for each new pool of threads.
    """
    return max(1, math.ceil(min(available_cores(), cgroup_quota(), _limit[0])))


def available_cores() -> int:
    """The number of cores that this process may run on, whatever share of their time it has: at least 1."""
    cores = os.cpu_count() or 1
    return min(cores, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else cores


def cgroup_quota(process: Path | None = None) -> float:
    """The cores that the control groups of a process allow it, of version 1 or 2; infinity without a limit.

    A group shares the quota of the groups above it, so the least of them counts. `process` is a folder like /proc/self
    (the default).

    The kernel's Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/cgroups.rst and scheduler/sched-bwc.rst.
    """
    read = {1: _quota_of_version_1, 2: _quota_of_version_2}
    return min((read[version](folder) for version, folder in cgroup_folders(process or PROCESS)), default=math.inf)


def single_threaded_products() -> AbstractContextManager[object]:
    """Until it is left, NumPy's and SciPy's products of matrices take one thread each: for small ones, several spend
    most of the time on waking each other, and beside threads of our own they wait for a core."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> "ThreadpoolController":
    """Looked for once, as to look through all libraries of the process takes ten milliseconds."""
    import scipy.linalg  # noqa: F401 - its library is another one than NumPy's
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def aside(work: Callable[[], A]) -> A:
    """The result of work that is done by a thread that steps aside; this one waits, and is as it was."""
    with ThreadPoolExecutor(1, "aside", step_aside) as pool:
        return pool.submit(work).result()


def step_aside(niceness: int = LAST) -> None:
    """Let this thread, and those that it starts from now on, work only as far as others leave time. Where a system has
    no such priorities for threads, nothing changes: elsewhere than on Linux `setpriority` is about whole processes."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


@cache
def cgroup_folders(process: Path) -> tuple[tuple[int, Path], ...]:
    """Version and folder of each control group that a process is in. They are found once; quotas are read anew."""
    try:
        groups = parse_groups((process / "cgroup").read_text("utf-8", "surrogateescape"))
        mounts = parse_mounts((process / "mountinfo").read_text("utf-8", "surrogateescape"))
    except OSError:  # not Linux, or /proc is not mounted
        return ()
    return tuple(
        (mount.version, folder)
        for mount in mounts
        if mount.version in groups
        for folder in _folders(mount, groups[mount.version])
    )


@dataclass(frozen=True)
class CgroupMount:
    """A mounted tree of control groups that can limit CPU time.

    version: 1 or 2. root: the group that is seen at the mount point; in a container often the container's own group.
    """

    version: int
    root: PurePosixPath
    point: Path


def parse_groups(text: str) -> dict[int, PurePosixPath]:
    """/proc/PID/cgroup -> version -> the group whose CPU time the process takes, as an absolute path.

    Lines are "HIERARCHY:CONTROLLERS:PATH"; version 2 has hierarchy 0 and names no controllers.
    """
    groups = {}
    for line in text.split("\n"):
        hierarchy, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and path.startswith("/"):
            if hierarchy == "0" and not controllers:
                groups[2] = PurePosixPath(path)
            elif "cpu" in controllers.split(","):
                groups[1] = PurePosixPath(path)
    return groups


def parse_mounts(text: str) -> list[CgroupMount]:
    """/proc/PID/mountinfo -> the mounted control groups that can limit CPU time. Other lines are passed over.

    Lines are "ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER_OPTIONS", see proc_pid_mountinfo(5).
    """
    mounts = []
    for line in text.split("\n"):
        before, _, after = line.partition(" - ")
        fields, file_system = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(file_system) < 3:
            continue
        is_version_1 = file_system[0] == "cgroup" and "cpu" in file_system[2].split(",")
        if file_system[0] == "cgroup2" or is_version_1:
            root, point = (_unescaped(field) for field in fields[3:5])
            mounts.append(CgroupMount(1 if is_version_1 else 2, PurePosixPath(root), Path(point)))
    return mounts


def _unescaped(field: str) -> str:
    r"""The kernel writes a space, a tab, a newline and a backslash in a path as \040, \011, \012 and \134."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


def _folders(mount: CgroupMount, group: PurePosixPath) -> list[Path]:
    """The folders of the group and of those above it, as far as the mount shows them.

    Where the group lies outside of what is mounted (the paths of another namespace), only the mount point is known; in
    a container it stands for the container.
    """
    if ".." in group.parts or not group.is_relative_to(mount.root):
        return [mount.point]
    below = group.relative_to(mount.root)
    return [mount.point / folder for folder in (below, *below.parents)]


def _quota_of_version_2(folder: Path) -> float:
    """cpu.max holds "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    try:
        return _cores(*(folder / "cpu.max").read_text("utf-8").split())
    except (OSError, ValueError, TypeError):  # the root has no such file; what cannot be understood is no limit
        return math.inf


def _quota_of_version_1(folder: Path) -> float:
    """Two files hold microseconds; a quota of -1 is none."""
    try:
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text("utf-8") for name in ("quota", "period"))
        return _cores(quota, period)
    except (OSError, ValueError):
        return math.inf


def _cores(quota: str, period: str) -> float:
    if quota == "max" or int(quota) <= 0 or int(period) <= 0:
        return math.inf
    return int(quota) / int(period)


def prefetch(pool: Executor, work: Callable[[A], B], items: Iterable[A], depth: int) -> Generator[B, None, None]:
    """The results of `work` on each item, in order, while the pool works on the next `depth` items.

    Never are more items taken than that. Where the results are no longer wanted, or one failed, work that has not
    begun is cancelled.

    Raises:
        ValueError: the depth is less than 1.
    """
    if depth < 1:
        raise ValueError(f"A depth of {depth} was given: expected at least 1.")
    rest = iter(items)
    pending = deque(pool.submit(work, item) for item in islice(rest, depth))
    try:
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(work, item) for item in islice(rest, 1))
            yield result
    finally:
        for future in pending:
            future.cancel()


def in_pieces(items: Iterable[A], size: int) -> Generator[list[A], None, None]:
    """The items, `size` at a time, in order; they are taken when a piece is asked for."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
