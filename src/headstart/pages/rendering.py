"""A template and values -> one self-contained page: pictures are inside."""

import base64
import io
import re
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape
from PIL import Image


def render(package: str, template: str, **values: Any) -> str:
    """The text of a page.

    package: of headstart, such as "evaluation", whose folder contains the template; it may include `tokens.css` and
        `style.css`, which all pages share, and use the filter `with_code`.
    """
    return _environment(package).get_template(template).render(**values)


@cache
def _environment(package: str) -> jinja2.Environment:
    """Kept, and with it the templates, which take longer to compile than a page to render."""
    folders = [jinja2.PackageLoader(f"headstart.{name}", ".") for name in (package, "pages")]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["with_code"] = with_code
    return environment


def with_code(sentence: str) -> Markup:
    """A sentence as HTML; what stands between backticks is code."""
    return Markup(re.sub("`([^`]*)`", r"<code>\1</code>", str(escape(sentence))))


def as_webp(image: Image.Image, quality: int) -> str:
    """An RGB image as WebP in base64: a tenth of a PNG, so that the page can be sent by mail. quality: 1 to 100."""
    with io.BytesIO() as file:
        image.save(file, "WEBP", quality=quality, method=2)  # of 6: half the time of 4, the usual, and 4% larger
        return base64.b64encode(file.getvalue()).decode()
