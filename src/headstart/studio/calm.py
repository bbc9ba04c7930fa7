"""Calm: whether somebody waits for photos to be shown. What is heavy, and not asked for, begins when nobody does.

On two cores, and with Python's one lock, the first photos would take twice as long beside it.
"""

import threading
import time

SECONDS = 0.5  # without a request, after which all is shown
AT_MOST = 3.0  # seconds that a page is waited for, before it has asked for anything


class Calm:
    """Of one collection, from its opening on."""

    def __init__(self) -> None:
        self._opened = time.monotonic()
        self._asked: float | None = None

    def disturb(self) -> None:
        """A page asks for photos."""
        self._asked = time.monotonic()

    def wait(self, stopped: threading.Event) -> None:
        """Until the page that opens has what it wants, or none has come; or until `stopped`."""
        while not stopped.is_set():
            left = AT_MOST - self._since(self._opened) if self._asked is None else SECONDS - self._since(self._asked)
            if left <= 0:
                return
            stopped.wait(min(left, SECONDS / 5))

    @staticmethod
    def _since(moment: float) -> float:
        return time.monotonic() - moment
