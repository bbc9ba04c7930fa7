"""A cluster of Ray on this machine, of nodes of one core each: for benchmarks, in whose processes it is imported."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

OBJECT_STORE = 200 * 2**20  # bytes
NOTICE = {"health_check_period_ms": 500, "health_check_failure_threshold": 4}  # that a node is lost


@contextmanager
def cluster(nodes: int) -> Iterator[Any]:
    """A `ray.cluster_utils.Cluster`, to which this process and those that it starts connect."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster()
    try:
        for number in range(nodes):
            add_node(found, **({} if number else {"_system_config": NOTICE}))
        os.environ["RAY_ADDRESS"] = found.address
        ray.init(found.address, log_to_driver=False, logging_level=logging.ERROR)
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


def add_node(found: Any, **settings: Any) -> Any:
    return found.add_node(num_cpus=1, object_store_memory=OBJECT_STORE, include_dashboard=False, **settings)
