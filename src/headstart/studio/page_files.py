"""The page: files of the package, as they are served. No bundler, no network: what is read here is the source."""

from importlib.resources import files
from pathlib import PurePosixPath

from starlette.responses import Response

from headstart.storage.hashing import sha256

INDEX = "index.html"
PAGE = files("headstart.studio") / "page"
# what reports, service and studio share
SHARED = {"css/tokens.css": files("headstart.pages") / "tokens.css"}
MEDIA_TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css",
    ".svg": "image/svg+xml", ".json": "application/json", ".png": "image/png", ".webp": "image/webp",
    ".woff2": "font/woff2", ".txt": "text/plain", ".webmanifest": "application/manifest+json",
}  # fmt: skip


def page_file(path: str, known_tag: str | None) -> Response | None:
    """The answer for an address, without its first slash; None: the page has no such file. known_tag: that the browser
    has a copy of."""
    path = path or INDEX
    content, suffix = _content(path), PurePosixPath(path).suffix
    if content is None:
        return None
    headers = {"Cache-Control": "no-cache", "ETag": f'"{sha256(content)[:16]}"'}
    if known_tag == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=MEDIA_TYPES[suffix], headers=headers)


def _content(path: str) -> bytes | None:
    parts = PurePosixPath(path).parts
    is_plain = all(part not in ("..", ".", "/") and "\\" not in part and "\0" not in part for part in parts)
    if not is_plain or PurePosixPath(path).suffix not in MEDIA_TYPES:
        return None
    file = SHARED.get(path) or PAGE.joinpath(*parts)
    return file.read_bytes() if file.is_file() else None
