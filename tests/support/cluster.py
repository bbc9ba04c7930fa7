"""A cluster of Ray on this machine: two nodes of one core each, shared by all tests of a worker.

Ray's processes take seconds to start, so tests that kill a node add one of their own, and leave these two.
"""

from __future__ import annotations

import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.errors import MissingExtraError
from headstart.features.shards import Shard, ShardTask, compute_shard

OBJECT_STORE = 80 * 2**20  # bytes
NOTICE = {"health_check_period_ms": 500, "health_check_failure_threshold": 10}  # that a machine is lost, not only busy
WAITING = 60  # seconds, for Ray to notice
LOG = "done.txt"  # of `slowly`, beside the folder of the shards


@contextmanager
def started(nodes: int = 2, *, cores: int = 1) -> Iterator[Any]:
    """A `ray.cluster_utils.Cluster`, to which this process is connected."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": str(2 * WAITING)}
    tests = Path(__file__).resolve().parents[1]  # the workers import what is tested here, and what tests with
    sources = [str(tests.parent / "src"), str(tests), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(sources)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        add_node(cluster, cores, _system_config=NOTICE)
        for _ in range(nodes - 1):
            add_node(cluster, cores)
        connected(cluster)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def connected(cluster: Any) -> None:
    """Connect this process to a cluster, whatever a test before has left."""
    import ray

    if ray.is_initialized() and ray.get_runtime_context().gcs_address == cluster.address:
        return
    ray.shutdown()
    ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)


def add_node(cluster: Any, cores: float = 1, **settings: Any) -> Any:
    """The object store is a file, as /dev/shm of a container may be small."""
    settings |= {"object_store_memory": OBJECT_STORE, "plasma_directory": tempfile.gettempdir()}
    return cluster.add_node(num_cpus=cores, include_dashboard=False, **settings)


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raises TimeoutError, also where Ray is being waited for."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"it takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def wait_until(condition: Callable[[], bool], seconds: float = WAITING) -> None:
    """Raises TimeoutError if it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {seconds} s")
        time.sleep(0.05)


def slowly(task: ShardTask) -> Shard:
    """`compute_shard`, for long enough to be disturbed. A worker imports it. What is done is noted beside shards."""
    time.sleep(0.25)
    shard = compute_shard(task)
    folder = Path((task.folder or "").removeprefix("file://")).parent
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(" ".join(task.digests) + "\n")
    return shard


def without_an_extra(task: object) -> None:
    raise MissingExtraError("install it")
