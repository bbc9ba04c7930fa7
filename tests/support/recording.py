"""Recorder: a listener that remembers what it was told."""

import io

from rich.console import Console as RichConsole

from headstart.events import Event
from headstart.listeners.console import Console


class Recorder:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def cancelled(self) -> bool:
        return False

    @property
    def lines(self) -> list[str]:
        """Of the messages and the titles of steps, in their order; of an epoch, what a console says."""
        with io.StringIO() as stream:
            console = Console(RichConsole(file=stream, highlight=False, width=10_000))
            for event in self.events:
                console.emit(event)
            return [line for line in stream.getvalue().splitlines() if line]
