"""Reads the files of a catalogue that are not known yet, in background threads, and any one at once if it is asked for.

Knows no labels.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from headstart.concurrency import cpu_budget, step_aside
from headstart.studio.catalogue import READABLE, UNKNOWN, Catalogue
from headstart.studio.thumbnails import Thumbnails

SECONDS_BETWEEN_REPORTS = 0.5
SECONDS_BETWEEN_SAVES = 20.0
YIELD = 0.02  # seconds that the background waits while somebody waits for a thumbnail

Report = Callable[[int, int], None]  # report(done, total)


class Reader:
    """Of one catalogue."""

    def __init__(self, catalogue: Catalogue, thumbnails: Thumbnails) -> None:
        self.catalogue, self.thumbnails = catalogue, thumbnails
        self._asked = 0  # requests that wait now
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def thumbnail(self, row: int) -> bytes | None:
        """WebP; None where the file cannot be read."""
        kept = self.kept_thumbnail(row)
        if kept is not None:
            return kept
        with self._lock:
            self._asked += 1
        try:
            return self._read(row)
        finally:
            with self._lock:
                self._asked -= 1

    def kept_thumbnail(self, row: int) -> bytes | None:
        """None where there is none yet. Reads no photo."""
        if self.catalogue.numbers["state"][row] != READABLE:
            return None
        return self.thumbnails.get(self.catalogue.digests[row].tobytes())

    def digest(self, row: int) -> str:
        """Of a file that is read now if it was not yet; "" where it cannot be read."""
        if self.catalogue.numbers["state"][row] == UNKNOWN:
            self._read(row)
        return self.catalogue.digest(row)

    def run(self, report: Report, save: Callable[[], object]) -> None:
        """Read all that is not known, or has no thumbnail, until done or stopped."""
        rows = self._todo()
        done, last, saved = 0, 0.0, time.monotonic()
        report(0, len(rows))
        with ThreadPoolExecutor(cpu_budget(), "reader", step_aside) as pool:
            for _ in pool.map(self._read_in_background, rows):
                done += 1
                now = time.monotonic()
                if now - last > SECONDS_BETWEEN_REPORTS:
                    last = now
                    report(done, len(rows))
                if now - saved > SECONDS_BETWEEN_SAVES:
                    saved = now
                    self.thumbnails.flush()
                    save()
        self.thumbnails.flush()
        if rows:
            save()
        report(done, len(rows))

    def stop(self) -> None:
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def _todo(self) -> list[int]:
        state = self.catalogue.numbers["state"]
        readable = np.flatnonzero(state == READABLE).tolist()
        rows_of = {self.catalogue.digests[row].tobytes(): row for row in readable}
        missing = [rows_of[digest] for digest in self.thumbnails.missing(rows_of)]
        return sorted([*np.flatnonzero(state == UNKNOWN).tolist(), *missing])

    def _read_in_background(self, row: int) -> None:
        while self._asked and not self._stopped.is_set():
            time.sleep(YIELD)
        if not self._stopped.is_set():
            self._read(row)

    def _read(self, row: int) -> bytes | None:
        from headstart.studio.reading import read_facts  # takes a moment to import

        facts = read_facts(self.catalogue.entries[row].path)
        self.catalogue.describe(row, facts)
        if isinstance(facts, str):
            return None
        self.thumbnails.put(facts.digest, facts.thumbnail)
        return facts.thumbnail
