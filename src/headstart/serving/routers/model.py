"""GET /v1/model: what a model is, and what the service accepts."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from headstart.serving import schemas
from headstart.serving.openapi import problem_responses
from headstart.serving.service import Service


def model_router(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/v1/model",
        summary="Describe a model: its classes, guarantees and accuracy",
        response_model=schemas.Model,
        responses=problem_responses(401, 404, 422),
    )
    async def model(options: Annotated[schemas.Choice, Query()]) -> Response:
        limits = {name: getattr(service.config.limits, name) for name in schemas.LimitsOfRequests.model_fields}
        of_the_service = {
            "models": service.models.names,
            "limits": limits,
            "shows_training_images": service.config.show_training_images,
            "keeps_samples": service.config.samples.rate if service.config.samples else 0.0,
        }
        description = service.models.get(options.model).description
        return JSONResponse({"schema": schemas.SCHEMA} | description | of_the_service)

    return router
