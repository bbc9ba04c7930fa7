"""Console: events for a person at a terminal.

In a terminal it draws progress bars; in a pipe, a file or CI it writes plain lines, one every ten seconds while a task
goes on.
"""

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole

from headstart.events import Advanced, EpochEnded, Event, HeadSolved, Message, PictureReady, StepStarted, Task

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 10.0  # in a pipe: often enough to see life, rare enough for a log


class Console:
    """Writes to standard error (or `console`), so that standard output stays free for results."""

    def __init__(self, console: RichConsole | None = None) -> None:
        self.console = console or RichConsole(file=sys.stderr, highlight=False)
        self._bars: dict[Task, Progress] = {}
        self._last: dict[Task, float] = {}

    def emit(self, event: Event) -> None:
        match event:
            case StepStarted():
                self.console.print(f"\n[bold]{event.title}[/bold]", soft_wrap=True)
            case Message():
                self._print(event.text)
            case EpochEnded():
                self._print(f"Epoch {event.epoch:>2}/{event.epochs}  {_numbers(event)}")
            case HeadSolved():
                self._print(f"Solved in {event.seconds_solving:.1f} s, with C = {event.C:g}.")
                self._print(f"Solved head  {_numbers(event)}")
            case Advanced() if self.console.is_terminal:
                self._draw(event)
            case Advanced():
                self._log(event)
            case PictureReady():
                pass  # the pictures are named when the run is there

    def cancelled(self) -> bool:
        return False

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def _draw(self, event: Advanced) -> None:
        if event.task not in self._bars:
            if event.is_over:
                return
            self._bars[event.task] = _bar(self.console, event)
        bar = self._bars[event.task]
        bar.update(bar.task_ids[0], completed=event.done, note=event.note)
        if event.is_over:
            self._bars.pop(event.task).stop()

    def _log(self, event: Advanced) -> None:
        now = time.monotonic()
        if event.is_over:
            self._last.pop(event.task, None)
        elif event.done and now - self._last.setdefault(event.task, now) >= SECONDS_BETWEEN_LINES:
            self._last[event.task] = now
            left = "" if event.seconds_left is None else f", {event.seconds_left:.0f} s left"
            self._print(f"{event.description}: {event.done:,} of {event.total:,}{left} {event.note}".rstrip())
        else:
            self._last.setdefault(event.task, now)


def _numbers(event: EpochEnded | HeadSolved) -> str:
    return (
        f"{event.seconds:5.1f} s  loss {event.loss:.4f}  accuracy {event.accuracy:.4f}  "
        f"val_loss {event.val_loss:.4f}  val_accuracy {event.val_accuracy:.4f}"
    )


def _bar(console: RichConsole, event: Advanced) -> "Progress":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True)
    bar.add_task(event.description, total=event.total, note="")
    bar.start()
    return bar
