"""JsonLines: a line of JSON for each event, for programs. What `--events FILE` writes."""

import json
import threading
import time
from typing import TextIO

from headstart.events import Advanced, Event, Task, to_json

SECONDS_BETWEEN = 0.25  # of two lines of one task that goes on: a program can draw a bar, and the file stays small


class JsonLines:
    """Writes to a text stream, each line at once. `seconds` since it was made stand in each line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._start = stream, time.monotonic()
        self._lock = threading.Lock()
        self._last: dict[Task, float] = {}

    def emit(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            if isinstance(event, Advanced) and not self._is_due(event, now):
                return
            line = {"seconds": round(now - self._start, 3), **to_json(event)}
            print(json.dumps(line, ensure_ascii=False), file=self._stream, flush=True)

    def cancelled(self) -> bool:
        return False

    def _is_due(self, event: Advanced, now: float) -> bool:
        """The first and the last line of a task always are, those in between from time to time."""
        if event.is_over:
            self._last.pop(event.task, None)
            return True
        if event.done and now - self._last.get(event.task, -SECONDS_BETWEEN) < SECONDS_BETWEEN:
            return False
        self._last[event.task] = now
        return True
