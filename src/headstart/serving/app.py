"""create_app: runs -> the service as an application of its own. `listening.py` gives it a port.

To add the service to an application that exists, include its routers there:

    service = Service({"pets": Path("runs/pets")})
    app.include_router(api_router(service), prefix="/pets")
    app.include_router(page_router(), prefix="/pets")
    install_problem_handlers(app, prefix="/pets")
"""

from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from headstart.serving.config import ServiceConfig
from headstart.serving.exception_handlers import install_problem_handlers
from headstart.serving.monitoring import ID_HEADER, Monitor
from headstart.serving.openapi import openapi_document
from headstart.serving.routers import api_router
from headstart.serving.routers.page import page_router
from headstart.serving.service import Service


def create_app(runs: Mapping[str, Path], config: ServiceConfig | None = None) -> FastAPI:
    """The application, with its `Service` as `app.state.service`.

    Args:
        runs: name -> folder; the first answers where a request names none.

    Raises:
        RunError: one of them cannot be opened.
    """
    service = Service(runs, config)
    app = FastAPI(
        title="headstart",
        version="1",
        summary="Classifies photos.",
        docs_url=None,  # its files come from another host
        redoc_url=None,
        root_path=service.config.path_prefix,
    )
    app.state.service = service
    app.include_router(api_router(service))
    app.include_router(page_router(service.config.path_prefix))
    install_problem_handlers(app)
    if service.config.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.config.cors),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", ID_HEADER],
            expose_headers=[ID_HEADER, "Retry-After"],
        )
    app.add_middleware(Monitor, metrics=service.metrics)
    # everybody may read the document; where there is a key, the names of the models are not for everybody
    app.openapi_schema = openapi_document(app, [] if service.config.api_key else service.models.names)
    return app
