"""Exceptions of a FastAPI application -> problems, as `application/problem+json`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from headstart.errors import HeadstartError
from headstart.serving.monitoring import problem_response, record, request_id
from headstart.serving.problems import RefusedError, problem_of

_HTTP_PROBLEMS = {  # status -> code, detail
    400: ("bad-request", "The request cannot be read."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not support this method; see the header Allow."),
}


def install_problem_handlers(app: FastAPI, *, prefix: str = "") -> None:
    """Answer with a problem what goes wrong at addresses that begin with `prefix`.

    Elsewhere, and for other exceptions, the application keeps the handlers that it has at this moment.
    """
    for kind, to_problem in _PROBLEMS_OF_EXCEPTIONS.items():
        app.add_exception_handler(kind, _ProblemHandler(to_problem, prefix, app.exception_handlers.get(kind)))


@dataclass(frozen=True)
class _ProblemHandler:
    to_problem: Callable[[Any], RefusedError | None]
    prefix: str
    previous: Callable[[Request, Exception], Any] | None

    async def __call__(self, request: Request, error: Exception) -> Response:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        is_ours = not self.prefix or path == self.prefix or path.startswith(f"{self.prefix}/")
        problem = self.to_problem(error) if is_ours else None
        if problem is not None:
            record(request.scope, problem=problem.code)
            return problem_response(problem, request_id(request.scope))
        if self.previous is None:
            raise error
        answer = await run_in_threadpool(self.previous, request, error)  # a coroutine, if it is an `async def`
        return answer if isinstance(answer, Response) else await answer


def _problem_of_headstart(error: HeadstartError) -> RefusedError | None:
    problem = problem_of(error)
    return None if problem.code == "fault" else problem  # a fault is raised again: the middleware logs it


def _problem_of_http(error: HTTPException) -> RefusedError | None:
    if error.status_code not in _HTTP_PROBLEMS:
        return None
    code, detail = _HTTP_PROBLEMS[error.status_code]
    return RefusedError(code, detail, headers=dict(error.headers or {}))


def _problem_of_validation(error: RequestValidationError) -> RefusedError:
    errors = [{"parameter": str(fault["loc"][-1]), "message": str(fault["msg"])} for fault in error.errors()]
    detail = "; ".join(f"{fault['parameter']}: {fault['message']}" for fault in errors)
    return RefusedError("invalid-parameter", f"Invalid parameters: {detail}.", errors=errors)


_PROBLEMS_OF_EXCEPTIONS: dict[type[Exception], Callable[[Any], RefusedError | None]] = {
    HeadstartError: _problem_of_headstart,
    HTTPException: _problem_of_http,
    RequestValidationError: _problem_of_validation,
}
