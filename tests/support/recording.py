"""Recorder: a listener that remembers the events, and can cancel the work after some of them."""

import io

from rich.console import Console as RichConsole

from headstart.events import Advanced, Event
from headstart.listeners.console import Console


class Recorder:
    """Remembers the events. cancel_after: so many events later, it asks the work to stop; None: never."""

    def __init__(self, *, cancel_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.cancel_after = cancel_after

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def cancelled(self) -> bool:
        return self.cancel_after is not None and len(self.events) >= self.cancel_after

    @property
    def progress(self) -> list[Advanced]:
        return [event for event in self.events if isinstance(event, Advanced)]

    @property
    def lines(self) -> list[str]:
        """The messages, titles of steps and epochs, in order, as a console writes them."""
        with io.StringIO() as stream:
            console = Console(RichConsole(file=stream, highlight=False, width=10_000))
            for event in self.events:
                console.emit(event)
            return [line for line in stream.getvalue().splitlines() if line]
