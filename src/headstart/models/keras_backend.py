"""`import keras`, quietly, and with an allocator set up for it. Every module that needs Keras imports it from here."""

import ctypes
import os
import sys

from headstart.errors import MissingExtraError


def _reuse_freed_memory() -> None:
    """Let glibc keep the blocks that a layer frees for the next layer, instead of giving them back to the kernel.

    A layer's output for a batch is some 10 to 100 MB. By default glibc maps such a block anew each time, and the kernel
    clears each of its pages: with TensorFlow that was 30 to 45% of all time (benchmarks/allocator.py). Blocks of up to
    1 GiB come from one heap, which is not given back. Where the user has set the allocator up, it stays so.
    """
    if sys.platform != "linux" or {"GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc's malloc.h: -1 is M_TRIM_THRESHOLD, -3 M_MMAP_THRESHOLD, -8 M_ARENA_MAX
        libc.mallopt(-1, 2**31 - 1)
        libc.mallopt(-3, 2**30)
        libc.mallopt(-8, 1)  # other arenas than the first cannot hold blocks of more than 64 MiB


_reuse_freed_memory()

# TensorFlow's C++ side writes to standard error while it is loaded; 2 leaves its errors. The user's own setting wins.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import keras
except ImportError as error:
    raise MissingExtraError(
        f"Keras finds no backend to compute with ({error}). On a CPU, TensorFlow is the fastest: "
        f"pip install 'headstart[cpu]'"
    ) from error

__all__ = ["keras"]
