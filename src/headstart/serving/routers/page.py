"""GET /: the page on which people drop photos, and its files. It asks the routes of the API beside it."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from fastapi import APIRouter, Response

FILES = {
    "": ("serving/page/index.html", "text/html"),
    "tokens.css": ("pages/tokens.css", "text/css"),
    "answers.css": ("pages/answers/answers.css", "text/css"),
    **{
        f"{name}.js": (f"pages/answers/{name}.js", "text/javascript")
        for name in ("cards", "dropping", "strings", "words")
    },
    "page.js": ("serving/page/page.js", "text/javascript"),
    "icon.svg": ("serving/page/icon.svg", "image/svg+xml"),
}
HEADERS = {
    # a photo is shown from memory (blob:), training images from the answer (data:); everything else is from here
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page_router(path_prefix: str = "") -> APIRouter:
    """path_prefix: path under which a proxy shows the page, also without a slash behind it."""
    router = APIRouter()
    for path, (name, media_type) in FILES.items():
        content = files("headstart").joinpath(*name.split("/")).read_bytes()
        if path_prefix and not path:
            content = content.replace(b"<head>", f'<head>\n  <base href="{path_prefix}/">'.encode(), 1)
        endpoint = _always(Response(content, media_type=media_type, headers=HEADERS))
        router.add_api_route(f"/{path}", endpoint, include_in_schema=False)
    return router


def _always(response: Response) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return response

    return page
