"""Notebook: events in the output of a notebook's cell, where a running task is one line that changes."""

from typing import Any

from headstart.errors import MissingExtraError
from headstart.events import Advanced, EpochEnded, Event, HeadSolved, Message, StepStarted, Task

WIDTH = 30  # characters of a full bar


class Notebook:
    """Writes with IPython's display; a task that goes on has one line, which is gone when it is over."""

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
        self._lines: dict[Task, Any] = {}

    def emit(self, event: Event) -> None:
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

    def cancelled(self) -> bool:
        return False

    def _show(self, text: str) -> None:
        self._display({"text/plain": text}, raw=True)

    def _advance(self, event: Advanced) -> None:
        if event.is_over:
            line = self._lines.pop(event.task, None)
            if line:
                line.update({"text/plain": ""}, raw=True)
            return
        text = {"text/plain": _bar(event)}
        if event.task in self._lines:
            self._lines[event.task].update(text, raw=True)
        else:
            self._lines[event.task] = self._display(text, raw=True, display_id=True)


def _accuracies(event: EpochEnded | HeadSolved) -> str:
    return f"accuracy {event.accuracy:.4f}, validation accuracy {event.val_accuracy:.4f}, {event.seconds:.1f} s"


def _bar(event: Advanced) -> str:
    filled = WIDTH * event.done // max(event.total, 1)
    left = "" if event.seconds_left is None else f", {event.seconds_left:.0f} s left"
    bar = "#" * filled + "-" * (WIDTH - filled)
    return f"{event.description} [{bar}] {event.done:,} of {event.total:,}{left} {event.note}".rstrip()
