"""A cluster of Ray on this machine: two nodes of one core each, shared by all tests of a worker.

Ray's processes take seconds to start, so tests that kill a node add one of their own, and leave these two.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OBJECT_STORE = 80 * 2**20  # bytes
WAITING = 60  # seconds, for Ray to notice


@contextmanager
def started(nodes: int = 2, *, cores: int = 1) -> Iterator[Any]:
    """A `ray.cluster_utils.Cluster`, to which this process is connected."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    source = str(Path(__file__).resolve().parents[2] / "src")  # the workers import what is tested here
    os.environ["PYTHONPATH"] = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(nodes):
            add_node(cluster, cores)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def add_node(cluster: Any, cores: float = 1) -> Any:
    return cluster.add_node(num_cpus=cores, object_store_memory=OBJECT_STORE, include_dashboard=False)


def wait_until(condition: Callable[[], bool], seconds: float = WAITING) -> None:
    """Raises TimeoutError if it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {seconds} s")
        time.sleep(0.05)
