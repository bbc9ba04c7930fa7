"""The service behind a proxy that shows it under a path, which it cuts off or passes on; in a browser, too."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Browser, expect

from headstart.errors import ServiceError
from headstart.serving.client import Client
from headstart.serving.config import ServiceConfig
from support.serving import Service

PREFIX = "/shop/pets"


@contextmanager
def proxy(service: str, *, cuts: bool) -> Iterator[str]:
    """The address of a server that passes on what is asked below PREFIX. cuts: without PREFIX."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not f"{self.path}/".startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            path = self.path.removeprefix(PREFIX) if cuts else self.path
            length = int(self.headers.get("Content-Length") or 0)
            headers = {"Content-Type": self.headers.get("Content-Type", "text/plain"), "Host": self.headers["Host"]}
            request = urllib.request.Request(
                service + (path or "/"), self.rfile.read(length) if length else None, headers, method=self.command
            )
            try:
                answer = urllib.request.urlopen(request, timeout=30)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                content = answer.read()
                self.send_response(answer.status or 500)
                for name in ("Content-Type", "Content-Security-Policy"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


@pytest.fixture(scope="module")
def prefixed(run) -> Iterator[Service]:
    with Service(f"cells={run.folder}", "--path-prefix", PREFIX) as started:
        yield started


@pytest.mark.parametrize("cuts", [True, False])
def test_page_and_interface_under_the_path_of_a_proxy(prefixed, classifier, cells, browser: Browser, cuts):
    content = cells["defective"][0].read_bytes()
    with proxy(prefixed.url, cuts=cuts) as url:
        assert Client(url).predict(content).label == classifier.predict(content).label
        assert Client(url).describe()["models"] == ["cells"]
        document = httpx.get(f"{url}/openapi.json").json()
        assert document["servers"] == [{"url": PREFIX}]
        assert "/v1/predict" in document["paths"]
        assert httpx.get(f"{url}/v1/nothing").json()["code"] == "not-found"
        for end in ("/", ""):
            page = browser.new_page()
            page.goto(url + end)
            expect(page.locator("#about")).to_contain_text("This model recognises 2 classes")
            assert page.evaluate("document.styleSheets.length") == 2
            page.close()


def test_without_a_prefix_a_proxy_may_cut_off_any(service, browser: Browser):
    with proxy(service.url, cuts=True) as url:
        assert Client(url).describe()["models"] == ["cells", "other"]
        page = browser.new_page()
        page.goto(f"{url}/")
        expect(page.locator("#about")).to_contain_text("This model recognises 2 classes")
        page.close()


@pytest.mark.parametrize("prefix", ["pets", "/pets/", "/", "/a b", '/"><script>', "/pets//x", "https://example.org"])
def test_what_is_no_prefix_is_refused(prefix):
    with pytest.raises(ServiceError, match="expected one such as /pets"):
        ServiceConfig(path_prefix=prefix)
