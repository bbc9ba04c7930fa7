"""Standard output and standard error as they come: closed, full, or of an encoding that lacks characters.

Knows nothing of what is written.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class OutputError(Exception):
    """Standard output cannot be written; the message says why."""


class Output:
    """Standard output as a stream that raises OutputError where it cannot be written, but for a reader who has left."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._try(self._stream.write, text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def discard(self) -> None:
        """Lead it nowhere, so that Python does not try once more, and complain, when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, act: Callable, *given: object) -> Any:
        try:
            return act(*given)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"Standard output cannot be written: {error.strerror or error}.") from error


class Forgiving(Output):
    """A stream that is silent once it fails: a full disk, or a terminal that was closed, ends no long work."""

    _is_broken = False

    def _try(self, act: Callable, *given: object) -> Any:
        try:
            return None if self._is_broken else act(*given)
        except OSError:
            self._is_broken = True


def prepare() -> None:
    """For a program that begins. What was closed is opened on nothing: standard output so that writing it fails.

    Otherwise the next file that is opened would take its place, and what is printed would end in that. Characters that
    an encoding lacks are written as \\u65e5.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def output_in_utf8() -> Iterator[None]:
    """Meanwhile standard output is UTF-8, as JSON and CSV are for whoever reads them, whatever a terminal expects."""
    stream: Any = sys.stdout
    if not hasattr(stream, "reconfigure"):  # a notebook's, or a test's
        yield
        return
    encoding, errors = stream.encoding, stream.errors
    stream.reconfigure(encoding="utf-8", errors=errors)
    try:
        yield
    finally:
        with suppress(OSError):  # what could not be written is still waiting: whoever writes next hears of it
            stream.reconfigure(encoding=encoding, errors=errors)
