"""The number of cores that a process may use, by control groups that are files in a folder; and bounded read-ahead."""

import math
import os
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart import concurrency
from headstart.concurrency import (
    LAST,
    CgroupMount,
    aside,
    cgroup_quota,
    cpu_budget,
    parse_groups,
    parse_mounts,
    prefetch,
)

VERSION_2 = "0::/user.slice/app.service"
VERSION_1 = "4:cpu,cpuacct:/docker/abc\n3:memory:/elsewhere\n0::/"


class Machine:
    """Folders that look like /proc/self and /sys/fs/cgroup."""

    def __init__(self, folder: Path) -> None:
        self.process, self.mounted = folder / "proc", folder / "mounted"
        self.process.mkdir()
        self.mounted.mkdir()

    def enter(self, groups: str, *mounts: str) -> None:
        """Say which groups the process is in, and what is mounted: "cgroup2 /", or "cgroup /docker/abc cpu,cpuacct"."""
        (self.process / "cgroup").write_text(groups)
        lines = ["23 1 0:21 / /proc rw,relatime - proc proc rw"]
        for number, mount in enumerate(mounts):
            kind, root, *controllers = mount.split(" ")
            point = str(self.mounted).replace(" ", r"\040")
            lines.append(f"{number} 23 0:29 {root} {point} rw shared:9 - {kind} {kind} rw,{''.join(controllers)}")
        (self.process / "mountinfo").write_text("\n".join(lines))

    def limit(self, group: str, content: str) -> None:
        folder = self.mounted / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(content)

    def limit_version_1(self, group: str, quota: int, period: int = 100_000) -> None:
        folder = self.mounted / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    (tmp_path / "with a space").mkdir()
    machine = Machine(tmp_path / "with a space")
    monkeypatch.setattr(concurrency, "PROCESS", machine.process)
    return machine


# Control groups


@pytest.mark.parametrize(
    ("own", "above", "cores"),
    [
        ("150000 100000\n", "max 100000\n", 1.5),
        ("max 100000", "400000 100000", 4),
        ("800000 100000", "200000 100000", 2),
        ("max 100000", "max 100000", math.inf),
        ("50000 100000", None, 0.5),
        (None, "300000 100000", 3),
        ("nonsense", "300000 100000", 3),
        ("100000", "300000 0", math.inf),
        ("", "1 2 3", math.inf),
    ],
)
def test_the_least_quota_of_a_group_and_those_above_it_counts(machine, own, above, cores):
    machine.enter(VERSION_2, "cgroup2 /")
    for group, content in (("user.slice/app.service", own), ("user.slice", above), ("other.slice", "1000 100000")):
        if content is not None:
            machine.limit(group, content)
    assert cgroup_quota() == cores


def test_a_container_with_a_namespace_sees_its_own_group_as_the_root(machine):
    machine.enter("0::/", "cgroup2 /")
    machine.limit("", "250000 100000")
    assert cgroup_quota() == 2.5


@pytest.mark.parametrize("group", ["/docker/abc", "/docker/abc/inner", "/../../elsewhere", "/somewhere/else"])
def test_where_only_the_containers_group_is_mounted_its_quota_counts(machine, group):
    """Without a namespace the group's path is the host's. Where it isn't below the mount, nothing else is known."""
    machine.enter(f"0::{group}", "cgroup2 /docker/abc")
    machine.limit("", "300000 100000")
    assert cgroup_quota() == 3


def test_a_group_that_is_not_mounted_at_its_path_is_limited_by_those_above_it(machine):
    machine.enter("0::/docker/abc", "cgroup2 /")
    machine.limit("", "300000 100000")
    assert cgroup_quota() == 3


@pytest.mark.parametrize(("quota", "cores"), [(150_000, 1.5), (-1, 4)])
def test_version_1(machine, quota, cores):
    machine.enter(VERSION_1, "cgroup / memory", "cgroup / cpuacct,cpu")
    machine.limit_version_1("docker/abc", quota)
    machine.limit_version_1("docker", 400_000)
    assert cgroup_quota() == cores


def test_version_1_in_a_container(machine):
    machine.enter(VERSION_1, "cgroup /docker/abc cpu,cpuacct")
    machine.limit_version_1("", 75_000, 50_000)
    assert cgroup_quota() == 1.5


def test_a_version_that_the_process_is_not_in_does_not_count(machine):
    machine.enter("4:cpuset:/\n3:memory:/", "cgroup2 /", "cgroup / cpu")
    machine.limit("", "100000 100000")
    machine.limit_version_1("", 100_000)
    assert cgroup_quota() == math.inf


