"""GET /metrics: the numbers of the service, for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from headstart.serving.openapi import problem_responses
from headstart.serving.service import Service


def metrics_router(service: Service) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        responses={200: {"content": {"text/plain": {}}}, **problem_responses(401)},
        response_class=Response,
    )
    async def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
