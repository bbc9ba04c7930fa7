"""How the C library hands out memory, set up for networks. Done before the first thread is started."""

import ctypes
import os
import sys


def reuse_freed_memory() -> None:
    """Let glibc keep the blocks that a layer frees for the next layer, instead of giving them back to the kernel.

    A layer's output for a batch is some 1 to 100 MB. By default glibc maps such a block anew each time, and the kernel
    clears each of its pages: with TensorFlow that was 30 to 45% of all time (benchmarks/allocator.py). Here no block is
    mapped by itself (M_MMAP_MAX; the threshold alone does not see to that), all come from one heap, and it is not given
    back. Where the user has set the allocator up, it stays so.

    A thread that has allocated before this is called keeps a heap of its own and hands it on to later threads; so it is
    called when headstart is imported.
    """
    if sys.platform != "linux" or {"GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's malloc.h: -1 is M_TRIM_THRESHOLD, -4 M_MMAP_MAX, -8 M_ARENA_MAX
        libc.mallopt(-1, 2**31 - 1)
        libc.mallopt(-4, 0)
        libc.mallopt(-8, 1)  # other arenas than the first cannot hold blocks of more than 64 MiB
