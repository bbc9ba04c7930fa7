"""What goes wrong in the studio -> an answer as `application/problem+json`, in the form of the service's problems."""

from typing import Any

from fastapi import FastAPI, Request, Response

from headstart.errors import CancelledError, HeadstartError, ImageError, MissingExtraError
from headstart.serving.exception_handlers import install_problem_handlers
from headstart.serving.monitoring import problem_response, request_id
from headstart.serving.problems import PROBLEMS, RefusedError, problem_of

# Besides those of the service
STATUSES = PROBLEMS | {
    "forbidden": 403,
    "no-collection": 404,
    "no-answers": 404,
    "stale": 409,  # ids of another collection
    "busy": 409,
    "cancelled": 409,
    "impossible": 422,  # what headstart refuses, in its own words
    "missing-extra": 501,
    "disk": 507,
}


class RefusalError(RefusedError):
    """A request to the studio that cannot be answered. code: a row of STATUSES; more: for pages in other languages:
    `reason`, what is wrong, and the names and numbers that the text says of it."""

    statuses = STATUSES


def told(error: HeadstartError) -> dict[str, Any]:
    """What the page is told of an error: `detail`, its words; and to say it in another language, `reason` and what
    it says of names and numbers, or else the name of its type, `error`."""
    refusal = refusal_of(error)
    return {"detail": str(refusal), "code": refusal.code, **refusal.more}


def refusal_of(error: HeadstartError) -> RefusedError:
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, ImageError):
        return problem_of(error)
    if isinstance(error, CancelledError):
        return RefusalError("cancelled", str(error))
    code = "missing-extra" if isinstance(error, MissingExtraError) else "impossible"
    reason = {"reason": error.reason} if error.reason else {}
    return RefusalError(code, str(error), headers=None, error=type(error).__name__, **reason, **error.facts)


def install_handlers(app: FastAPI) -> None:
    """Answer with a problem whatever goes wrong."""
    install_problem_handlers(app)

    async def refuse(request: Request, error: Exception) -> Response:
        known = refusal_of(error) if isinstance(error, HeadstartError) else None
        if known is None:
            raise error
        return problem_response(known, request_id(request.scope))

    app.add_exception_handler(HeadstartError, refuse)
