"""Answers: what the head answers for the photos, how good it is, the map, and the sealed test set."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from headstart.studio.collection import Collection
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio
from headstart.studio.telling import answers_json, labels_diff, map_bytes, open_test, test_json


class TwoSteps(BaseModel):
    """Steps of the journal; 0: the collection's own labels."""

    a: Annotated[int, Field(ge=0)]
    b: Annotated[int, Field(ge=0)]


def answers_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.get("/api/answers")
    def answers(collection: Collection = here) -> dict[str, Any] | None:
        return answers_json(collection)

    @router.get("/api/map", response_class=Response)
    def places(collection: Collection = here) -> Response:
        return Response(map_bytes(collection), media_type="application/octet-stream")

    @router.get("/api/test")
    def test(collection: Collection = here) -> dict[str, Any]:
        return test_json(collection)

    @router.post("/api/test/open")
    def open_it(collection: Collection = here) -> dict[str, Any]:
        return open_test(collection)

    @router.post("/api/labels/diff")
    def diff(two: TwoSteps, collection: Collection = here) -> dict[str, Any]:
        return labels_diff(collection, two.a, two.b)

    return router
