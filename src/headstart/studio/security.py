"""Who may ask the studio: a middleware before everything else, and the headers of every answer. Knows no route.

A page elsewhere must not reach a server on this machine. So the name in Host must be one of this machine's (DNS
rebinding), Origin must be the studio's own, and everything but the door needs the session: a cookie that the browser
gets for the token in the address that `headstart studio` opens, or for the password. Programs may send the token as
`Authorization: Bearer TOKEN`.
"""

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.serving.binding import EVERYWHERE
from headstart.serving.monitoring import problem_response, request_id
from headstart.studio.problems import RefusalError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-src 'self'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
MAX_PASSWORD_BYTES = 4_096  # of the form of the door
SECONDS_AFTER_WRONG = 1.0  # before a wrong password is answered

_DOOR = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>headstart studio</title><h1>headstart studio</h1>
{content}</html>"""
_FORM = """<form method="post" action="/login"><p>{remark}</p>
<p><label>Password <input type="password" name="password" autofocus required></label>
<button>Open</button></p></form>"""
_NO_TOKEN = "<p>Open the address that <code>headstart studio</code> printed: it holds the key to this studio.</p>"


@dataclass(frozen=True)
class Door:
    """What opens the studio.

    host: that it listens at. token: of the address that is opened. password: None: there is none. session: the value
    of the cookie; new for each server, so that a page of an earlier one has to be opened again.
    """

    host: str = "127.0.0.1"
    password: str | None = None
    token: str = field(default_factory=secrets.token_urlsafe)
    session: str = field(default_factory=secrets.token_urlsafe)

    def knows(self, host: str) -> bool:
        """Whether a name in the header Host is the studio's."""
        name = _name(host)
        return name in LOOPBACK or name == self.host or (self.host in EVERYWHERE and bool(name))


class Security:
    """Middleware: refuses whoever may not ask, opens the door, and adds the headers."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded = _with_headers(send)
        try:
            self._check_place(headers)
        except RefusalError as refusal:
            await _refuse(refusal, scope, receive, guarded)
            return
        if scope["type"] == "http" and (answer := await self._at_the_door(scope, receive)):
            await answer(scope, receive, guarded)
            return
        if not self._has_session(headers):
            await self._turn_away(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)

    def _check_place(self, headers: Headers) -> None:
        """
        Raises:
            RefusalError: the request was made under another name, or by a page of another origin.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._door.knows(host):
            raise RefusalError("forbidden", "The studio does not answer under this name. Open it as 127.0.0.1.")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            raise RefusalError("forbidden", "The studio does not answer the pages of others.")
        is_foreign = headers.get("sec-fetch-site", "none") in ("cross-site", "same-site")
        if is_foreign and headers.get("sec-fetch-mode") != "navigate":
            raise RefusalError("forbidden", "The studio does not answer the pages of others.")

    async def _at_the_door(self, scope: Scope, receive: Receive) -> Response | None:
        """The answer to who brings a token or a password; None: the request is for somebody else."""
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
            if given and _equal(given[0], self._door.token):
                return self._welcome(scope)
        if scope["path"] == "/login" and scope["method"] == "POST" and self._door.password is not None:
            if _equal(await _password(receive), self._door.password):
                return self._welcome(scope)
            await asyncio.sleep(SECONDS_AFTER_WRONG)
            return _page(_FORM.format(remark="This is not the password."), 401)
        return None

    def _welcome(self, scope: Scope) -> Response:
        answer = RedirectResponse("/", 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(_cookie_name(scope), self._door.session, httponly=True, samesite="strict", path="/")
        return answer

    def _has_session(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and _equal(token, self._door.token):
            return True
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return False
        names = [name for name in cookies if name.startswith("headstart-")]
        return any(_equal(cookies[name].value, self._door.session) for name in names)

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            content = _NO_TOKEN if self._door.password is None else _FORM.format(remark="")
            await _page(content, 401)(scope, receive, send)
            return
        refusal = RefusalError("unauthorized", "Open the studio by the address that `headstart studio` printed.")
        await _refuse(refusal, scope, receive, send)


async def _refuse(refusal: RefusalError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()  # the wish to connect; closing before it is accepted is answered as 403
        await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)})
        return
    await problem_response(refusal, request_id(scope))(scope, receive, send)


def _page(content: str, status: int) -> HTMLResponse:
    return HTMLResponse(_DOOR.format(content=content), status, headers={"Cache-Control": "no-store"})


async def _password(receive: Receive) -> str:
    """Of the form; "" where it is longer than any password."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_PASSWORD_BYTES or message["type"] == "http.disconnect":
            return ""
        if not message.get("more_body", False):
            return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sent


def _cookie_name(scope: Scope) -> str:
    """With the port: cookies belong to a machine, and another studio may listen at another port of it."""
    server = scope.get("server") or ("", 0)
    return f"headstart-{server[1]}"


def _name(host: str) -> str:
    """localhost:8000, [::1]:8000 -> localhost, ::1."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
