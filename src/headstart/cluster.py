"""A cluster of machines that Ray runs: connects to it, and looks whether its machines can do headstart's work.

Knows no tasks. Ray is imported on use, and sends no usage data.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headstart.concurrency import cpu_budget
from headstart.errors import ClusterError, MissingExtraError
from headstart.home import home_folder

HERE = "ray"  # the address of this machine's cluster, which is started if none runs
AUTH_MODE = "RAY_AUTH_MODE"
CLIENT = "ray://"  # begins the address of one that this machine is no part of
INSTALL = "pip install 'headstart[ray]'"
# What features depend on, besides the network: the cache's keys have these versions
SAME = ("headstart", "openvino", "opencv-python-headless", "pillow", "simplejpeg")
OBJECT_STORE = 256 * 2**20  # bytes, of a cluster that is started here: paths and some features pass through it
PATIENCE = 10  # seconds, for a connection
ANSWER = 120  # seconds, for machines to say what they have: a process of Python begins there first
SHOWN = 5  # machines of which a problem is named
STARTED = "a cluster of Ray that was started on this machine, and ends with this process"
NO_MACHINES = "The cluster has no machine with a core. Add one: `ray start --address=HOST:PORT`."

_was_started = False  # the cluster that this process is connected to, by it


def import_ray() -> Any:
    """
    Raises:
        MissingExtraError: it is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError(f"Work on other machines (--on) needs Ray, which is not installed: {INSTALL}.")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as Ray will do by itself, and warns of
    import ray

    return ray


def connect(address: str) -> Any:
    """The package `ray`, connected to a cluster; where this process has a connection, that one.

    address: "ray": the cluster that runs on this machine (or $RAY_ADDRESS), or else one that is started, and ends with
        this process. "HOST:PORT", or "ray://HOST:PORT" for a machine that is no part of the cluster.

    Raises:
        ClusterError: there is none, or it has another version of Ray or Python.
        MissingExtraError: Ray is not installed.
    """
    with _token_for(address):
        return _connected(address)


def _connected(address: str) -> Any:
    ray = import_ray()
    if ray.is_initialized():
        return ray
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address != HERE:
            _check_reachable(address)
            ray.init(address, **quiet)
        else:
            _connect_here(ray, quiet)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        ray.shutdown()
        raise ClusterError(
            f"'--on {address}' cannot be used: {_said(error)}. Expected a cluster with Ray {ray.__version__}: start "
            f"one with `ray start --head`, give its address, as ray://HOST:10001; or leave --on out."
        ) from None
    return ray


@contextmanager
def _token_for(address: str) -> Iterator[None]:
    """To look for a token is said to Ray's client before it is imported, and taken back where no connection comes of
    it: with any other address Ray looks by itself."""
    if not address.startswith(CLIENT) or AUTH_MODE in os.environ or _is_connected() or not _has_token():
        yield
        return
    os.environ[AUTH_MODE] = "token"
    try:
        yield
    except (ClusterError, MissingExtraError):
        os.environ.pop(AUTH_MODE)
        raise


def _is_connected() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


def _has_token() -> bool:
    """Whether there is one that clusters of newer versions ask for (https://docs.ray.io/en/latest/ray-security)."""
    named = os.environ.get("RAY_AUTH_TOKEN_PATH") or home_folder() / ".ray" / "auth_token"
    return "RAY_AUTH_TOKEN" in os.environ or Path(named).is_file()


def described(address: str) -> str:
    """Which cluster work goes to, see `connect`: of several that run on a machine, "ray" is the one started last."""
    ray = connect(address)
    nodes = machines(ray)
    cores = int(sum(node["Resources"]["CPU"] for node in nodes))
    size = f"{len(nodes)} {'machine' if len(nodes) == 1 else 'machines'}, {cores} {'core' if cores == 1 else 'cores'}"
    where = STARTED if _was_started else f"the cluster of Ray at {ray.get_runtime_context().gcs_address or address}"
    return f"{where} ({size})"


def _connect_here(ray: Any, quiet: Mapping[str, Any]) -> None:
    global _was_started
    try:
        ray.init("auto", **quiet)
    except ConnectionError:
        _was_started = True
        ray.init(
            "local",
            num_cpus=cpu_budget(),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE,
            **quiet,
        )


def _check_reachable(address: str) -> None:
    """At once: Ray itself tries for a minute.

    Raises:
        ConnectionError: nothing answers there. ValueError: it is no address.
    """
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.scheme not in ("", "ray") or not parts.hostname or not parts.port:
        raise ValueError("it is no address of the form HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((parts.hostname, parts.port), PATIENCE).close()
    except OSError as error:
        raise ConnectionError(f"nothing answers there ({error.strerror or error})") from None


def machines(ray: Any) -> list[dict]:
    """Those that are there, and have cores; as `ray.nodes` tells of them, which lists one that is dead for a while."""
    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]


def is_here(ray: Any) -> bool:
    """Whether all machines of the cluster are this one."""
    return {node["NodeManagerHostname"] for node in machines(ray)} <= {socket.gethostname()}


@lru_cache
def check_machines(address: str, packages: Sequence[str] = (), folder: str | None = None) -> None:
    """Ask each machine of the cluster what it has, before it gets work.

    packages: names of distributions that it needs, besides headstart. folder: one of this machine that it has to see.

    Raises:
        ClusterError: it lacks one of them, or has another version of what features depend on.
    """
    ray = connect(address)
    nodes = machines(ray)
    if not nodes:
        raise ClusterError(NO_MACHINES)
    names = (*SAME, *packages)
    asked = ray.remote(num_cpus=0, max_retries=2)(_look())
    where = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    answers = [
        asked.options(scheduling_strategy=where(node["NodeID"], soft=True)).remote(names, folder) for node in nodes
    ]
    try:
        found = ray.get(answers, timeout=ANSWER)
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"The machines of the cluster '{address}' do not answer: {_said(error)}. Look at `ray status` there."
        ) from None
    problems = [
        f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}) {problem}"
        for node, (versions, sees) in zip(nodes, found, strict=True)
        for problem in _problems(versions, sees, folder)
    ]
    if problems:
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        remedy = f"Install the same on all of them: pip install 'headstart[ray]=={version('headstart')}'."
        if not all(sees for _, sees in found):
            remedy = "Give --store a folder that all of them share, or a URL."
        raise ClusterError(
            f"Machines of the cluster '{address}' do not suit: {'; '.join(problems[:SHOWN])}{more}. {remedy}"
        )


def _problems(versions: Mapping[str, str | None], sees: bool, folder: str | None) -> list[str]:
    found = []
    for name, there in versions.items():
        if there is None:
            found.append(f"has no {name}")
        elif name in SAME and there != version(name):
            found.append(f"has {name} {there} (here: {version(name)})")
    return found if sees else [*found, f"does not see the folder '{folder}'"]


def _look() -> Callable:
    """What a machine is asked. It may lack headstart, so Ray has to send the function itself, as it does with one that
    is defined in another."""

    def look(names: Sequence[str], folder: str | None) -> tuple[dict, bool]:
        import os
        from importlib.metadata import PackageNotFoundError, version

        found: dict[str, str | None] = {}
        for name in names:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = None
        return found, folder is None or os.path.isdir(folder)  # noqa: PTH112

    return look


def _said(error: Exception) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
