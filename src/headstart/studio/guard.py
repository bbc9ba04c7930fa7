"""Middleware: a request that fails by a fault of the studio is answered with a problem, and its trace is logged."""

import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:  # noqa: BLE001 - the page learns that it failed, the log says why
            log("fault", id=request_id(scope), trace=traceback.format_exc())
            if not has_begun:
                await problem_response(fault(), request_id(scope))(scope, receive, send)
