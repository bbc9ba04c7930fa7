"""The process of the service: a port, uvicorn, signals. What it answers is in `app.py`."""

import asyncio
import json
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from headstart.serving.binding import BACKLOG, address_of, bound_socket
from headstart.serving.config import ServiceConfig
from headstart.serving.limits import Limits
from headstart.serving.monitoring import log
from headstart.serving.problems import MEDIA_TYPE, RefusedError

MAX_HEAD_BYTES = 65_536  # of the first line and the headers of a request; nginx accepts 32 kB
KEEP_ALIVE = 75  # seconds that an idle connection is kept, as in nginx
GRACE = 0.2  # seconds between the steps of a shutdown


def serve(
    runs: Mapping[str, Path],
    config: ServiceConfig | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    announce: Callable[[str], None] = print,
) -> None:
    """Answer until SIGTERM or Ctrl-C. After the first signal no new connection is accepted, and every request that was
    accepted is answered. A second signal closes the connections; the photos that are already here are finished.

    Args:
        runs: name -> folder; the first answers where a request names none.
        port: 0 takes a free one.
        announce: is called with the address, once it accepts connections.

    Raises:
        RunError: a run cannot be opened.
        ServiceError: the address cannot be used.
    """
    from headstart.serving.app import create_app  # heavy, and not what other servers answer by

    config = config or ServiceConfig()
    with bound_socket(host, port) as listening:
        app = create_app(runs, config)
        listening.listen(BACKLOG)
        answer(app, config.limits, listening, announce=announce)


def answer(
    app: FastAPI,
    limits: Limits,
    listening: socket.socket,
    *,
    announce: Callable[[str], None] = lambda address: None,
    websockets: bool = False,
) -> None:
    """Answer by an application until SIGTERM or Ctrl-C, see `serve`.

    app: its `state.service` learns by `is_ending` that the end begins.
    listening: a socket that listens already: who connects before the server has started waits.
    """
    server = _Server(_uvicorn_config(app, limits, websockets))
    # uvicorn does this too, but later than the address is announced; and after a clean end it raises the signal
    # once more, which by default would count as a failure
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    logging.getLogger("uvicorn.error").addHandler(_LogHandler(logging.WARNING))
    announce(address_of(listening))
    server.run(sockets=[listening])


def _uvicorn_config(app: FastAPI, limits: Limits, websockets: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_guarded_protocol(limits),
        ws="websockets-sansio" if websockets else "none",
        ws_max_size=limits.file_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(limits.answer_seconds) + 30,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, but on shutdown it also answers clients that are connected and have not sent their request yet.

    A second signal closes their connections.
    """

    _loop: asyncio.AbstractEventLoop | None = None  # during the shutdown

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # it is the second signal, whichever they are
        super().handle_exit(sig, frame)
        if self.force_exit and self._loop:
            self._loop.call_soon_threadsafe(self._close_connections)

    def _close_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.config.app.state.service.is_ending = True  # type: ignore[union-attr]
        await asyncio.sleep(GRACE)  # connections that the system has already made are accepted
        for server in self.servers:
            server.close()
        await asyncio.sleep(GRACE)  # and their requests are read
        await super().shutdown(sockets)
        if self.force_exit:
            self._close_connections()
            await asyncio.sleep(GRACE)  # and their requests end
            await self.lifespan.shutdown()  # uvicorn skips this then, and what was opened would stay open


class _LogHandler(logging.Handler):
    """Writes uvicorn's messages like all other lines of the log."""

    def emit(self, record: logging.LogRecord) -> None:
        log("server", level=record.levelname.lower(), message=record.getMessage())


_Protocol: Any = AutoHTTPProtocol  # one of two, depending on the libraries that are installed


class _GuardedProtocol(_Protocol):
    """uvicorn's protocol, guarded against hostile clients: by itself it waits for ever for a request of any length."""

    limits: Limits
    _timer: Any

    def connection_made(self, transport: Any) -> None:
        self._received, self._timer = 0, None
        # a body that is refused is read for a while
        self._max_bytes = MAX_HEAD_BYTES + 3 * self.limits.request_bytes
        super().connection_made(transport)
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._received > (MAX_HEAD_BYTES if self._is_idle() else self._max_bytes):
            self.transport.close()
            return
        if self._received == 0 and self._is_idle():
            self._timer.cancel()
            self._timer = self.loop.call_later(self.limits.start_seconds, self._close_if_idle)
        self._received += len(data)
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._received = 0
        super().on_response_complete()
        self._expect_a_request()

    def handle_websocket_upgrade(self, *given: Any) -> None:
        self._timer.cancel()  # from here on, the connection is another protocol's
        super().handle_websocket_upgrade(*given)

    def send_400_response(self, msg: str) -> None:
        problem = RefusedError("bad-request", "This is not a valid HTTP request.")
        content = json.dumps(problem.to_json()).encode()
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(content)}\r\n"
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + content)
        self.transport.close()

    def _expect_a_request(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(KEEP_ALIVE, self._close_if_idle)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_if_idle(self) -> None:
        if self._is_idle():
            self.transport.close()


def _guarded_protocol(limits: Limits) -> type[_GuardedProtocol]:
    """The class with these limits: uvicorn makes the objects, and gives them none of our arguments."""
    return type("GuardedProtocol", (_GuardedProtocol,), {"limits": limits})
