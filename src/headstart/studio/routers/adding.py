"""Add: files that are dropped, photos of the camera, and a new collection for them."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from headstart.data.class_names import checked_class_name
from headstart.data.source import DataSource
from headstart.studio.collection import Collection
from headstart.studio.problems import RefusalError
from headstart.studio.routers.collection import PathText
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio

if TYPE_CHECKING:
    from headstart.studio.adding import Added


class NewCollection(BaseModel):
    folder: PathText
    classes: Annotated[list[str], Field(max_length=1_000)] = []


def adding_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    async def received(request: Request, collection: Collection, class_name: str | None) -> "Added":
        from headstart.studio import adding  # takes a moment to import

        with studio.uploads.admit() as body:
            uploads = await body.read(request)
            files = [adding.Dropped(upload.name or adding.shot_name(), upload.content) for upload in uploads]
            return await asyncio.to_thread(adding.add, collection, files, class_name)

    @router.post("/api/photos/add")
    async def add(request: Request, collection: Collection = here) -> dict[str, Any]:
        return (await received(request, collection, request.query_params.get("class"))).to_json()

    @router.post("/api/photos/shot")
    async def shot(request: Request, collection: Collection = here) -> dict[str, Any]:
        found = await received(request, collection, request.query_params.get("class", ""))
        return {"id": found.ids[0] if found.ids else None, "skipped": found.skipped}

    @router.post("/api/collection/new")
    def new(wanted: NewCollection) -> dict[str, Any]:
        folder = Path(wanted.folder)
        if not folder.is_absolute():
            raise RefusalError("invalid-parameter", "Say the new folder by its whole path.", reason="whole-path")
        names = [checked_class_name(name) for name in wanted.classes]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(not entry.name.startswith(".") for entry in os.scandir(folder)):
                raise RefusalError(
                    "impossible",
                    f"'{folder}' is not empty. Open it, or choose another name.",
                    reason="not-empty",
                    path=str(folder),
                )
        except OSError as error:
            raise RefusalError(
                "disk", f"'{folder}' cannot be made: {error.strerror or error}.", reason="disk"
            ) from None
        return studio.open(DataSource(folder), classes=names).to_json()

    return router
