"""Which collection is open: /api/state, /api/places, /api/collection."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from headstart.data.source import DataSource
from headstart.studio import places
from headstart.studio.studio import Studio

PathText = Annotated[str, Field(max_length=4_096, pattern=r"^[^\x00]+$")]


class Place(BaseModel):
    path: PathText


def collection_router(studio: Studio) -> APIRouter:
    router = APIRouter()

    @router.get("/api/state")
    def state() -> dict[str, Any]:
        return studio.state()

    @router.get("/api/places")
    def look(path: str = "") -> dict[str, Any]:
        return places.look(path)

    @router.post("/api/collection")
    def open_collection(place: Place) -> dict[str, Any]:
        return studio.open(DataSource(place.path)).to_json()

    @router.get("/api/collection")
    def collection() -> dict[str, Any]:
        return studio.collection.to_json()

    @router.delete("/api/collection")
    def close() -> dict[str, Any]:
        studio.close()
        return studio.state()

    return router
