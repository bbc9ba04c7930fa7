"""Questions of the queue that were answered: a text file of the collection's folder in the cache, a line for each.

An answer that was a label counts as long as that step is not undone; then its question is asked again, before all
others. Losing the file costs a question asked twice.
"""

import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from headstart.data.corrections import LabelState
from headstart.studio.queue.items import Item

FILE = "answered.txt"


class Answered:
    """key -> the step of the journal that answered it; 0: none, it was passed over."""

    def __init__(self, folder: Path) -> None:
        self._file, self._lock = folder / FILE, threading.Lock()
        self._steps: dict[str, int] = {}
        self._items: dict[str, Item] = {}  # of this opening
        with suppress(OSError, ValueError):
            for line in self._file.read_text("ascii").splitlines():
                key, _, step = line.partition(" ")
                self._steps[key] = int(step)

    def add(self, item: Item, step: int) -> None:
        with self._lock:
            self._items.pop(item.key, None)  # so that the latest answer stands last
            self._items[item.key] = item
            self._steps[item.key] = step
            with suppress(OSError), self._file.open("a", encoding="ascii") as file:
                file.write(f"{item.key} {step}\n")

    def keys(self, state: LabelState) -> Collection[str]:
        """Those that count."""
        done = {step.id for step in state.done}
        return {key for key, step in self._steps.items() if not step or step in done}

    def undone(self, state: LabelState) -> list[Item]:
        """Questions whose answers were undone, the latest first, whatever the answers of the head are by now."""
        counting = self.keys(state)
        with self._lock:
            return [item for key, item in reversed(self._items.items()) if key not in counting]
