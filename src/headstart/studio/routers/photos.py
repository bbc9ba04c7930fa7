"""Photos: queries, details, thumbnails, and the photos themselves."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from headstart.studio.collection import Collection
from headstart.studio.problems import RefusalError
from headstart.studio.query import Query, sections
from headstart.studio.quick import FOR_EVER
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio

MAX_DETAILS = 500


class Ids(BaseModel):
    ids: Annotated[list[int], Field(max_length=MAX_DETAILS)]


def photos_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.post("/api/photos/query", response_class=Response)
    def query(query: Query, collection: Collection = here) -> Response:
        ids = collection.find(query)
        headers = {"X-Total": str(len(ids))}
        if query.sort == "class":
            headers["X-Sections"] = json.dumps(sections(ids, collection.columns))
        return Response(ids.astype("<i4").tobytes(), media_type="application/octet-stream", headers=headers)

    @router.post("/api/photos/details")
    def details(wanted: Ids, collection: Collection = here) -> dict[str, Any]:
        return {"photos": collection.details(wanted.ids)}

    @router.get("/thumbnails/{generation}/{id}.webp", response_class=Response)
    def thumbnail(generation: int, id: int) -> Response:
        collection = studio.collection
        collection.check_generation(generation)
        webp = collection.reader.thumbnail(collection.row(id))
        if webp is None:
            raise RefusalError("unreadable-image", "This photo cannot be read.", reason="unreadable-photo")
        return Response(webp, media_type="image/webp", headers=FOR_EVER)

    @router.get("/photos/{generation}/{id}", response_class=Response)
    def photo(generation: int, id: int) -> Response:
        collection = studio.collection
        collection.check_generation(generation)
        row = collection.row(id)
        if (reason := collection.catalogue.reasons.get(row)) is not None:
            raise RefusalError("unreadable-image", f"This photo {reason}.")
        from headstart.studio.showing import shown  # takes a moment to import

        media_type, content = shown(collection.catalogue.entries[row].path)
        return Response(content, media_type=media_type, headers=FOR_EVER)

    return router
