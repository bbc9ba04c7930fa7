"""Middleware: each request is read and answered; a fault of the studio is answered with a problem, and is logged."""

import traceback

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.serving.incoming import IncomingBody
from headstart.serving.monitoring import log, problem_response, request_id
from headstart.serving.problems import fault


class Guard:
    """Catches what no handler knows."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, has_begun = IncomingBody(scope, receive), False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                await body.finish(MutableHeaders(scope=message))
            has_begun = True
            await send(message)

        try:
            await self._app(scope, body.receive, sent)
        except Exception:  # noqa: BLE001 - the page learns that it failed, the log says why
            log("fault", id=request_id(scope), trace=traceback.format_exc())
            if not has_begun:
                await problem_response(fault(), request_id(scope))(scope, body.receive, sent)
