"""create_app: a Studio -> the studio as a web application. `listening.py` gives it a port."""

from fastapi import FastAPI

from headstart.studio.guard import Guard
from headstart.studio.problems import install_handlers
from headstart.studio.quick import Quick
from headstart.studio.routers import studio_router
from headstart.studio.security import Security
from headstart.studio.studio import Studio


def create_app(studio: Studio) -> FastAPI:
    """The application, with the studio as `app.state.service`."""
    app = FastAPI(title="headstart studio", version="1", docs_url=None, redoc_url=None, lifespan=studio.lifespan)
    app.state.service = studio
    app.include_router(studio_router(studio))
    install_handlers(app)
    app.add_middleware(Quick, studio=studio)
    app.add_middleware(Security, door=studio.config.door)
    app.add_middleware(Guard)  # outermost: it sees whatever fails
    return app
