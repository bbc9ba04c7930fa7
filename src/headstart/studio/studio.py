"""Studio: what is open, what is running, and who is told of it. The one object that all routes share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import headstart
from headstart.data.source import DataSource
from headstart.errors import HeadstartError
from headstart.serving.limits import MEGABYTE, Limits
from headstart.serving.problems import fault
from headstart.serving.uploads import Uploads
from headstart.studio.ability import abilities
from headstart.studio.collection import Collection, Publish, open_collection
from headstart.studio.hub import Hub
from headstart.studio.problems import RefusalError, told
from headstart.studio.runs import collection_of, is_run
from headstart.studio.security import Door

LIMITS = Limits(file_bytes=32 * MEGABYTE, files=200)  # 128 MB in a request


@dataclass(frozen=True)
class StudioConfig:
    """language: of the page, "en" or "pt"; None: the browser's."""

    door: Door = field(default_factory=Door)
    language: str | None = None
    limits: Limits = LIMITS


class Studio:
    """One studio, with one collection open at a time."""

    def __init__(self, config: StudioConfig | None = None, source: DataSource | None = None) -> None:
        """source: a collection that is opened as soon as the studio starts."""
        self.config = config or StudioConfig()
        self.hub = Hub()
        self.uploads = Uploads(self.config.limits)
        self._is_ending = False
        self._first, self._lock = source, threading.Lock()
        self.opening: dict[str, Any] | None = None if source is None else {"path": str(source), "problem": None}
        self._collection: Collection | None = None

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        self.hub.start()
        if self._first is not None:  # in the background: the page is there at once, and shows how far it is
            threading.Thread(target=self._open_first, daemon=True).start()
        yield
        self.is_ending = True
        await asyncio.to_thread(self.close)

    @property
    def is_ending(self) -> bool:
        """Whether the server is shutting down. Set in the event loop; then streams end, which would last for ever."""
        return self._is_ending

    @is_ending.setter
    def is_ending(self, value: bool) -> None:
        self._is_ending = value
        if value:
            self.hub.close()

    @property
    def collection(self) -> Collection:
        """
        Raises:
            RefusalError: none is open.
        """
        if self._collection is None:
            raise RefusalError("no-collection", "No collection is open.", reason="no-collection")
        return self._collection

    def open(self, source: DataSource, *, classes: Sequence[str] = ()) -> Collection:
        """Open a collection instead of the one that is open; or that of a run, with the run.

        classes: that are to be there, with or without photos.

        Raises:
            DatasetError: it is no collection. The one that was open stays open.
            RunError: it is a run whose photos are not where they were.
        """
        with self._lock:
            self._tell_opening(path=str(source), problem=None)
            try:
                collection = _opened(source.absolute(), classes, self.hub.publish)
            except Exception as error:
                self._tell_opening(path=str(source), problem=_told(error))
                if self._collection is not None:  # who comes later sees that one
                    self.opening = None
                raise
            previous, self._collection, self.opening = self._collection, collection, None
        if previous:
            previous.close()
        self.hub.publish("collection", generation=collection.generation)
        return collection

    def _tell_opening(self, **facts: Any) -> None:
        self.opening = facts
        self.hub.publish("opening", **facts)

    def _open_first(self) -> None:
        if self._first is None:
            return
        with suppress(HeadstartError):  # it is told as `opening`
            self.open(self._first)

    def close(self) -> None:
        with self._lock:
            previous, self._collection = self._collection, None
        if previous:
            previous.close()
            self.hub.publish("collection", generation=None)

    def state(self) -> dict[str, Any]:
        """As GET /api/state answers."""
        return {
            "version": headstart.__version__,
            "by": "",
            "language": self.config.language,
            "collection": self._collection and self._collection.to_json(),
            "opening": self.opening,
            "jobs": self._collection.jobs.all() if self._collection else [],
            "can": abilities(),
        }


def _told(error: Exception) -> dict[str, Any]:
    return told(error if isinstance(error, HeadstartError) else fault())


def _opened(source: DataSource, classes: Sequence[str], publish: Publish) -> Collection:
    run = source.local_path if is_run(source.local_path) else None
    if run:
        source = replace(source, path=collection_of(run))
    collection = open_collection(source, publish)
    if run:
        collection.runs.add(run)
    for name in classes:
        collection.change(lambda labelling, columns, name=name: labelling.journal.new_class(name))
    return collection
