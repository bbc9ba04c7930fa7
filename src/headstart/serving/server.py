"""The HTTP service: served classifiers -> an ASGI application. How it is listened to, `listening.py` says.

POST /v1/predict, GET /v1/model, /healthz, /readyz, /metrics, /openapi.json, and the page at /.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from headstart.classifier.prediction import Prediction
from headstart.errors import HeadstartError, ImageError
from headstart.models.output import NetworkOutput
from headstart.serving import schemas
from headstart.serving.batching import Batching
from headstart.serving.limits import Limits
from headstart.serving.monitoring import ID_HEADER, Metrics, Monitor, log, problem_response
from headstart.serving.problems import MEDIA_TYPE, PROBLEMS, RefusedError, problem_of
from headstart.serving.served import Models, Served
from headstart.serving.uploads import ANYTHING, MULTIPART, Upload, Uploads

SCHEMA = 1
WATCHING = 1.0  # seconds between two looks whether a run was replaced
PAGE = {"": ("index.html", "text/html"), "page.css": ("page.css", "text/css"),
        "page.js": ("page.js", "text/javascript"), "icon.svg": ("icon.svg", "image/svg+xml")}  # fmt: skip
PAGE_HEADERS = {
    # the photo is shown from memory (blob:), training images from within the answer (data:); all else is from here
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class ServiceConfig:
    """api_key: asked for where there is one. cors: origins of pages that may ask, besides the service's own.
    show_training_images: whether those most like an image are shown with its answer.
    """

    limits: Limits = field(default_factory=Limits)
    api_key: str | None = None
    cors: Sequence[str] = ()
    show_training_images: bool = False


def create_app(runs: Mapping[str, Path], settings: ServiceConfig | None = None) -> FastAPI:
    """The application; the first of the runs answers where none is named.

    Raises:
        RunError: one of them cannot be opened.
    """
    service = _Service(runs, settings or ServiceConfig())
    app = FastAPI(
        title="headstart",
        version="1",
        summary="Says what is on photos.",
        docs_url=None,  # its files come from another host
        redoc_url=None,
        lifespan=service.lifespan,
        exception_handlers={
            HeadstartError: _mistake,
            HTTPException: _http_mistake,
            RequestValidationError: _invalid,
        },
    )
    if service.settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.settings.cors),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", ID_HEADER],
            expose_headers=[ID_HEADER, "Retry-After"],
        )
    app.add_middleware(Monitor, metrics=service.metrics)
    _add_api(app, service)
    _add_page(app)
    app.state.ready = True  # until it ends (`listening.py`)
    described = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    if not service.settings.api_key:  # the document is for everybody, the names are not
        _name_models(described, service.models.names)
    app.openapi_schema = described
    return app


def _name_models(described: dict[str, Any], names: Sequence[str]) -> None:
    for operation in (described["paths"]["/v1/predict"]["post"], described["paths"]["/v1/model"]["get"]):
        choice = next(parameter for parameter in operation["parameters"] if parameter["name"] == "model")
        choice["schema"] = {"type": "string", "enum": list(names), "default": names[0]}


class _Service:
    """What the routes share."""

    def __init__(self, runs: Mapping[str, Path], settings: ServiceConfig) -> None:
        self.settings, self.metrics = settings, Metrics()
        self.models = Models(runs, show_training_images=settings.show_training_images)
        self.batching = Batching(settings.limits, observe=self.metrics.batches.observe)
        self.metrics.queue.set_function(lambda: len(self.batching))
        self.uploads = Uploads(settings.limits)

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await asyncio.to_thread(self.batching.close)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCHING)
            for reload in await asyncio.to_thread(lambda: list(self.models.refresh())):
                outcome = "failed" if reload.problem else "done"
                self.metrics.reloads.labels(reload.name, outcome).inc()
                log("reload", model=reload.name, outcome=outcome, **({"why": reload.problem} if reload.problem else {}))

    async def answers(self, served: Served, uploads: Sequence[Upload], options: schemas.Options) -> list[Any]:
        """For each image its answer or the RefusedError with it, in their order."""
        finish = self._finisher(served, options)
        futures = self.batching.submit(served.predictor, [upload.content for upload in uploads], finish)
        waiting = [asyncio.wrap_future(future) for future in futures]
        try:
            async with asyncio.timeout(self.settings.limits.answer_seconds):
                found = await asyncio.gather(*waiting, return_exceptions=True)
        except TimeoutError:
            raise RefusedError("took-too-long", "The answer took too long. Ask again in a second.") from None
        for result in found:
            if isinstance(result, BaseException) and not isinstance(result, ImageError):
                raise result
        return [problem_of(result) if isinstance(result, ImageError) else result for result in found]

    def _finisher(self, served: Served, options: schemas.Options) -> Callable[[NetworkOutput], dict]:
        predictor = served.predictor
        answer = predictor.calibration.to_predictions(
            predictor.class_names, accuracy=options.accuracy, coverage=options.coverage
        )

        def finish(look: NetworkOutput) -> dict:
            prediction = predictor.predictions(look, answer)[0]
            content = _answer(prediction, options)
            if options.explain:
                places = predictor.explanation(prediction, look.feature_maps[0]).places
                values = [round(value, 3) for value in places.ravel().tolist()]
                height, width = places.shape
                shape = {"height": height, "width": width, "resizing": predictor.resizing}
                content["places"] = shape | {"values": values}
                if served.training_images:
                    content["similar"] = served.training_images.similar(look.features)
            return content

        return finish


def _answer(prediction: Prediction, options: schemas.Options) -> dict:
    content = {
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": prediction.top(options.top or len(prediction.probabilities)),
        "sure": prediction.sure,
        "familiar": prediction.familiar,
    }
    return content | ({"candidates": list(prediction.candidates)} if options.coverage else {})


def _add_api(app: FastAPI, service: _Service) -> None:
    guarded = [Depends(_key_checker(service.settings.api_key))] if service.settings.api_key else []
    names = service.models.names

    @app.post(
        "/v1/predict",
        summary="Say what is on one or many images",
        response_model=schemas.Answers,
        response_model_exclude_none=True,
        responses=_problems(400, 401, 404, 408, 413, 415, 422, 503),
        openapi_extra=_body(service.settings.limits),
        dependencies=guarded,
    )
    async def predict(request: Request, options: Annotated[schemas.Options, Query()]) -> Response:
        served = service.models.get(options.model or names[0])
        with service.uploads.place() as place:
            uploads = await place.read(request)
            request.state.images = len(uploads)
            found = await service.answers(served, uploads, options)
        for result in found:
            outcome = result.code if isinstance(result, RefusedError) else "answered"
            service.metrics.images.labels(served.name, outcome).inc()
        if len(found) == 1 and isinstance(found[0], RefusedError):
            raise found[0]
        predictions = [
            {"name": upload.name} | ({"problem": result.to_json()} if isinstance(result, RefusedError) else result)
            for upload, result in zip(uploads, found, strict=True)
        ]
        head = {"schema": SCHEMA, "model": served.name, "digest": served.digest, "id": request.state.id}
        return JSONResponse(head | {"predictions": predictions})

    @app.get(
        "/v1/model",
        summary="What there is to know of a model: its classes, promises, accuracy",
        response_model=schemas.Model,
        responses=_problems(401, 404, 422),
        dependencies=guarded,
    )
    async def model(options: Annotated[schemas.Choice, Query()]) -> Response:
        limits = service.settings.limits
        described = {
            "models": names,
            "limits": {name: getattr(limits, name) for name in schemas.LimitsOfRequests.model_fields},
            "shows_training_images": service.settings.show_training_images,
        }
        served = service.models.get(options.model or names[0])
        return JSONResponse({"schema": SCHEMA} | served.description | described)

    @app.get("/metrics", summary="Numbers for Prometheus", dependencies=guarded,
             responses={200: {"content": {"text/plain": {}}}, **_problems(401)}, response_class=Response)  # fmt: skip
    async def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz", summary="Whether the process lives", response_model=schemas.Health)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Whether it answers", response_model=schemas.Health, responses=_problems(503))
    async def readyz() -> Response:
        if not app.state.ready:
            raise RefusedError("ending", "The service is ending; it takes no new work.")
        return JSONResponse({"status": "ok"})

    for path, answer in (("/healthz", healthz), ("/readyz", readyz)):
        app.head(path, include_in_schema=False)(answer)


def _add_page(app: FastAPI) -> None:
    for path, (name, media_type) in PAGE.items():
        content = files("headstart.serving").joinpath("page", name).read_bytes()
        response = Response(content, media_type=media_type, headers=PAGE_HEADERS)
        app.add_api_route(f"/{path}", _always(response), include_in_schema=False)


def _always(response: Response) -> Callable[[], Any]:
    async def page() -> Response:
        return response

    return page


def _key_checker(key: str) -> Callable[..., None]:
    expected = key.encode()
    bearer = HTTPBearer(auto_error=False, description="The service's API key.")

    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), expected):
            raise RefusedError(
                "unauthorized",
                "This service asks for its key, as 'Authorization: Bearer KEY'.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check


# Mistakes -> answers


async def _mistake(request: Request, error: Exception) -> Response:
    problem = problem_of(error) if isinstance(error, HeadstartError) else None
    if problem is None or problem.code == "fault":
        raise error  # the middleware tells the log
    request.state.problem = problem.code
    return problem_response(problem, request.state.id)


async def _http_mistake(request: Request, error: Exception) -> Response:
    status, headers = getattr(error, "status_code", 500), getattr(error, "headers", None)
    code = next((code for code, known in PROBLEMS.items() if known == status), "bad-request")
    details = {
        "not-found": "There is nothing at this address.",
        "method-not-allowed": "This address is not asked in this way; see the header Allow.",
    }
    return await _mistake(
        request, RefusedError(code, details.get(code, "The request cannot be read."), headers=headers)
    )


async def _invalid(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"parameter": str(fault["loc"][-1]), "message": str(fault["msg"])} for fault in faults]
    detail = "; ".join(f"{fault['parameter']}: {fault['message']}" for fault in errors)
    return await _mistake(request, RefusedError("invalid-parameter", f"Wrong parameters: {detail}.", errors=errors))


# What OpenAPI says of them


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    schema, request_id = {"$ref": "#/components/schemas/Problem"}, str(schemas.EXAMPLE_ANSWER["id"])
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        codes = [code for code, known in PROBLEMS.items() if known == status]
        examples = {
            code: {"value": RefusedError(code, schemas.EXAMPLE_DETAILS[code]).to_json(request_id)} for code in codes
        }
        content = {MEDIA_TYPE: {"schema": schema, "examples": examples}}
        found[status] = {"description": ", ".join(codes), "content": content}
    return found


def _body(limits: Limits) -> dict[str, Any]:
    image = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "array", "items": image, "minItems": 1, "maxItems": limits.files}},
    }
    whole = {kind: {"schema": image} for kind in ("image/jpeg", "image/png", "image/webp", ANYTHING)}
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": form}, **whole}}}
