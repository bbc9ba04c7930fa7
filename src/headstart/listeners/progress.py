"""What listeners share about progress: how many of its events they pass on, and how the time left reads."""

from headstart.events import Advanced, Task


class Throttle:
    """Passes the first and the last event of each task, and between them at most one in `seconds`.

    Not thread-safe: a listener asks it under its own lock.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[Task, float] = {}  # the time of the last event that was passed

    def passes(self, event: Advanced, now: float) -> bool:
        """Whether to pass the event on. now: in seconds, of a clock that never goes back."""
        if event.is_over:
            self._last.pop(event.task, None)
            return True
        if event.task in self._last and now - self._last[event.task] < self._seconds:
            return False
        self._last[event.task] = now
        return True


def time_left(event: Advanced) -> str:
    """Such as ", 40 s left", ", 3 min left" or ", 1 h 20 min left"; "" where nothing is known."""
    if event.seconds_left is None:
        return ""
    seconds = round(event.seconds_left)
    minutes = round(seconds / 60)
    if seconds < 100:
        return f", {seconds} s left"
    return f", {minutes} min left" if minutes < 60 else f", {minutes // 60} h {minutes % 60} min left"
