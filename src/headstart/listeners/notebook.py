"""Notebook: events in the output of a notebook's cell, where a running task is one line that changes."""

import threading
import time
from typing import Any

from headstart.errors import MissingExtraError
from headstart.events import Advanced, EpochEnded, Event, HeadSolved, Message, PictureReady, StepStarted, Task
from headstart.listeners.progress import Throttle, time_left

WIDTH = 30  # characters of a full bar
SECONDS_BETWEEN_UPDATES = 0.25  # of one task: smooth to the eye, and few messages from the kernel to the browser


class Notebook:
    """Displays events with IPython. Any number of threads may call it.

    In a terminal, where a line that was displayed cannot change, use `Console`.
    """

    def __init__(self) -> None:
        """
        Raises:
            MissingExtraError: IPython is not installed.
        """
        try:
            from IPython.display import display
        except ImportError as error:
            raise MissingExtraError("A notebook's output needs IPython: pip install ipython") from error
        self._display = display
        self._lock = threading.Lock()
        self._throttle = Throttle(SECONDS_BETWEEN_UPDATES)
        self._lines: dict[Task, Any] = {}  # IPython's handles of what was displayed

    def emit(self, event: Event) -> None:
        with self._lock:
            match event:
                case StepStarted():
                    self._show(f"\n{event.title}\n{'=' * len(event.title)}")
                case Message():
                    self._show(event.text)
                case EpochEnded():
                    self._show(f"Epoch {event.epoch}/{event.epochs}: {_accuracies(event)}")
                case HeadSolved():
                    self._show(f"Solved head (C = {event.C:g}): {_accuracies(event)}")
                case Advanced():
                    self._advance(event)
                case PictureReady():
                    pass  # each would stay in the notebook's file; the finished run has them

    def cancelled(self) -> bool:
        return False

    def _show(self, text: str) -> None:
        self._display({"text/plain": text}, raw=True)

    def _advance(self, event: Advanced) -> None:
        """Show or change the line of a task; empty it when the task is over."""
        if not self._throttle.passes(event, time.monotonic()):
            return
        line = self._lines.pop(event.task, None) if event.is_over else self._lines.get(event.task)
        content = {"text/plain": "" if event.is_over else _bar(event)}
        if line:
            line.update(content, raw=True)
        elif not event.is_over:
            self._lines[event.task] = self._display(content, raw=True, display_id=True)


def _accuracies(event: EpochEnded | HeadSolved) -> str:
    return f"accuracy {event.accuracy:.4f}, validation accuracy {event.val_accuracy:.4f}, {event.seconds:.1f} s"


def _bar(event: Advanced) -> str:
    filled = min(WIDTH, WIDTH * event.done // max(event.total, 1))
    bar = "#" * filled + "-" * (WIDTH - filled)
    counts = f"{event.done:,} of {event.total:,}{time_left(event)}"
    return f"{event.description} [{bar}] {counts} {event.note}".rstrip()
