"""The studio's page in a browser: opened, watched for faults, and asked whether everybody can use it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from support.studio import StudioServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CAMERA = ("--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=30")
SERIOUS = ("serious", "critical")  # as axe calls what shuts somebody out

expect.set_options(timeout=30_000)  # milliseconds: two slow cores may do other things first


@contextmanager
def browser_with_camera() -> Iterator[Browser]:
    """Its camera shows a picture that moves, and needs no leave."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=list(CAMERA))
        yield opened
        opened.close()


@contextmanager
def studio_page(browser: Browser, server: StudioServer, **how: Any) -> Iterator[Page]:
    """The page of a studio. An error, a warning, or a request to another host fails the test.

    how: as of Playwright's contexts; by default a desk, in English.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, "locale": "en-US"} | how)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    own = (server.url, server.url.replace("http", "ws", 1), "blob:", "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
    page.goto(server.address)
    page.wait_for_selector("#main")
    try:
        yield page
    finally:
        context.close()
    # Chromium itself reports each answer that is not a success
    assert [fault for fault in faults if "the server responded with a status of 4" not in fault] == []


def show(page: Page, server: StudioServer, screen: str) -> None:
    """Go to a screen; that of the photos is there once it says how many there are: keys that come before are lost."""
    page.goto(f"{server.url}/#/{screen}")
    if screen.startswith("photos"):
        expect(page.locator(".total")).not_to_be_empty()


def axe_findings(page: Page, axe: Path) -> list[str]:
    """What axe calls serious, as "rule: where"."""
    page.evaluate((axe / "axe.min.js").read_text("utf-8") + ";0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
