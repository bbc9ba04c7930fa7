"""What is recorded of requests: an id, a line of JSON in the log, and numbers for Prometheus.

No image and no file name is ever recorded.
"""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.evaluation.drift import KINDS
from headstart.serving.incoming import IncomingBody
from headstart.serving.problems import MEDIA_TYPE, RefusedError, fault

if TYPE_CHECKING:
    from headstart.serving.drift import Drift, Reference

ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # from a client: nothing that could break a line of the log
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


def log(event: str, **values: object) -> None:
    """Write a line of JSON to standard error. If that fails (such as on a full disk), the service continues."""
    line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **values}
    with suppress(OSError, ValueError):
        print(json.dumps(line), file=sys.stderr, flush=True)


def request_id(scope: Scope) -> str:
    """The id of a request: the client's own, if it is harmless, or else a new one. Always the same for one request."""
    facts = _facts(scope)
    if "id" not in facts:
        given = Headers(scope=scope).get(ID_HEADER, "")
        facts["id"] = given if _ID.fullmatch(given) else uuid.uuid4().hex
    return facts["id"]


def record(scope: Scope, **values: object) -> None:
    """Add to the line of the log that a request gets."""
    _facts(scope).update(values)


def _facts(scope: Scope) -> dict:
    return scope.setdefault("state", {}).setdefault("headstart", {})


def problem_response(problem: RefusedError, request_id: str) -> JSONResponse:
    return JSONResponse(
        problem.to_json(request_id), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )  # fmt: skip


class Metrics:
    """The numbers of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("headstart_requests", "Requests answered.", ["route", "status"], registry=registry)
        self.seconds = Histogram(
            "headstart_request_seconds", "Time from request to answer.", ["route"], buckets=_BUCKETS, registry=registry
        )
        self.images = Counter("headstart_images", "Images received.", ["model", "outcome"], registry=registry)
        self.batches = Histogram(
            "headstart_batch_images", "Images in one batch of a network.", buckets=(1, 2, 4, 8, 16, 32),
            registry=registry,
        )  # fmt: skip
        self.queue = Gauge("headstart_queue_images", "Images accepted but not yet answered.", registry=registry)
        self.reloads = Counter(
            "headstart_model_reloads", "Runs replaced on disk.", ["model", "outcome"], registry=registry
        )
        self.drift = DriftMetrics(registry)
        self.samples = Gauge("headstart_samples", "Photos that are kept as samples.", registry=registry)


class DriftMetrics:
    """What the last photos show, of each model; see `drift.py`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"headstart_{name}", text, ["model", *labels], registry=registry)

        self.images = gauge("drift_images", "Last images that the following is about.")
        self.unfamiliar = gauge("unfamiliar_share", "Images unlike the training images: of the last; expected.", "of")
        self.confidence = gauge("confidence_mean", "Mean probability of the answers: to the last; expected.", "of")
        self.classes = gauge("class_share", "Estimated share of a class among the last images.", "class")
        self.accuracy = gauge("accuracy_estimate", "Estimated accuracy of the last answers, without labels.", "bound")
        self.alarm = gauge("drift_alarm", "Whether the last whole window of images is unlike held-out ones.", "kind")
        self.alarms = Counter(
            "headstart_drift_alarms", "Windows of images unlike held-out ones.", ["model", "kind"], registry=registry
        )

    def show(self, model: str, found: Drift, before: Reference, *, window_ended: bool) -> None:
        """window_ended: whether a window was tested now."""
        self.images.labels(model).set(len(found.now.confidences))
        for of, each in (("last", found.now), ("expected", before.answered)):
            if each.checked:
                self.unfamiliar.labels(model, of).set(each.unfamiliar / each.checked)
            self.confidence.labels(model, of).set(each.confidences.mean())
        if found.accuracy:
            for name, share in zip(before.class_names, found.accuracy.shares, strict=True):
                self.classes.labels(model, name).set(share)
            for bound in ("value", "low", "high"):
                value = found.accuracy.accuracy if bound == "value" else getattr(found.accuracy, bound)
                self.accuracy.labels(model, bound).set(value)
        if found.p:
            for kind in KINDS:
                self.alarm.labels(model, kind).set(kind in found.alarms)
                self.alarms.labels(model, kind).inc(window_ended and kind in found.alarms)


class Monitor:
    """Middleware: gives each request an id, ensures that each gets an answer, and records the outcome."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, id_ = time.perf_counter(), request_id(scope)
        body = IncomingBody(scope, receive)
        response = _Response(send, body, id_)
        try:
            await self._app(scope, body.receive, response.send)
        except Exception:  # noqa: BLE001 - the client learns that it failed, the log says why
            log("fault", id=id_, trace=traceback.format_exc())
            if not response.status:
                await problem_response(fault(), id_)(scope, receive, response.send)
        finally:
            self._record(scope, response.status, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")  # never the address itself, which can be anything
        self._metrics.requests.labels(route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        facts = _facts(scope)
        log(
            "request",
            id=facts["id"],
            method=scope["method"],
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **{name: facts[name] for name in ("images", "problem") if name in facts},
        )


class _Response:
    """The answer to a request as it is sent, with the headers that every answer has.

    status: its HTTP status; 0 until it is sent.
    """

    def __init__(self, send: Send, body: IncomingBody, request_id: str) -> None:
        self._send, self._body, self._id = send, body, request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            await self._body.finish(headers)
            headers[ID_HEADER] = self._id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
