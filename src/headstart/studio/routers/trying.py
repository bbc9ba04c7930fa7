"""Try: one photo with an explanation, frames of a camera as they come, and the map of a photo of the collection."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect

from headstart.errors import HeadstartError
from headstart.storage.regular import read_regular
from headstart.studio.collection import Collection
from headstart.studio.problems import RefusalError, refusal_of
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio


def trying_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.post("/api/try")
    async def try_one(request: Request, run: str | None = None, collection: Collection = here) -> dict[str, Any]:
        with studio.uploads.admit() as body:
            (upload, *others) = await body.read(request)
            if others:
                raise RefusalError("too-many-files", "One photo at a time can be tried.")

            def work() -> dict[str, Any]:
                from headstart.studio import trying  # takes a moment to import

                return trying.answer(collection.trials.predictor(run), upload.content, collection.id_of)

            return await asyncio.to_thread(work)

    @router.get("/api/photos/{id}/map")
    def explain(id: int, run: str | None = None, collection: Collection = here) -> dict[str, Any]:
        from headstart.studio import trying

        row = collection.row(id)
        try:
            content = read_regular(collection.catalogue.entries[row].path)
        except OSError as error:
            raise RefusalError("not-found", f"The photo cannot be read: {error.strerror or error}.") from None
        found = trying.answer(collection.trials.predictor(run), content, collection.id_of)
        found["nearest"] = [each for each in found["nearest"] if each["id"] != row]
        return found

    @router.websocket("/api/live")
    async def live(socket: WebSocket, run: str | None = None) -> None:
        await socket.accept()
        frames = _Newest()
        receiving = asyncio.create_task(_receive(socket, frames))
        try:
            await _answer_all(studio, socket, frames, run)
        finally:
            receiving.cancel()

    return router


class _Newest:
    """The newest frame, with its number; older ones are dropped. None: there will be no more."""

    def __init__(self) -> None:
        self._frame: bytes | None = b""
        self._number = 0
        self._came = asyncio.Event()

    def put(self, frame: bytes | None) -> None:
        self._frame, self._number = frame, self._number + 1
        self._came.set()

    async def get(self) -> tuple[int, bytes | None]:
        await self._came.wait()
        self._came.clear()
        return self._number, self._frame


async def _receive(socket: WebSocket, frames: _Newest) -> None:
    with suppress(WebSocketDisconnect, KeyError):  # KeyError: a text came, which no page sends
        while True:
            frames.put(await socket.receive_bytes())
    frames.put(None)


async def _answer_all(studio: Studio, socket: WebSocket, frames: _Newest, run: str | None) -> None:
    """Answer each frame that is the newest when its turn comes, until the page or the studio ends."""
    from headstart.studio import trying

    while not studio.is_ending:
        try:
            async with asyncio.timeout(1.0):
                number, frame = await frames.get()
        except TimeoutError:
            continue
        if frame is None:
            return
        try:
            predictor = await asyncio.to_thread(studio.collection.trials.predictor, run)
            found = await asyncio.to_thread(trying.answer, predictor, frame, lambda digest: None, explain=False)
        except HeadstartError as error:
            found = refusal_of(error).to_json()
        with suppress(RuntimeError, WebSocketDisconnect):  # the page has gone meanwhile
            await socket.send_json(found | {"n": number})
    await socket.close(1001)
