"""Collection: one opened folder, zip or CSV: its photos, their labels, what is read of them. Knows no HTTP.

Whoever changes labels does so here, one after the other; whoever asks gets the columns as they are at that moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.source import DataSource
from headstart.data.splits import SPLITS
from headstart.listeners.quiet import Quiet
from headstart.studio.catalogue import UNREADABLE, Catalogue
from headstart.studio.columns import Columns
from headstart.studio.opening import folder_of, list_photos
from headstart.studio.problems import RefusalError
from headstart.studio.query import Known, Query, ids_of
from headstart.studio.reader import Reader
from headstart.studio.thumbnails import Thumbnails

SHOWN_UNREADABLE = 100
Publish = Callable[..., None]  # publish(kind, **facts)


class Collection:
    """An open collection. generation: another number whenever photos were added, changed or taken away."""

    def __init__(self, source: DataSource, catalogue: Catalogue, publish: Publish) -> None:
        self.source, self.publish = source, publish
        self.folder = folder_of(source)
        self.lock = threading.RLock()
        self.first_generation = self.generation = time.time_ns() // 1_000_000
        self.thumbnails = Thumbnails(self.folder)
        self.catalogue = catalogue
        self.reader = Reader(catalogue, self.thumbnails)
        self.reading: dict[str, int] | None = None
        self.columns = self._columns()
        self._threads: list[threading.Thread] = []

    @property
    def path(self) -> Path:
        return self.source.path

    def start(self) -> None:
        """Read in the background what is not known yet."""
        self._begin(self._read)

    def close(self) -> None:
        self.reader.stop()
        for thread in self._threads:
            thread.join()
        self.catalogue.save(self.folder)
        self.thumbnails.close()

    def to_json(self) -> dict[str, Any]:
        """The Collection of the contract."""
        columns = self.columns
        return {
            "path": str(self.path),
            "name": self.path.resolve().name,
            "generation": self.generation,
            "photos": int(columns.present.sum()),
            "classes": columns.class_sizes(),
            "unlabelled": int(columns.unlabelled.sum()),
            "excluded": int((columns.excluded & columns.present).sum()),
            "unreadable": self._unreadable(),
            "unreadable_count": int((columns.unreadable & columns.present).sum()),
            "splits": columns.split_sizes(),
            "layout": self.catalogue.layout,
            "notes": list(self.catalogue.notes),
            "reading": self.reading,
            "labels": self.labels_json(),
            "features": None,
            "findings": [],
            "settings": self.source.settings(),
        }

    def labels_json(self) -> dict[str, Any]:
        columns = self.columns
        return {"state": "", "step": 0, "changed": int(columns.changed.sum()), "undo": None, "redo": None}

    def row(self, id: int) -> int:
        """
        Raises:
            RefusalError: there is no such photo.
        """
        if not 0 <= id < len(self.catalogue):
            raise RefusalError("not-found", f"There is no photo {id} in this collection.")
        return id

    def check_generation(self, generation: int) -> None:
        """
        Raises:
            RefusalError: the ids are those of a collection that was open before.
        """
        if generation < self.first_generation:
            raise RefusalError("stale", "Another collection is open now. Load the page again.")

    def find(self, query: Query) -> np.ndarray:
        """The ids that a query asks for, int32."""
        return ids_of(query, self.columns, Known())

    def details(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of POST /api/photos/details."""
        return [self._details(self.row(id)) for id in ids]

    def _details(self, row: int) -> dict[str, Any]:
        columns, numbers = self.columns, self.catalogue.numbers
        names = (*columns.classes, None)  # the last one for NO_LABEL
        return {
            "id": row,
            "path": columns.names[row],
            "label": names[columns.label[row]],
            "was": names[columns.own[row]],
            "split": (*SPLITS, None)[columns.split[row]],
            **{name: int(numbers[name][row]) for name in ("width", "height", "bytes")},
            "excluded": bool(columns.excluded[row]),
            "changed": bool(columns.changed[row]),
            "reason": self.catalogue.reasons.get(row),
        }

    def _unreadable(self) -> list[dict[str, str]]:
        rows = [row for row in list(self.catalogue.reasons) if self.catalogue.numbers["state"][row] == UNREADABLE]
        names = self.columns.names
        return [{"path": names[row], "reason": self.catalogue.reasons[row]} for row in sorted(rows)[:SHOWN_UNREADABLE]]

    def _columns(self) -> Columns:
        return Columns.of(self.catalogue, {}, [entry.split for entry in self.catalogue.entries])

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=work.__name__, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self) -> None:
        def report(done: int, total: int) -> None:
            self.reading = {"done": done, "total": total} if done < total else None
            self.publish("reading", done=done, total=total)

        self.reader.run(report, lambda: self.catalogue.save(self.folder))
        with self.lock:
            self.columns = self._columns()
        if not self.reader.is_stopped:
            self.publish("collection", generation=self.generation)


def open_collection(source: DataSource, publish: Publish) -> Collection:
    """
    Raises:
        DatasetError: it is no collection.
    """
    kept = Catalogue.load(folder_of(source))
    catalogue = kept or list_photos(source, Quiet())
    if kept is None:
        catalogue.save(folder_of(source))
    collection = Collection(source, catalogue, publish)
    collection.start()
    return collection
