"""What goes wrong in the service -> an answer as `application/problem+json` (RFC 9457). Knows no web framework.

The only place where an error gets its HTTP status.
"""

from http import HTTPStatus

from headstart.errors import HeadstartError, ImageError, ImageTooLargeError, ModelError, NotAnImageError

MEDIA_TYPE = "application/problem+json"

# The code, by which a client can tell problems apart -> the HTTP status.
PROBLEMS = {
    "bad-request": 400,
    "bad-multipart": 400,
    "no-image": 400,
    "unauthorized": 401,
    "not-found": 404,
    "unknown-model": 404,
    "method-not-allowed": 405,
    "too-slow": 408,
    "too-many-bytes": 413,
    "too-many-files": 422,
    "too-many-pixels": 413,
    "not-an-image": 415,
    "unsupported-media-type": 415,
    "unreadable-image": 422,
    "impossible-promise": 422,
    "invalid-parameter": 422,
    "fault": 500,
    "queue-full": 503,
    "took-too-long": 503,
    "ending": 503,
}
# The first type that fits decides.
_CODES: dict[type[HeadstartError], str] = {
    NotAnImageError: "not-an-image",
    ImageTooLargeError: "too-many-pixels",
    ImageError: "unreadable-image",
    ModelError: "impossible-promise",
}
_RETRY_AFTER = {503: "1"}  # seconds; the queue empties within about one


class RefusedError(HeadstartError):
    """A request that cannot be answered. code: a row of `statuses`; more: further members of the answer."""

    statuses = PROBLEMS

    def __init__(self, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: object) -> None:
        super().__init__(detail)
        self.code, self.status, self.more = code, self.statuses[code], more
        self.headers = dict(headers or {})
        if self.status in _RETRY_AFTER:
            self.headers["Retry-After"] = _RETRY_AFTER[self.status]

    def to_json(self, request_id: str | None = None) -> dict[str, object]:
        content = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": str(self),
        }
        return content | ({"id": request_id} if request_id else {}) | self.more


def problem_of(error: HeadstartError) -> RefusedError:
    """The answer to an error in an image (its message is the reason alone), or in what was asked for."""
    if isinstance(error, RefusedError):
        return error
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), "fault")
    if code == "fault":
        return fault()
    if not isinstance(error, ImageError):
        return RefusedError(code, str(error))
    return RefusedError(code, f"The {'file' if code == 'not-an-image' else 'image'} {error}.")


def fault() -> RefusedError:
    """The answer where the service itself is to blame."""
    return RefusedError("fault", "The service failed on this request. Its log has the reason.")
