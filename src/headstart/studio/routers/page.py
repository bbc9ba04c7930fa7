"""GET /: the page, and its files. They lie in the package as they are served: no bundler, no network."""

from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

from headstart.storage.hashing import sha256
from headstart.studio.problems import RefusalError

PAGE = files("headstart.studio") / "page"
SHARED = {"shared/style.css": files("headstart.pages") / "style.css"}  # what reports, service and studio share
MEDIA_TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
    ".svg": "image/svg+xml", ".json": "application/json", ".png": "image/png", ".webp": "image/webp",
    ".woff2": "font/woff2", ".txt": "text/plain", ".webmanifest": "application/manifest+json",
}  # fmt: skip


def page_router() -> APIRouter:
    router = APIRouter()

    @router.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request) -> Response:
        parts = PurePosixPath(path or "index.html").parts
        suffix = PurePosixPath(path or "index.html").suffix
        is_plain = all(part not in ("..", ".", "/") and "\\" not in part and "\0" not in part for part in parts)
        file = SHARED.get(path) or PAGE.joinpath(*parts)
        if not is_plain or suffix not in MEDIA_TYPES or not file.is_file():
            raise RefusalError("not-found", "There is nothing at this address.")
        content = file.read_bytes()
        tag = f'"{sha256(content)[:16]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=MEDIA_TYPES[suffix], headers=headers)

    return router
