"""Watch: whether files were added to, or taken from, the folders of a collection since the last look.

A folder's time changes with the names in it. A photo that was overwritten in place is noticed when the collection is
opened again.
"""

import os
from pathlib import Path

from headstart.data.source import DataSource
from headstart.studio.catalogue import Catalogue


class Watch:
    """Compares the times of all folders with photos, of those above them, and of the zip or CSV itself."""

    SECONDS = 2.0  # between two looks
    RESTING = 1.0  # seconds without a change: somebody is copying until then

    def __init__(self, catalogue: Catalogue, source: DataSource) -> None:
        self._source = source
        self._times = self._now(catalogue)
        self._waiting = False

    def has_changed(self, catalogue: Catalogue) -> bool:
        """Since the last call that said so; while the names still change, not yet."""
        now = self._now(catalogue)
        is_changing = now != self._times
        self._times = now
        if is_changing:
            self._waiting = True
            return False
        found, self._waiting = self._waiting, False
        return found

    def _now(self, catalogue: Catalogue) -> dict[str, int]:
        root = str(self._source.path)
        folders = {os.path.dirname(entry.path) for entry in catalogue.entries}  # noqa: PTH120
        above = {str(parent) for folder in folders for parent in Path(folder).parents if str(parent).startswith(root)}
        times = {}
        for place in folders | above | {root}:
            try:
                times[place] = os.stat(place).st_mtime_ns  # noqa: PTH116
            except OSError:
                times[place] = 0
        return times
