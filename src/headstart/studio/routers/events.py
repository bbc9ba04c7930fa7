"""GET /api/events: what changes, as server-sent events."""

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from headstart.studio.studio import Studio


def events_router(studio: Studio) -> APIRouter:
    router = APIRouter()

    @router.get("/api/events", response_class=Response)
    async def events() -> Response:
        stream = studio.hub.stream(lambda: [{"type": "hello", "version": studio.state()["version"]}])
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return router
