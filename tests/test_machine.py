"""Memory, a container's limit, and instruction sets: from files as Linux has them."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart import machine
from headstart.machine import parse_memory


def test_the_memory_of_this_machine():
    found = machine.memory()
    assert found is not None
    if hasattr(os, "sysconf"):
        assert found == pytest.approx(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), rel=0.01)


@given(st.integers(0, 2**50))
def test_the_memory_in_its_file(kibibytes):
    text = f"MemTotal:       {kibibytes} kB\nMemFree:         1234 kB\n"
    assert parse_memory(text) == kibibytes * 1024


@given(st.text())
def test_a_file_of_another_form_is_an_error_that_is_expected(text):
    try:
        assert parse_memory(text) >= 0 or "MemTotal: -" in text
    except (ValueError, IndexError):
        assert not text.startswith("MemTotal: 1 ")


@pytest.mark.parametrize(("written", "expected"), [("max\n", None), ("1073741824\n", 2**30), ("nonsense", None)])
def test_the_limit_of_a_container(tmp_path, monkeypatch, written, expected):
    process, mounted = tmp_path / "proc", tmp_path / "mounted"
    process.mkdir()
    (mounted / "app.service").mkdir(parents=True)
    (process / "cgroup").write_text("0::/app.service")
    (process / "mountinfo").write_text(f"24 23 0:29 / {mounted} rw shared:9 - cgroup2 cgroup2 rw")
    (mounted / "app.service" / "memory.max").write_text(written)
    monkeypatch.setattr(machine, "LIMIT_OF_VERSION_1", tmp_path / "none")
    assert machine.memory_limit(process) == expected
    (mounted / "memory.max").write_text(str(2**20))
    assert machine.memory_limit(process) == 2**20, "a group shares the limit of those above it"


def test_no_limit_of_version_1_is_a_large_number(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "LIMIT_OF_VERSION_1", tmp_path / "limit")
    (tmp_path / "limit").write_text("9223372036854771712\n")
    assert machine.memory_limit(tmp_path) is None
    (tmp_path / "limit").write_text("536870912\n")
    assert machine.memory_limit(tmp_path) == 2**29


def test_the_instruction_sets(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "PROCESSOR", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("model name\t: A Xeon\nflags\t\t: fpu avx2 avx512f amx_bf16\n\nmodel name\t: B\n")
    assert machine.instruction_sets() == ("AVX2", "AVX-512", "AMX BF16")
    assert machine.processor() == "A Xeon"
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert machine.instruction_sets() == ("NEON", "BF16")
    (tmp_path / "cpuinfo").unlink()
    assert machine.instruction_sets() is None
