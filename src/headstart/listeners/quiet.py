"""Quiet: hears nothing, and never cancels."""

from headstart.events import Event


class Quiet:
    """Says nothing."""

    def emit(self, event: Event) -> None:
        pass

    def cancelled(self) -> bool:
        return False
