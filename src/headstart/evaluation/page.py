"""A template and values -> one page that needs nothing else: its pictures are inside."""

import base64
import io
from typing import Any

import jinja2
from PIL import Image


def render(template: str, **values: Any) -> str:
    """The text of a page; template: its file in this folder."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("headstart.evaluation", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template).render(**values)


def as_webp(image: Image.Image, quality: int) -> str:
    """An RGB image as WebP in base64: a tenth of a PNG, so that the page can be sent by mail. quality: 1 to 100."""
    with io.BytesIO() as file:
        image.save(file, "WEBP", quality=quality, method=2)  # of 6: half the time of 4, the usual, and 4% larger
        return base64.b64encode(file.getvalue()).decode()
