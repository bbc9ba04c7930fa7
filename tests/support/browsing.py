"""Shared by the tests of pages in a browser."""

import re
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

WIDTHS = (360, 820, 1400)  # pixels: a phone, a tablet, a desk


def opened(
    browser: Browser, path: Path, width: int, scheme: Literal["light", "dark"] = "light"
) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: faults.append(request.url[:100]))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else faults.append(request.url)
    )
    page.goto(path.as_uri())
    return page, faults


def check_layout(page: Page, width: int) -> None:
    """Nothing is wider than the screen, or than its cell; every picture is shown, and has a text alternative."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
    outside = page.evaluate(
        """() => [...document.querySelectorAll('h1,h2,h3,h4,p,li,dd,figcaption,img,nav a')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.textContent.slice(0, 60))"""
    )
    assert outside == []
    overlapping = page.evaluate(
        """() => { const cells = [...document.querySelectorAll('th,td')];
            return cells.filter(c => c.scrollWidth > c.clientWidth + 1).map(c => c.textContent.slice(0, 60)) }"""
    )
    assert overlapping == []
    page.evaluate(
        """() => Promise.all([...document.images].map(i => { i.loading = 'eager'; return i.decode() }))"""
    )  # those below the screen too; a damaged one is an error here
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0 && i.alt.length > 0)")


def contrast(page: Page, selector: str) -> float:
    """Contrast of an element's text with its background, 1 to 21: Web Content Accessibility Guidelines 2.1."""
    colours = page.eval_on_selector(
        selector,
        """element => {
            const ink = getComputedStyle(element).color;
            for (; element; element = element.parentElement) {
                const paper = getComputedStyle(element).backgroundColor;
                if (!paper.endsWith(", 0)")) return [ink, paper];
            }
            return [ink, "rgb(255, 255, 255)"];
        }""",
    )

    def luminance(colour: str) -> float:
        values = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted(map(luminance, colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)
