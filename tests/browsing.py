"""What tests of pages in a browser share."""

import re

from playwright.sync_api import Page


def contrast(page: Page, selector: str) -> float:
    """Of the text of an element and what is behind it, 1 to 21, as the Web Content Accessibility Guidelines 2.1 say."""
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
