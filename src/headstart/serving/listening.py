"""The service's process: a port, uvicorn, signals. What is answered, `server.py` says."""

import asyncio
import errno
import ipaddress
import json
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from headstart.errors import ServiceError
from headstart.serving.limits import Limits
from headstart.serving.monitoring import log
from headstart.serving.problems import MEDIA_TYPE, RefusedError
from headstart.serving.server import ServiceConfig, create_app

HEAD_BYTES = 65_536  # of the line and headers of a request; nginx takes 32 kB
KEEP_ALIVE = 75  # seconds that an idle connection is kept; nginx's
LINGERING = 0.2  # seconds
BACKLOG = 2048  # connections that wait to be accepted, as far as the system allows it


def serve(
    runs: Mapping[str, Path],
    settings: ServiceConfig | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    tell: Callable[[str], None] = print,
) -> None:
    """Answer until SIGTERM or Ctrl-C; then no request is taken any more, and each that was is answered. Told a second
    time, it cuts off who waits, and ends as soon as the photos that it has are looked at.

    Args:
        runs: name -> folder; the first answers where none is named.
        port: 0 takes a free one.
        tell: is told the address, once it can be connected to.

    Raises:
        RunError: a run cannot be opened.
        ServiceError: the address cannot be listened at.
    """
    settings = settings or ServiceConfig()
    listener = _listener(host, port)
    with listener:
        app = create_app(runs, settings)
        config = uvicorn.Config(
            app,
            http=_guarded(settings.limits),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=int(settings.limits.answer_seconds) + 30,
        )
        server = _Server(config)
        # as uvicorn does later, but nobody may be told the address before; and it raises what stopped it once more when
        # it has ended well, which by default would be a failure
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, server.handle_exit)
        logging.getLogger("uvicorn.error").addHandler(_Log(logging.WARNING))
        listener.listen(BACKLOG)
        tell(_address(listener))
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's, which ends without cutting off who has connected, and not yet asked; told twice, it cuts them off."""

    _loop: asyncio.AbstractEventLoop | None = None  # while it ends

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit  # the second one, whichever signals they are
        super().handle_exit(sig, frame)
        if self.force_exit and self._loop:
            self._loop.call_soon_threadsafe(self._cut_off)

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self.config.app.state.ready = False  # type: ignore[union-attr]
        await asyncio.sleep(LINGERING)  # connections that the system took for us are accepted
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGERING)  # and what they ask is read
        await super().shutdown(sockets)
        if self.force_exit:
            self._cut_off()
            await asyncio.sleep(LINGERING)  # and their requests end
            await self.lifespan.shutdown()  # uvicorn leaves it out then, and what was opened stays open


class _Log(logging.Handler):
    """What uvicorn has to say, in the form of all other lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log("server", level=record.levelname.lower(), message=record.getMessage())


def is_private(host: str) -> bool:
    """Whether only this machine can connect to that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ServiceError(
                f"Port {port} of {host} is in use. Stop what listens there, or choose another: --port {port + 1}, or "
                f"--port 0 for one that is free."
            ) from None
        reason = getattr(error, "strerror", None) or error
        raise ServiceError(f"'{host}', port {port}, cannot be listened at: {reason}.") from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _guarded(limits: Limits) -> type[Any]:
    """uvicorn's protocol, for clients that mean no good: it waits for ever for a request to come, of any length."""
    most = HEAD_BYTES + 3 * limits.request_bytes  # a body that is refused is read on for a while

    protocol: Any = AutoHTTPProtocol  # one of two, whichever library is there

    class Guarded(protocol):
        _timer: Any

        def connection_made(self, transport: Any) -> None:
            self._received, self._timer = 0, None
            super().connection_made(transport)
            self._expect_a_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._received > (HEAD_BYTES if self._is_idle() else most):
                self.transport.close()
                return
            if self._received == 0 and self._is_idle():
                self._timer.cancel()
                self._timer = self.loop.call_later(limits.patience, self._close_if_idle)
            self._received += len(data)
            super().data_received(data)

        def on_response_complete(self) -> None:
            self._received = 0
            super().on_response_complete()
            self._expect_a_request()

        def send_400_response(self, msg: str) -> None:
            problem = RefusedError("bad-request", "This is no HTTP request that can be read.")
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

    return Guarded
