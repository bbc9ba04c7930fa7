"""GET and HEAD /healthz and /readyz: whether the process runs, and whether it takes new work."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from headstart.serving import schemas
from headstart.serving.openapi import problem_responses
from headstart.serving.problems import RefusedError
from headstart.serving.service import Service


def health_router(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", summary="Whether the process is running", response_model=schemas.Health)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @router.get(
        "/readyz",
        summary="Whether the service accepts requests",
        response_model=schemas.Health,
        responses=problem_responses(503),
    )
    async def readyz() -> Response:
        if service.is_ending:
            raise RefusedError("ending", "The service is shutting down and accepts no new requests.")
        return JSONResponse({"status": "ok"})

    for path, endpoint in (("/healthz", healthz), ("/readyz", readyz)):
        router.head(path, include_in_schema=False)(endpoint)
    return router
