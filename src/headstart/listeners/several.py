"""Several: passes events on to more than one listener."""

from headstart.events import Event, Listener


class Several:
    """Passes each event on to all of its listeners, in order. Each of them can cancel the work."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener.emit(event)

    def cancelled(self) -> bool:
        return any(listener.cancelled() for listener in self.listeners)
