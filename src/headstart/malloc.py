"""The C library's allocator, set up for neural networks before the first thread starts, and emptied on demand."""

import ctypes
import os
import sys


def reuse_freed_memory() -> None:
    """Let glibc keep the blocks that one layer frees for the next layer, instead of returning them to the kernel.

    A layer's output for a batch is some 1 to 100 MB. By default glibc maps each such block anew, and the kernel clears
    every page of it: with TensorFlow that took 30 to 45% of the time (benchmarks/allocator.py). Here no block is mapped
    on its own (M_MMAP_MAX; the threshold alone does not ensure it), all of them come from one heap, and the heap is
    never trimmed. A user's own allocator settings are left alone.

    A thread that allocated before this call keeps its own heap and passes it on to later threads. So it is called when
    headstart is imported.
    """
    if sys.platform != "linux" or {"GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's malloc.h: -1 is M_TRIM_THRESHOLD, -4 M_MMAP_MAX, -8 M_ARENA_MAX
        libc.mallopt(-1, 2**31 - 1)
        libc.mallopt(-4, 0)
        libc.mallopt(-8, 1)  # only the first arena holds blocks of more than 64 MiB


def return_freed_memory() -> None:
    """Return to the kernel what was freed, and `reuse_freed_memory` keeps: for a process that stays when its work ends.

    Without effect where the C library is not glibc.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "malloc_trim"):
            libc.malloc_trim(0)
