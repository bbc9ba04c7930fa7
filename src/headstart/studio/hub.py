"""What changes in the studio -> all pages that listen, as server-sent events. Knows nothing of what changes.

A page that is slow gets the newest event of each kind: the ones between would tell it nothing more.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

SECONDS_BETWEEN_SIGNS = 15  # of life, for proxies and for pages that were closed without a word


class Hub:
    """Events from any thread, for any number of listeners."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """In the event loop of the server."""
        self._loop = asyncio.get_running_loop()

    def publish(self, kind: str, **facts: Any) -> None:
        """Tell all listeners. An event replaces one of the same kind (and `id`) that a listener has not got yet."""
        event = {"type": kind, **facts}
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, event)

    def close(self) -> None:
        """End all streams. In the event loop."""
        for listener in self._listeners:
            listener.close()

    def _spread(self, event: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.put(event)

    async def stream(self, first: Callable[[], list[dict[str, Any]]]) -> AsyncIterator[bytes]:
        """Server-sent events, as bytes. first: gives those that a new listener gets at once."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            for event in first():
                listener.put(event)
            yield b"retry: 1000\n\n"
            while not listener.is_closed:
                for event in await listener.take():
                    yield f"data: {json.dumps(event)}\n\n".encode()
        finally:
            self._listeners.discard(listener)


class _Listener:
    def __init__(self) -> None:
        self._waiting: dict[tuple[str, object], dict[str, Any]] = {}
        self._woken = asyncio.Event()
        self.is_closed = False

    def put(self, event: dict[str, Any]) -> None:
        self._waiting[event["type"], event.get("id")] = event
        self._woken.set()

    def close(self) -> None:
        self.is_closed = True
        self._woken.set()

    async def take(self) -> list[dict[str, Any]]:
        """What waits; after some seconds without anything a sign of life."""
        try:
            async with asyncio.timeout(SECONDS_BETWEEN_SIGNS):
                await self._woken.wait()
        except TimeoutError:
            return [{"type": "alive"}]
        self._woken.clear()
        events, self._waiting = list(self._waiting.values()), {}
        return events
