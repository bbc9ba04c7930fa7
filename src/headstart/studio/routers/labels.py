"""Labels: change them, undo and redo, classes, and the queue of what to look at next."""

from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, Field

from headstart.studio.collection import Collection
from headstart.studio.job_arguments import LABELS, work_of
from headstart.studio.problems import RefusalError
from headstart.studio.queueing import answer, queue_json
from headstart.studio.routers.collection import PathText
from headstart.studio.studio import Studio

Generation = Annotated[int | None, Header(alias="X-Generation")]
Name = Annotated[str, Field(max_length=1_000)]


class NewLabel(BaseModel):
    ids: list[int]
    label: Name | None
    reason: str | None = None


class Photos(BaseModel):
    ids: list[int]


class ClassChange(BaseModel):
    """One of: a new class (name), a rename (name, rename), a merge (merge, into)."""

    name: Name | None = None
    rename: Name | None = None
    merge: list[Name] | None = None
    into: Name | None = None


class QueueAnswer(BaseModel):
    """ids: which of the photos the answer is about; by default all of the question's."""

    key: str = Field(max_length=200, pattern=r"^\S+$")
    answer: Literal["yes", "no", "skip", "exclude"]
    label: Name | None = None
    ids: Annotated[list[int], Field(min_length=1)] | None = None


class LabelExport(BaseModel):
    """to: the folder that gets the export; form: a CSV, or a folder of links or copies in it."""

    to: PathText
    form: Literal["csv", "links", "copies"] = "csv"


def _target(collection: Collection, wanted: LabelExport) -> Path:
    """A name in the folder that is not taken."""
    folder, name = Path(wanted.to), f"{collection.path.resolve().stem}-labels"
    if not folder.is_absolute() or not folder.is_dir():
        raise RefusalError(
            "invalid-parameter",
            f"'{folder}' is no folder. Choose one that exists.",
            reason="no-folder",
            path=str(folder),
        )
    suffix = ".csv" if wanted.form == "csv" else ""
    names = (f"{name}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(folder / each for each in names if not (folder / each).exists())


def current(studio: Studio):
    """The open collection, if the page that asks means that one."""

    def collection(generation: Generation = None) -> Collection:
        found = studio.collection
        if generation is not None:
            found.check_generation(generation)
        return found

    return Depends(collection)


def _change_classes(collection: Collection, wanted: ClassChange) -> None:
    match wanted:
        case ClassChange(name=str(name), rename=None, merge=None):
            collection.change(lambda labelling, columns: labelling.new_class(columns, name))
        case ClassChange(name=str(name), rename=str(new), merge=None):
            collection.change(lambda labelling, columns: labelling.rename(columns, name, new))
        case ClassChange(name=None, merge=list(names), into=str(into)):
            collection.change(lambda labelling, columns: labelling.merge(columns, names, into))
        case _:
            raise RefusalError("invalid-parameter", "Expected name, or name and rename, or merge and into.")


def labels_router(studio: Studio) -> APIRouter:
    router = APIRouter()
    here = current(studio)

    @router.post("/api/labels")
    def set_label(wanted: NewLabel, collection: Collection = here) -> dict[str, Any]:
        collection.set_label(wanted.ids, wanted.label)
        return collection.labels_json()

    @router.post("/api/labels/confirm")
    def confirm(wanted: Photos, collection: Collection = here) -> dict[str, Any]:
        collection.confirm_label(wanted.ids)
        return collection.labels_json()

    @router.post("/api/labels/undo")
    def undo(collection: Collection = here) -> dict[str, Any]:
        collection.change(lambda labelling, columns: labelling.journal.undo())
        return collection.labels_json()

    @router.post("/api/labels/redo")
    def redo(collection: Collection = here) -> dict[str, Any]:
        collection.change(lambda labelling, columns: labelling.journal.redo())
        return collection.labels_json()

    @router.post("/api/labels/export")
    def export(wanted: LabelExport, collection: Collection = here) -> dict[str, Any]:
        settings = {"to": str(_target(collection, wanted)), "form": wanted.form}
        work = work_of(LABELS, settings, collection.source, collection.runs)
        return collection.jobs.begin(LABELS, settings, work)

    @router.post("/api/classes")
    def classes(wanted: ClassChange, collection: Collection = here) -> dict[str, Any]:
        _change_classes(collection, wanted)
        return collection.labels_json()

    @router.get("/api/queue")
    def queue(limit: Annotated[int, Field(ge=0, le=200)] = 20, collection: Collection = here) -> dict[str, Any]:
        return queue_json(collection, limit)

    @router.post("/api/queue/answer")
    def queue_answer(given: QueueAnswer, collection: Collection = here) -> dict[str, Any]:
        answer(collection, given.key, given.answer, given.label, given.ids)
        return collection.labels_json() | {"left": queue_json(collection, 0)["left"]}

    return router
