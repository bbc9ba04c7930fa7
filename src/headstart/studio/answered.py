"""Questions of the queue that were answered: a text file of the collection's folder in the cache, a line for each.

An answer that was a label counts as long as that step is not undone. Losing the file costs a question asked twice.
"""

import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from headstart.data.corrections import LabelState

FILE = "answered.txt"


class Answered:
    """key -> the step of the journal that answered it; 0: none, it was passed over."""

    def __init__(self, folder: Path) -> None:
        self._file, self._lock = folder / FILE, threading.Lock()
        self._steps: dict[str, int] = {}
        with suppress(OSError, ValueError):
            for line in self._file.read_text("ascii").splitlines():
                key, _, step = line.partition(" ")
                self._steps[key] = int(step)

    def add(self, key: str, step: int) -> None:
        with self._lock:
            self._steps[key] = step
            with suppress(OSError), self._file.open("a", encoding="ascii") as file:
                file.write(f"{key} {step}\n")

    def keys(self, state: LabelState) -> Collection[str]:
        """Those that count."""
        done = {step.id for step in state.done}
        return {key for key, step in self._steps.items() if not step or step in done}
