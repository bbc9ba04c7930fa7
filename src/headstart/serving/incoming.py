"""IncomingBody: the body of a request that may be refused before all of it has arrived."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope

MAX_DISCARD_SECONDS = 10.0  # in which a client may finish sending a body that is refused
MAX_PAUSE_SECONDS = 2.0  # without a byte of that body; then the client is not waited for


class IncomingBody:
    """The body of a request, which may be refused before all of it has arrived."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._receive, self._client_waits = receive, "expect" in headers
        self._is_coming = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_coming = self._is_coming and message.get("more_body", False)
        self._client_waits = False
        return message

    async def finish(self, answer: MutableHeaders) -> None:
        """Before a request is answered: discard the rest of its body, or close the connection after the answer.

        What is left of a body would be taken for the next request; and a client that is cut off while it sends does
        not read the answer.
        """
        if not await self._discard_rest():
            answer["Connection"] = "close"

    async def _discard_rest(self) -> bool:
        """Wait a while for the rest. Whether all of it has arrived."""
        if self._client_waits:  # it sends nothing until it is told to
            return not self._is_coming
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_DISCARD_SECONDS):
                while self._is_coming:
                    await asyncio.wait_for(self.receive(), MAX_PAUSE_SECONDS)
        return not self._is_coming
