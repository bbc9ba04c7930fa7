"""Jobs: start, stop, resume, forget; and the runs that they leave."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from headstart.errors import HeadstartError
from headstart.runs.folder import PLOTS, REPORT, RunFolder
from headstart.studio.collection import Collection
from headstart.studio.job_arguments import TRAIN, work_of
from headstart.studio.problems import RefusalError, told
from headstart.studio.routers.labels import current
from headstart.studio.studio import Studio

# A report is one file, with its script and its pictures inside. It gets an origin of its own: it can ask nothing here.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "sandbox allow-scripts; frame-ancestors 'self'"
)
SHOWN = {".png": "image/png", ".json": "application/json", ".csv": "text/csv", ".txt": "text/plain"}


class NewJob(BaseModel):
    kind: str
    settings: dict[str, Any] = {}


class Stop(BaseModel):
    keep: bool = False


class TwoRuns(BaseModel):
    a: Annotated[str, Field(max_length=300)]
    b: Annotated[str, Field(max_length=300)]


def jobs_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.post("/api/jobs")
    def begin(wanted: NewJob, collection: Collection = here) -> dict[str, Any]:
        work = work_of(wanted.kind, wanted.settings, collection.source, collection.runs)
        if wanted.kind == TRAIN:
            from headstart.studio.trainable import check_trainable  # takes a moment to import

            check_trainable(collection, wanted.settings.get("group_by"))
        labels = collection.journal if wanted.kind == TRAIN else None
        return collection.jobs.begin(wanted.kind, wanted.settings, work, labels=labels)

    @router.get("/api/trainable")
    def trainable(collection: Collection = here) -> dict[str, Any]:
        """problem: why a training would be refused with the labels as they are; null: it would not."""
        from headstart.studio.trainable import check_trainable  # as above

        try:
            check_trainable(collection)
        except HeadstartError as error:
            return {"problem": told(error)}
        return {"problem": None}

    @router.get("/api/jobs")
    def jobs(collection: Collection = here) -> list[dict[str, Any]]:
        return collection.jobs.all()

    @router.get("/api/jobs/{id}/events")
    def events(id: str, after: int = 0, collection: Collection = here) -> list[dict[str, Any]]:
        return [each for each in collection.jobs.get(id).happened if each["n"] > after]

    @router.post("/api/jobs/{id}/stop")
    def stop(id: str, wish: Stop | None = None, collection: Collection = here) -> dict[str, Any]:
        return collection.jobs.stop(id, keep=wish is not None and wish.keep)

    @router.post("/api/jobs/{id}/resume")
    def resume(id: str, collection: Collection = here) -> dict[str, Any]:
        return collection.jobs.resume(id)

    @router.delete("/api/jobs/{id}")
    def remove(id: str, collection: Collection = here) -> list[dict[str, Any]]:
        collection.jobs.remove(id)
        return collection.jobs.all()

    return router


def runs_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.get("/api/runs")
    def runs(collection: Collection = here) -> list[dict[str, Any]]:
        return collection.runs.all()

    @router.get("/api/runs/{name}")
    def metrics(name: str, collection: Collection = here) -> dict[str, Any]:
        run = RunFolder(collection.runs.get(name))
        return run.metrics | {"history": list(run.history), "pictures": [picture.name for picture in run.pictures]}

    @router.post("/api/runs/compare")
    def compare(two: TwoRuns, collection: Collection = here) -> dict[str, Any]:
        return collection.runs.compare(two.a, two.b, collection.ids_by_digest())

    @router.get("/runs/{name}/report", response_class=Response)
    def report(name: str, collection: Collection = here) -> Response:
        headers = {"Content-Security-Policy": REPORT_POLICY}
        return _file(collection, name, REPORT, "text/html", headers)

    @router.get("/runs/{name}/files/{path:path}", response_class=Response)
    def file(name: str, path: str, collection: Collection = here) -> Response:
        parts, suffix = PurePosixPath(path).parts, PurePosixPath(path).suffix
        is_plain = len(parts) == 1 or (len(parts) == 2 and parts[0] == PLOTS)
        if not is_plain or suffix not in SHOWN or any(part in ("..", "/") or "\0" in part for part in parts):
            raise RefusalError("not-found", "There is nothing at this address.")
        return _file(collection, name, path, SHOWN[suffix], {})

    return router


def _file(collection: Collection, run: str, path: str, media_type: str, headers: dict[str, str]) -> FileResponse:
    file = collection.runs.get(run) / path
    if not file.is_file():
        raise RefusalError("not-found", "There is nothing at this address.")
    return FileResponse(file, media_type=media_type, headers=headers)
