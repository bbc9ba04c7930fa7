"""POST /v1/predict: images -> predictions."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from headstart.serving import schemas
from headstart.serving.monitoring import record, request_id
from headstart.serving.openapi import image_body, problem_responses
from headstart.serving.problems import RefusedError
from headstart.serving.service import Service


def predict_router(service: Service) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/v1/predict",
        summary="Classify one or more images",
        response_model=schemas.Answers,
        response_model_exclude_none=True,
        responses=problem_responses(400, 401, 404, 408, 413, 415, 422, 503),
        openapi_extra=image_body(service.config.limits),
    )
    async def predict(request: Request, options: Annotated[schemas.Options, Query()]) -> Response:
        model = service.models.get(options.model)
        with service.uploads.admit() as body:
            uploads = await body.read(request)
            record(request.scope, images=len(uploads))
            results = await service.predict(model, uploads, options)
        for result in results:
            outcome = result.code if isinstance(result, RefusedError) else "answered"
            service.metrics.images.labels(model.name, outcome).inc()
        if len(results) == 1 and isinstance(results[0], RefusedError):
            raise results[0]
        predictions = [
            {"name": upload.name} | ({"problem": result.to_json()} if isinstance(result, RefusedError) else result)
            for upload, result in zip(uploads, results, strict=True)
        ]
        head = {
            "schema": schemas.SCHEMA, "model": model.name, "digest": model.digest, "id": request_id(request.scope),
        }  # fmt: skip
        after = service.after(model, uploads, results, may_keep=options.keep)
        return JSONResponse(head | {"predictions": predictions}, background=after)

    return router
