"""PerProcess: what each process makes for itself, such as an engine, whose threads do not survive `os.fork`.

Knows nothing of what it is.
"""

import ctypes
import os
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

_holders: WeakSet["PerProcess[Any]"] = WeakSet()


class PerProcess(Generic[T]):
    """A value that is made on first use, once in each process.

    A forked process has the memory of its parent, but only one of its threads. Who uses there what waits for the
    others, or closes it, waits for ever. So a child makes its own, and what it inherited is never closed.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        """make: makes it; in a child again."""
        self._make = make
        self._forget()
        _holders.add(self)

    def get(self) -> T:
        """The value of this process. Any number of threads may ask. Raises what making it raises."""
        with self._lock:
            if self._value is None:
                self._value = self._make()
            return self._value

    def _forget(self) -> None:
        self._lock = Lock()  # a thread of the parent may hold the one before
        self._value: T | None = None


def _begin_child() -> None:
    for holder in list(_holders):
        if holder._value is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(holder._value))  # not closed when the interpreter ends, either
        holder._forget()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing is forked
    os.register_at_fork(after_in_child=_begin_child)
