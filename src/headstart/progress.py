"""What a long piece of work tells its user while it goes on. Knows nothing of images or models.

`Quiet` says nothing. `Console` writes to standard error: progress bars in a terminal; in a pipe, a file or CI plain
lines, one every ten seconds while a piece of work goes on.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

Advance = Callable[[int, str], None]  # (steps done since the last call, a note such as "loss 0.31")

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0  # in a pipe: often enough to see life, rare enough for a log


class Progress(Protocol):
    """Where a function reports to. Pass `Quiet()` for silence, `Console()` for a person."""

    def say(self, text: str = "") -> None:
        """One line, or several, of news."""
        ...

    def step(self, title: str) -> None:
        """The next part of the work begins."""
        ...

    def bar(self, description: str, total: int) -> AbstractContextManager[Advance]:
        """A context manager that gives `advance(steps, note)`."""
        ...


class Quiet:
    """Says nothing."""

    def say(self, text: str = "") -> None:
        pass

    def step(self, title: str) -> None:
        pass

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Advance]:
        yield lambda steps, note: None


class Console:
    """Writes to standard error (or `console`), so that standard output stays free for results."""

    def __init__(self, console: RichConsole | None = None) -> None:
        self.console = console or RichConsole(file=sys.stderr, highlight=False)

    def say(self, text: str = "") -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def step(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]", soft_wrap=True)

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Advance]:
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                TimeRemainingColumn(),
            )
            with RichProgress(*columns, console=self.console, transient=True) as bars:
                task = bars.add_task(description, total=total, note="")
                yield lambda steps, note: bars.update(task, advance=steps, note=note)
        else:
            yield _Lines(self.say, description, total)


class _Lines:
    """`advance` for a stream that is not a terminal: a line every SECONDS_BETWEEN_LINES."""

    def __init__(self, say: Callable[[str], None], description: str, total: int) -> None:
        self.say, self.description, self.total = say, description, total
        self.done = 0
        self.last = time.monotonic()

    def __call__(self, steps: int, note: str) -> None:
        self.done += steps
        if time.monotonic() - self.last >= SECONDS_BETWEEN_LINES:
            self.last = time.monotonic()
            self.say(f"{self.description}: {self.done:,} of {self.total:,} {note}".rstrip())


def track(progress: Progress, items: Iterable[T], description: str, total: int) -> Iterator[T]:
    """The items, one by one, with a bar of `total` steps beside them."""
    with progress.bar(description, total) as advance:
        for item in items:
            yield item
            advance(1, "")
