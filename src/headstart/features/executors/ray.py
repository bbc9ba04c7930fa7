"""RayExecutor: tasks on the machines of a cluster. Ray carries them there, and again where a machine is lost.

Only tasks and results pass through Ray: paths, digests and what became of them, never photos.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from headstart.cluster import HERE, NO_MACHINES, check_machines, connect, described, is_here, machines
from headstart.concurrency import limit_cores
from headstart.engines.base import AUTO, GPU, Compute
from headstart.engines.opening import check_device
from headstart.errors import ClusterError, HeadstartError, MissingExtraError
from headstart.events import Listener, Message
from headstart.features.executors.base import Result, Task
from headstart.storage.locations import is_url

AHEAD = 3  # tasks for each core that are handed to Ray: while a lost one is done again, the others have work
RETRIES = 10  # of a task whose machine is lost: those that can be taken away at any time are lost often
OFTEN = 1.0  # seconds, after which it is asked again how many cores there are
TREE = 8  # parts that are added up at a time
PATIENCE = 30  # seconds without news, after which it is asked whether there are machines at all


@dataclass(frozen=True)
class RayExecutor:
    """Works on the machines of a cluster, one task on each core at a time.

    address: see `headstart.cluster.connect`.
    store: a folder or URL that all machines reach, where they leave their work; None: the cache, where this machine is
        all of the cluster.
    gpu: a task takes a GPU, and its share of the cores.
    """

    address: str = HERE
    store: str | None = None
    gpu: bool = False

    def connected(self) -> Any:
        """The package `ray`, connected to a cluster whose machines suit.

        Raises:
            ClusterError: there is none; its machines do not suit; it needs a store.
            MissingExtraError: Ray is not installed.
        """
        ray = connect(self.address)
        if self.store is None and not is_here(ray):
            raise ClusterError(
                f"The cluster '{self.address}' has other machines than this one, and they need a place for what they "
                f"compute: give --store, a URL such as s3://BUCKET/headstart, or a folder that all of them share."
            )
        check_machines(self.address, folder=None if self.store is None or is_url(self.store) else self.store)
        return ray

    @property
    def side_by_side(self) -> int:
        """How many tasks the cluster works on at a time, with the machines that it has now."""
        nodes = machines(self.connected())
        return max(1, sum(int(node["Resources"].get("GPU" if self.gpu else "CPU", 0)) for node in nodes))

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """
        Raises:
            ClusterError: see `connected`; or a task's machine was lost time and again.
            HeadstartError: what the function raises.
        """
        ray = self.connected()
        cores = self._cores(ray)
        work = ray.remote(num_cpus=cores, num_gpus=int(self.gpu), max_retries=RETRIES)(_work)
        sent = ray.put(function)  # once, whatever it carries
        rest, waiting = iter(tasks), deque()
        asked, room_for = 0.0, 0
        try:
            while True:
                if time.monotonic() - asked > OFTEN:  # machines come and go
                    asked, room_for = time.monotonic(), AHEAD * self.side_by_side
                room = room_for - len(waiting)
                waiting.extend(work.remote(cores, sent, task) for task in islice(rest, max(0, room)))
                if not waiting:
                    return
                yield result(ray, waiting[0])
                waiting.popleft()
        finally:
            for left in waiting:
                ray.cancel(left)

    def _cores(self, ray: Any) -> float:
        """That a task takes: one, or a GPU's share of those of its machine."""
        if not self.gpu:
            return 1
        have = [node["Resources"] for node in machines(ray) if node["Resources"].get("GPU")]
        if not have:
            raise ClusterError(f"No machine of the cluster '{self.address}' has a GPU. Leave --device out, or add one.")
        return max(1, min(int(each["CPU"] / each["GPU"]) for each in have))


def executor_on(
    on: str | None, store: str | Path | None = None, device: str = AUTO, listener: Listener | None = None
) -> RayExecutor | None:
    """What `--on`, `--store` and `--device` ask for, connected; None: to work on this machine alone.

    listener: is told which cluster that is.

    Raises:
        ClusterError: the cluster cannot be used, or a store was named without one.
        MissingExtraError, ModelError: Ray is not installed; this machine has to work, and lacks the device.
    """
    if on is None:
        check_device(Compute(device=device))
        if store is not None:
            raise ClusterError("--store is where a cluster leaves its work: give --on as well, or leave it out.")
        return None
    if store is not None and not is_url(store):
        store = Path(store).absolute()
        store.mkdir(parents=True, exist_ok=True)
    executor = RayExecutor(on, None if store is None else str(store), device == GPU)
    executor.connected()
    if listener:
        listener.emit(Message(f"Working on {described(on)}."))
    return executor


def result(ray: Any, reference: Any) -> Any:
    """What became of a task.

    Raises:
        ClusterError: its machine was lost time and again. HeadstartError: what the task has raised.
    """
    try:
        while not ray.wait([reference], timeout=PATIENCE)[0]:
            if not machines(ray):
                raise ClusterError(f"{NO_MACHINES} What is finished is kept: start the same again.")
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, HeadstartError):
            raise error.cause from None
        if not isinstance(error.cause, ray.exceptions.RayError):
            raise
        failure = error.cause  # what the task was given is lost
    except ray.exceptions.RayError as error:
        failure = error
    what = " ".join(str(failure).split())[:300]
    raise ClusterError(
        f"The cluster could not finish a task, after it had begun it again up to {RETRIES} times ({what}). What is "
        f"finished is kept: look at `ray status`, at the memory of the machines, and start the same again."
    )


def added_in_a_tree(add: Any, references: Sequence[Any]) -> Sequence[Any]:
    """References to no more than TREE sums of what these refer to.

    add: a remote function of some of them.
    """
    while len(references) > TREE:
        references = [add.remote(*references[start : start + TREE]) for start in range(0, len(references), TREE)]
    return references


def _work(cores: float, function: Callable[[Task], Result], task: Task) -> Result:
    """A task, in a process of a machine of the cluster, that others of its kind run on."""
    limit_cores(cores)
    try:
        return function(task)
    except MissingExtraError as error:
        raise MissingExtraError(f"The machine '{socket.gethostname()}' of the cluster says: {error}") from None
