"""JsonLines: one line of JSON an event, for other programs. What `--events FILE` writes."""

import json
import threading
import time
from typing import TextIO

from headstart.events import Advanced, Event, to_json
from headstart.listeners.progress import Throttle

SECONDS_BETWEEN_LINES = 0.25  # of one task: enough to draw a progress bar, and the file stays small


class JsonLines:
    """Writes each event to a text stream at once, with the `seconds` since this listener was made.

    Of a task's progress, the first and the last event are always written. Any number of threads may call it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._start = stream, time.monotonic()
        self._throttle = Throttle(SECONDS_BETWEEN_LINES)
        self._lock = threading.Lock()
        self._is_broken = False

    def emit(self, event: Event) -> None:
        with self._lock:
            now = time.monotonic()
            if isinstance(event, Advanced) and not self._throttle.passes(event, now):
                return
            # ASCII: any stream can take it, and no reader takes a character such as U+2028 for the end of a line
            self._write(json.dumps({"seconds": round(now - self._start, 3), **to_json(event)}, allow_nan=False))

    def cancelled(self) -> bool:
        return False

    def _write(self, line: str) -> None:
        if self._is_broken:
            return
        try:
            print(line, file=self._stream, flush=True)
        except OSError:  # the disk is full, or the reader is gone: no reason to lose hours of training
            self._is_broken = True
