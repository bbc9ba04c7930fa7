"""The routes of the service, as routers that any FastAPI application can include, also under a prefix."""

from fastapi import APIRouter

from headstart.serving.authentication import key_dependencies
from headstart.serving.routers.health import health_router
from headstart.serving.routers.metrics import metrics_router
from headstart.serving.routers.model import model_router
from headstart.serving.routers.predict import predict_router
from headstart.serving.service import Service


def api_router(service: Service) -> APIRouter:
    """POST /v1/predict, GET /v1/model, /metrics, /healthz and /readyz.

    The service starts and ends with the application that includes the router.
    """
    router = APIRouter(lifespan=service.lifespan)
    need_key = key_dependencies(service.config.api_key)
    for part in (predict_router(service), model_router(service), metrics_router(service)):
        router.include_router(part, dependencies=need_key)
    router.include_router(health_router(service))
    return router
