"""TimeLimit: how long a work may take, and what of that is left."""

from __future__ import annotations

import math
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from threading import Event

from headstart.errors import HeadstartError

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
FORM = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")
KEPT = 0.1  # share of the limit that is kept for measuring and writing ...
LEAST_KEPT = 5.0  # ... and at least so many seconds
# The signal at which `headstart train` ends as if its time was up: what was trained is finished, and kept
TIME_IS_UP = signal.SIGBREAK if sys.platform == "win32" else signal.SIGUSR1  # Windows has few; there it is Ctrl-Break


def parse_duration(text: str) -> float:
    """Such as "90", "90s", "10m", "1h30m" or "1.5h" -> seconds, above 0.

    Raises:
        HeadstartError: it is none.
    """
    found = FORM.fullmatch(text.strip().lower())
    parts = found.groups() if found else ()
    seconds = sum(float(part) * unit for part, unit in zip(parts, UNITS.values(), strict=False) if part)
    if not 0 < seconds < math.inf:
        raise HeadstartError(f"The time limit '{text}' is no time above 0; expected such as 90s, 10m or 1h30m.")
    return seconds


def duration(seconds: float) -> str:
    """For people: "45 s", "9 min 30 s", "1 h 5 min"."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


@dataclass(frozen=True)
class TimeLimit:
    """A time from when it is made on, unless somebody ends it before. seconds: infinity for none."""

    seconds: float = math.inf
    _start: float = field(default_factory=time.monotonic, repr=False)
    _ended: Event = field(default_factory=Event, repr=False, compare=False)

    @classmethod
    def of(cls, seconds: float | TimeLimit | None) -> TimeLimit:
        """
        Raises:
            HeadstartError: it is not above 0.
        """
        if isinstance(seconds, TimeLimit):
            return seconds
        if seconds is not None and not seconds > 0:
            raise HeadstartError(f"The time limit is {seconds} s; expected a time above 0.")
        return cls(math.inf if seconds is None else seconds)

    @property
    def is_set(self) -> bool:
        return self.seconds < math.inf or self._ended.is_set()

    def end(self) -> None:
        """The time is up now. From any thread, and from a signal's handler."""
        self._ended.set()

    @property
    def left(self) -> float:
        """Seconds, without those that are kept for measuring and writing; below 0 where these are all that is left."""
        if self._ended.is_set():
            return -math.inf
        kept = max(LEAST_KEPT, KEPT * self.seconds) if self.is_set else 0.0
        return self.seconds - kept - (time.monotonic() - self._start)

    def allows(self, seconds: float) -> bool:
        """Whether so much time is left."""
        return self.left >= seconds

    def __str__(self) -> str:
        """What is left, for people."""
        if self._ended.is_set():
            return "the training was ended"
        return f"{duration(self.seconds - (time.monotonic() - self._start))} of {duration(self.seconds)} are left"


NO_LIMIT = TimeLimit()
