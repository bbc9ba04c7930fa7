"""Quiet: ignores every event."""

from headstart.events import Event


class Quiet:
    """Says nothing, and never cancels."""

    def emit(self, event: Event) -> None:
        pass

    def cancelled(self) -> bool:
        return False
