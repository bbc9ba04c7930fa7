"""What this machine has besides cores: memory, with a container's limit, and the instruction sets of its processor.

Linux tells both in files. Elsewhere the memory is asked of the system, and the instruction sets are not known.
"""

import os
import platform
from contextlib import suppress
from pathlib import Path

from headstart.concurrency import PROCESS, cgroup_folders

MEMORY, PROCESSOR = Path("/proc/meminfo"), Path("/proc/cpuinfo")
LIMIT_OF_VERSION_1 = Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")  # as containers see their own
NO_LIMIT = 2**62  # version 1 writes a number near 2**63 for none
# Flags of Linux -> what they are called. They matter to engines: wider vectors, products of 8 and 16 bits.
INSTRUCTION_SETS = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX INT8",
    "amx_bf16": "AMX BF16",
    "asimd": "NEON",
    "sve": "SVE",
    "i8mm": "I8MM",
    "bf16": "BF16",
}


def memory() -> int | None:
    """Bytes of memory of the machine; None where it does not say."""
    with suppress(OSError, ValueError, IndexError):
        return parse_memory(MEMORY.read_text("utf-8"))
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def parse_memory(text: str) -> int:
    """The lines of /proc/meminfo -> bytes.

    Raises:
        ValueError, IndexError: the total is not among them.
    """
    line = next((line for line in text.splitlines() if line.startswith("MemTotal:")), "")
    return int(line.split()[1]) * 1024


def memory_limit(process: Path | None = None) -> int | None:
    """Bytes that the control groups of a process allow it; None without a limit. process: a folder like /proc/self."""
    folders = [folder for version, folder in cgroup_folders(process or PROCESS) if version == 2]
    found = []
    for file in (*(folder / "memory.max" for folder in folders), LIMIT_OF_VERSION_1):
        with suppress(OSError, ValueError):  # there is none, or it says "max"
            found.append(int(file.read_text("utf-8")))
    limits = [limit for limit in found if limit < NO_LIMIT]
    return min(limits, default=None)


def processor() -> str:
    """Its name, as far as the system tells it."""
    with suppress(OSError):
        for line in PROCESSOR.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def instruction_sets() -> tuple[str, ...] | None:
    """Those of INSTRUCTION_SETS that the processor has; None where that is not known."""
    try:
        lines = PROCESSOR.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    flags = next((line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features"))), "")
    have = set(flags.split())
    return tuple(name for flag, name in INSTRUCTION_SETS.items() if flag in have)
