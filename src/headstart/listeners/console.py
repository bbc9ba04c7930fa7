"""Console: events for a person at a terminal.

In a terminal it draws progress bars. In a pipe, a file or CI it writes plain lines, one every ten seconds while a task
runs.
"""

import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO, cast

from rich.console import Console as RichConsole

from headstart.events import Advanced, EpochEnded, Event, HeadSolved, Message, PictureReady, StepStarted, Task
from headstart.listeners.progress import Throttle, time_left
from headstart.standard_streams import Forgiving

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 10.0  # in a pipe: often enough to show life, rare enough for a log


class Console:
    """Writes to standard error (or `console`), so that standard output stays free for results.

    Any number of threads may call it.
    """

    def __init__(self, console: RichConsole | None = None) -> None:
        self.console = console or RichConsole(file=cast(TextIO, Forgiving(sys.stderr)), highlight=False)
        self._lock = threading.RLock()
        self._throttle = Throttle(SECONDS_BETWEEN_LINES)
        self._progress: Progress | None = None  # while a task runs in a terminal: rich draws one display at a time ...
        self._bars: dict[Task, TaskID] = {}  # ... in which each task has a bar

    def emit(self, event: Event) -> None:
        with self._lock:
            match event:
                case StepStarted():
                    self._print(f"\n{event.title}", style="bold")
                case Message():
                    self._print(event.text)
                case EpochEnded():
                    self._print(f"Epoch {event.epoch:>2}/{event.epochs}  {_numbers(event)}")
                case HeadSolved():
                    weight = "" if event.weight is None else f"; depths before the last weigh {event.weight:g}"
                    self._print(f"Solved in {event.seconds_solving:.1f} s, with C = {event.C:g}{weight}.")
                    self._print(f"Solved head  {_numbers(event)}")
                case Advanced() if self.console.is_terminal:
                    self._draw(event)
                case Advanced():
                    self._log(event)
                case PictureReady():
                    pass  # a person looks at the finished run

    def cancelled(self) -> bool:
        return False

    def _print(self, text: str, *, style: str | None = None) -> None:
        """As it is: a path may hold what rich takes for markup or for the name of an emoji."""
        self.console.print(text, style=style, markup=False, emoji=False, soft_wrap=True)

    def _draw(self, event: Advanced) -> None:
        """Show, move or remove the bar of a task. The display is gone when no task runs."""
        if event.is_over:
            bar = self._bars.pop(event.task, None)
            if self._progress and bar is not None:
                self._progress.remove_task(bar)
            if self._progress and not self._bars:
                self._progress.stop()
                self._progress = None
            return
        if self._progress is None:
            self._progress = _display(self.console)
            self._progress.start()
        if event.task not in self._bars:
            self._bars[event.task] = self._progress.add_task(event.description, total=event.total, note="")
        self._progress.update(self._bars[event.task], completed=event.done, note=event.note)

    def _log(self, event: Advanced) -> None:
        """A short task leaves no line. The first event starts the clock; the last has nothing to add."""
        if self._throttle.passes(event, time.monotonic()) and event.done and not event.is_over:
            counts = f"{event.done:,} of {event.total:,}{time_left(event)}"
            self._print(f"{event.description}: {counts} {event.note}".rstrip())


def _numbers(event: EpochEnded | HeadSolved) -> str:
    return (
        f"{event.seconds:5.1f} s  loss {event.loss:.4f}  accuracy {event.accuracy:.4f}  "
        f"val_loss {event.val_loss:.4f}  val_accuracy {event.val_accuracy:.4f}"
    )


def _display(console: RichConsole) -> "Progress":
    # imported here, as few commands draw a bar
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
