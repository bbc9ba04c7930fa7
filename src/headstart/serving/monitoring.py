"""What is told of the requests: their ids, a line of JSON for each in the log, and numbers for Prometheus.

Neither an image nor the name of a file is ever told.
"""

import asyncio
import json
import re
import sys
import time
import traceback
import uuid
from contextlib import suppress
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.serving.problems import MEDIA_TYPE, RefusedError

ID_HEADER = "X-Request-ID"
DISCARDING = 10.0  # seconds in which a client may finish sending what is refused
STANDING_STILL = 2.0  # seconds without a byte of it, after which it is not waited for
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # of a client: what cannot break a line of a log
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def log(event: str, **values: object) -> None:
    """A line of JSON on standard error. Where that cannot be written (a full disk), the service goes on without."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values}
    with suppress(OSError, ValueError):
        print(json.dumps(line), file=sys.stderr, flush=True)


class Metrics:
    """The numbers of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "headstart_requests", "Requests that were answered.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "headstart_request_seconds", "From a request to its answer.", ["route"], buckets=_SECONDS, registry=registry
        )
        self.images = Counter("headstart_images", "Images that came.", ["model", "outcome"], registry=registry)
        self.batches = Histogram(
            "headstart_batch_images",
            "Images that went through a network together.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=registry,
        )
        self.queue = Gauge("headstart_queue_images", "Images accepted and not answered yet.", registry=registry)
        self.reloads = Counter(
            "headstart_model_reloads", "Runs that were replaced on the disk.", ["model", "outcome"], registry=registry
        )


class Monitor:
    """Middleware: gives each request an id, sees to it that each is answered, and tells what became of it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        given = Headers(scope=scope).get(ID_HEADER, "")
        state = scope.setdefault("state", {})
        state["id"] = given if _ID.fullmatch(given) else uuid.uuid4().hex
        status, body = 0, _Body(scope, receive)

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                if not await body.is_over():
                    headers["Connection"] = "close"
                headers[ID_HEADER] = state["id"]
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, body.receive, told)
        except Exception:  # noqa: BLE001 - the client is told that it failed, the log why
            log("fault", id=state["id"], trace=traceback.format_exc())
            if not status:
                problem = RefusedError("fault", "The service failed at this request; its log says why.")
                await problem_response(problem, state["id"])(scope, receive, told)
        finally:
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")  # never what was asked for: it may be anything
        self._metrics.requests.labels(route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        state = scope["state"]
        images = {"images": state["images"]} if "images" in state else {}
        problem = {"problem": state["problem"]} if "problem" in state else {}
        log(
            "request",
            id=state["id"],
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **images,
            **problem,
        )


class _Body:
    """The body of a request, which may be refused before all of it is there."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._receive, self._waits = receive, "expect" in headers
        self._is_coming = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_coming = self._is_coming and message.get("more_body", False)
        self._waits = False
        return message

    async def is_over(self) -> bool:
        """Whether it is, after a while: a client that is cut off while it sends does not read the answer."""
        if self._waits:  # it sends nothing until it is told to
            return not self._is_coming
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARDING):
                while self._is_coming:
                    await asyncio.wait_for(self.receive(), STANDING_STILL)
        return not self._is_coming


def problem_response(problem: RefusedError, request_id: str) -> JSONResponse:
    return JSONResponse(
        problem.to_json(request_id), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )  # fmt: skip