def test_a_quota_that_changes_is_seen(machine):
    machine.enter(VERSION_2, "cgroup2 /")
    machine.limit("user.slice", "100000 100000")
    assert cgroup_quota() == 1
    machine.limit("user.slice", "300000 100000")
    assert cgroup_quota() == 3


def test_without_proc_there_is_no_quota(tmp_path):
    assert cgroup_quota(tmp_path / "missing") == math.inf


@pytest.mark.parametrize(
    ("cores", "bound_to", "quota", "budget"),
    [
        (8, 8, "max 100000", 8),
        (8, 3, "max 100000", 3),
        (8, 8, "150000 100000", 2),
        (8, 8, "400000 100000", 4),
        (8, 3, "400000 100000", 3),
        (8, 8, "5000 100000", 1),
        (2, 8, "max 100000", 2),
        (None, 1, "max 100000", 1),
    ],
)
def test_the_budget_is_the_least_of_cores_affinity_and_quota(machine, monkeypatch, cores, bound_to, quota, budget):
    machine.enter(VERSION_2, "cgroup2 /")
    machine.limit("user.slice/app.service", quota)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(bound_to)), raising=False)
    assert cpu_budget() == budget


def test_the_budget_where_there_is_neither_affinity_nor_proc(tmp_path, monkeypatch):
    monkeypatch.setattr(concurrency, "PROCESS", tmp_path / "missing")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cpu_budget() == 6


@settings(max_examples=50, derandomize=True)
@given(st.text(alphabet=st.sampled_from("0:1/ac,pu.-\n \\"), max_size=80))
def test_text_of_any_kind_is_parsed(text):
    for group in parse_groups(text).values():
        assert group.is_absolute()
    parse_mounts(text)


parts = st.lists(st.text(st.characters(exclude_characters="/\t\n\0", exclude_categories=("Cs",))).filter(
    lambda part: part not in ("", ".", "..")), max_size=3)  # fmt: skip


@settings(max_examples=50, derandomize=True)
@given(parts, parts)
def test_paths_of_any_kind_are_understood(group, point):
    path, mounted = PurePosixPath("/", *group), Path("/", *point)
    escaped = str(mounted).replace("\\", r"\134").replace(" ", r"\040")
    assert parse_groups(f"1:cpu:{path}\n0::{path}") == {1: path, 2: path}
    line = f"35 24 0:30 / {escaped} rw,nosuid shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate"
    assert parse_mounts(line) == [CgroupMount(2, PurePosixPath("/"), mounted)]


# Read-ahead


def test_results_come_in_order():
    later = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert later.wait(30), "the items behind it are worked on meanwhile"
        elif number == 2:
            later.set()
        return number**2

    with ThreadPoolExecutor(3) as pool:
        assert list(prefetch(pool, work, range(6), 3)) == [0, 1, 4, 9, 16, 25]


class Inline(Executor):
    """Works on an item at once, in the thread that submits it."""

    def submit(self, fn, /, *args, **kwargs) -> Future:
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@settings(max_examples=50, derandomize=True)
@given(st.integers(0, 12), st.integers(1, 5))
def test_no_more_than_the_depth_is_taken_ahead(count, depth):
    taken = []
    results = prefetch(Inline(), lambda number: number, (taken.append(n) or n for n in range(count)), depth)
    assert taken == [], "nothing before it is asked for"
    for position, result in enumerate(results):
        assert result == position
        assert len(taken) == min(count, position + 1 + depth)
    assert len(taken) == count


def test_what_is_no_longer_wanted_is_cancelled():
    started, go_on = [], threading.Event()

    def work(number: int) -> int:
        started.append(number)
        if number:
            assert go_on.wait(30)
        return number

    with ThreadPoolExecutor(1) as pool:
        results = prefetch(pool, work, range(100), 10)
        assert next(results) == 0
        results.close()
        go_on.set()
    assert len(started) <= 2


def test_an_error_comes_in_its_place_and_ends_it():
    with ThreadPoolExecutor(2) as pool:
        results = prefetch(pool, lambda number: 1 // number, [1, 1, 0, 1], 2)
        assert [next(results), next(results)] == [1, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == []


def test_a_depth_of_nothing_is_refused():
    with pytest.raises(ValueError, match="A depth of 0 was given: expected at least 1"):
        next(prefetch(Inline(), str, [1], 0))


def test_work_aside_has_a_lower_priority_and_who_waits_keeps_its_own():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    lower = max(before, LAST) if sys.platform == "linux" else before  # elsewhere threads have none of their own
    assert aside(niceness) == lower
    assert aside(lambda: aside(niceness)) == lower, "threads inherit it"
    assert niceness() == before
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0)
