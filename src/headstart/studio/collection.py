"""Collection: one opened folder, zip or CSV: its photos, their labels, what is computed of them. Knows no HTTP.

Whoever changes labels does so here, one after the other; whoever asks gets the columns as they are at that moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.array_types import Int, Int32
from headstart.data.corrections import Journal, LabelState, Step
from headstart.data.corrections_file import corrections_file
from headstart.data.source import DataSource
from headstart.errors import HeadstartError
from headstart.listeners.quiet import Quiet
from headstart.studio import describing
from headstart.studio.analysis import Analysis, Labelled
from headstart.studio.answered import Answered
from headstart.studio.calm import Calm
from headstart.studio.catalogue import READABLE, UNKNOWN, Catalogue, Entry, Facts, folder_of
from headstart.studio.columns import Columns, Listed
from headstart.studio.jobs import Jobs
from headstart.studio.labelling import Labelling
from headstart.studio.problems import RefusalError
from headstart.studio.query import Query, ids_of
from headstart.studio.reader import Reader
from headstart.studio.run_answers import run_answers
from headstart.studio.runs import Runs, runs_folder
from headstart.studio.thumbnails import Thumbnails
from headstart.studio.watching import Watch

if TYPE_CHECKING:
    from headstart.studio.trying import Trials

SECONDS_OF_REST = 1.0  # in which no photo is added, before all are analysed
Publish = Callable[..., None]  # publish(kind, **facts)


class Collection:
    """An open collection.

    generation: another number whenever photos were added, changed or taken away. columns: all photos, as they are now.
    labels: the state of the journal that these show.
    """

    def __init__(self, source: DataSource, catalogue: Catalogue, publish: Publish, *, is_fresh: bool) -> None:
        """is_fresh: whether the catalogue was listed just now; a kept one is compared with the disk."""
        self.source, self.publish = source, publish
        self.folder = folder_of(source)
        self.first_generation = self.generation = time.time_ns() // 1_000_000
        self.reading: dict[str, int] | None = None
        self.thumbnails, self.answered = Thumbnails(self.folder), Answered(self.folder)
        self.journal = Journal(journal_of(source))
        self.labels: LabelState = self.journal.state()
        self.jobs, self.runs = Jobs(self.folder / "jobs", publish), Runs(runs_folder(source))
        self._lock = threading.RLock()  # whoever changes columns holds it
        self._threads: list[threading.Thread] = []
        self._closed, self._analysing = threading.Event(), threading.Lock()
        self.calm = Calm()
        self._watch = Watch(catalogue, source)
        self._is_fresh = is_fresh
        self._take(catalogue)
        self.analysis = self._new_analysis()

    @property
    def path(self) -> Path:
        return self.source.local_path

    @cached_property
    def trials(self) -> Trials:
        from headstart.studio.trying import Trials  # takes a moment to import

        return Trials(self)

    def start(self) -> None:
        """Read in the background what is not known yet, compute, and watch the disk."""
        self._begin(self._read)
        self._begin(self._look)
        self.jobs.start()

    def close(self) -> None:
        self._closed.set()
        self.jobs.close()
        self.reader.stop()
        for thread in self._threads:
            thread.join()
        self.analysis.stop()
        self.catalogue.save(self.folder)
        self.thumbnails.close()

    # what is known

    def to_json(self) -> dict[str, Any]:
        """The Collection of the contract."""
        return describing.collection_json(self)

    def labels_json(self) -> dict[str, Any]:
        """The Labels of the contract."""
        return describing.labels_json(self)

    def find(self, query: Query) -> Int32[np.ndarray, " m"]:
        """The ids that a query asks for."""
        self.calm.disturb()
        columns, known = self.columns, self.analysis.known
        likeness = None
        if query.like is not None and known.features is not None and self.row(query.like) < len(known.features):
            likeness = known.features.likeness(query.like)
        return ids_of(query, columns, known, likeness)

    def details(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """The rows of POST /api/photos/details."""
        return describing.details(self, [self.row(id) for id in ids])

    def id_of(self, digest: str) -> int | None:
        """The first photo of that digest that was read; None: there is none."""
        equal = np.ascontiguousarray(self.catalogue.digests).view("S32")[:, 0] == bytes.fromhex(digest).rstrip(b"\0")
        rows = np.flatnonzero(equal & (self.catalogue.numbers["state"] == READABLE))
        return int(rows[0]) if len(rows) else None

    def ids_by_digest(self) -> dict[str, int]:
        """Of the photos that were read; of equal files, the last one."""
        rows = np.flatnonzero(self.catalogue.numbers["state"] == READABLE).tolist()
        return {self.catalogue.digest(row): row for row in rows}

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
            raise RefusalError(
                "stale", "Another collection is open now. Load the page again.", reason="another-collection"
            )

    # what is changed

    def change(self, act: Callable[[Labelling, Columns], Step | None]) -> Step | None:
        """Do something to the labels. It is on the disk when this returns.

        Raises:
            DatasetError, RefusalError: it cannot be done; nothing was changed.
        """
        with self._lock:
            step = act(self.labelling, self.columns)
            self._show_labels()
        return step

    def set_label(self, ids: Sequence[int], label: str | None) -> Step | None:
        """Give photos a label; None: leave them out."""
        rows = [self.row(id) for id in ids]
        return self.change(lambda labelling, columns: labelling.set(columns, rows, label))

    def confirm_label(self, ids: Sequence[int]) -> Step | None:
        """Note that the labels of photos are right, however much they are doubted."""
        rows = [self.row(id) for id in ids]
        return self.change(lambda labelling, columns: labelling.confirm(columns, rows))

    def update(self) -> bool:
        """List the collection again. Whether anything is different."""
        from headstart.studio.opening import list_photos

        while True:
            before, listed = self.catalogue, list_photos(self.source, Quiet())
            with self._lock:
                if self.catalogue is before:  # nothing was added while it was listed
                    merged, is_new = before.updated(listed)
                    if is_new:
                        self._replace(merged)
                    return is_new

    def add(self, found: Sequence[tuple[Entry, Facts]]) -> list[int]:
        """Photos that were just written into the folder of the collection -> their ids."""
        with self._lock:
            start = len(self.catalogue)
            self._replace(self.catalogue.extended(found))
            for _, facts in found:
                self.thumbnails.put(facts.digest, facts.thumbnail)
        return list(range(start, start + len(found)))

    def _replace(self, catalogue: Catalogue) -> None:
        self.reader.stop()
        with self._lock:
            self._take(catalogue)
            unknown = int((catalogue.numbers["state"] == UNKNOWN).sum())
            self.reading = {"done": 0, "total": unknown} if unknown else None
            self.generation = max(self.generation + 1, time.time_ns() // 1_000_000)
        self.publish("collection", generation=self.generation)
        self._begin(self._read)

    def _take(self, catalogue: Catalogue) -> None:
        """Make this the catalogue. What is computed of an earlier one stays until it is computed anew."""
        old = getattr(self, "_split", np.zeros(0, np.int8))
        self.catalogue, self.listed = catalogue, Listed.of(catalogue)
        self._split = np.append(old, self.listed.split[len(old) :])
        self.reader = Reader(catalogue, self.thumbnails)
        self.labelling = Labelling(self.journal, catalogue, self.reader.digest)
        self._make_columns()

    def _new_analysis(self) -> Analysis:
        return Analysis(
            self.catalogue,
            self.folder,
            self._labelled,
            self.publish,
            self._take_split,
            lambda: self._try(self.update),
            getattr(self, "analysis", None),
        )

    def columns_at(self, step: int) -> Columns:
        """As they were after a step of the journal.

        Raises:
            DatasetError: there is no such step.
        """
        state = self.journal.state(step)
        with self._lock:
            return self._columns_of(state, self.labelling.corrected(state))

    def _columns_of(self, state: LabelState, corrected: Mapping[int, str | None]) -> Columns:
        answered = {each.answer for each in run_answers(self.catalogue).values()}
        return Columns.of(self.catalogue, self.listed, self._split, corrected, state.made | answered)

    def _make_columns(self) -> None:
        corrected = self.labelling.corrected(self.labels)
        self.columns = self._columns_of(self.labels, corrected)
        self.labels_state = self.labelling.state_id(self.labels, corrected)

    def _take_split(self, split: Int[np.ndarray, " n"]) -> None:
        with self._lock:
            self._split = np.append(split, self.listed.split[len(split) :])
            self._make_columns()
        self.publish("collection", generation=self.generation)

    def _show_labels(self) -> None:
        """Take over what the journal says now, also by other processes."""
        state = self.journal.state()
        if state.step == self.labels.step and state.labels is self.labels.labels:
            return
        self.labels = state
        self._make_columns()
        self.analysis.labels_changed()
        self.publish("labels", **self.labels_json())

    def _labelled(self) -> Labelled:
        with self._lock:
            return Labelled(self.columns, self.labels_state, self.answered.keys(self.labels), self.labels.confirmed)

    # what happens in the background

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=work.__name__, daemon=True)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        thread.start()

    def _read(self) -> None:
        reader = self.reader

        def report(done: int, total: int) -> None:
            if done < total:
                self.reading = {"done": done, "total": total}
            if total:
                self.publish("reading", done=done, total=total)

        def keep() -> None:
            """Also the labels of photos that are known by digest only now."""
            self.catalogue.save(self.folder)
            with self._lock:
                self._make_columns()
            self.publish("collection", generation=self.generation)

        if not (self.catalogue.numbers["state"] == UNKNOWN).any():
            self.calm.wait(self._closed)
        reader.run(report, keep)
        if reader.is_stopped:
            return
        self.reading = None
        self.publish("collection", generation=self.generation)
        if self._closed.wait(SECONDS_OF_REST) or reader.is_stopped:
            return  # others were added meanwhile: whoever reads these, analyses all
        with self._analysing:
            self.analysis.stop()
            if not self._closed.is_set():
                self.analysis = self._new_analysis()
                self.analysis.start()

    def _look(self) -> None:
        """Notice what others do to the folder, and to the labels."""
        if not self._is_fresh:
            self.calm.wait(self._closed)
            self._try(self.update)
        while not self._closed.wait(Watch.SECONDS):
            if self._watch.has_changed(self.catalogue):
                self._try(self.update)
            with self._lock:
                self._try(self._show_labels)

    def _try(self, act: Callable[[], object]) -> None:
        """What is wrong now may be mended at the next look."""
        try:
            act()
        except HeadstartError as error:
            self.publish("problem", detail=str(error))


def journal_of(source: DataSource) -> Path:
    """
    Raises:
        DatasetError: there are two journals.
        RefusalError: the user wants none used.
    """
    file = corrections_file(source)
    if file is None:
        raise RefusalError(
            "impossible", "The studio keeps labels beside the photos: leave out --no-corrections.", reason="no-journal"
        )
    return file


def open_collection(source: DataSource, publish: Publish) -> Collection:
    """
    Raises:
        DatasetError: it is no collection.
    """
    folder = folder_of(source)
    catalogue = Catalogue.load(folder) if source.path.exists() else None  # the listing says what is wrong
    is_fresh = catalogue is None
    if catalogue is None:
        from headstart.studio.opening import list_photos  # takes a moment to import

        catalogue = list_photos(source, Quiet())
        catalogue.save(folder)
    collection = Collection(source, catalogue, publish, is_fresh=is_fresh)
    collection.start()
    return collection
