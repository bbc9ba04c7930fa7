"""The folder of a web export, served as any host of files serves it, and its page in a browser."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class StaticHost:
    """`python -m http.server`, on a free port of this machine, for as long as a `with`."""

    def __init__(self, folder: Path) -> None:
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
        self.url = f"http://localhost:{self._server.server_port}/"

    def __enter__(self) -> "StaticHost":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def web_page(browser: Browser, url: str, *, before: str = "", is_ready: bool = True, **how: Any) -> Iterator[Page]:
    """The page of an export. An error, a warning, or a request to another host fails the test.

    before: a script that runs before the page's own. is_ready: whether to wait until it can answer. how: as of
    Playwright's contexts; by default a desk, in English.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US"} | how)
    context.add_init_script(before)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((url, "blob:")) else faults.append(asked.url))
    page.goto(url)
    if is_ready:
        expect(page.locator("#choose")).to_be_visible()
    yield page
    context.close()
    assert faults == []
