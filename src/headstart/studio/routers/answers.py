"""Answers: what the head answers for the photos, how good it is, the map, and the sealed test set."""

from typing import Any

from fastapi import APIRouter, Response

from headstart.studio.collection import Collection
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio
from headstart.studio.telling import answers_json, map_bytes, open_test, test_json


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

    return router
