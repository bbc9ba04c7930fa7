"""The routes of the studio: one file for each subject."""

from fastapi import APIRouter

from headstart.studio.routers.adding import adding_router
from headstart.studio.routers.answers import answers_router
from headstart.studio.routers.collection import collection_router
from headstart.studio.routers.events import events_router
from headstart.studio.routers.jobs import jobs_router, runs_router
from headstart.studio.routers.labels import labels_router
from headstart.studio.routers.photos import photos_router
from headstart.studio.routers.trying import trying_router
from headstart.studio.studio import Studio


def studio_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    makers = (
        collection_router, photos_router, labels_router, answers_router, jobs_router, runs_router, trying_router,
        adding_router, events_router,
    )  # fmt: skip
    for make in makers:
        router.include_router(make(studio))
    return router
