"""Copies among all photos of a collection -> copies among those that a training would use. Knows no labels.

Two photos may be joined only by a third one that is nearly the same as both. A training looks for copies among its own
photos: where it does not use the third, as it has no label, the two are no copies there, and may be on different sides.
"""

from collections.abc import Callable
from threading import Lock

import numpy as np

from headstart.array_types import Int

Find = Callable[[Int[np.ndarray, " k"]], Int[np.ndarray, " k"]]


class CopyGroups:
    """all: of m photos, the same number for copies, and for what copies of these join."""

    def __init__(self, all: Int[np.ndarray, " m"], find: Find) -> None:
        """find: indices of photos -> a number for each, the same for copies among these alone."""
        self.all, self._find = all, find
        self._known: dict[tuple[int, ...], tuple[int, ...]] = {}  # used photos of a group -> their numbers
        self._lock = Lock()

    def among(self, used: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
        """The groups as they are if only the photos `used` join others. Whoever is not used keeps its number."""
        sizes, inside = np.bincount(self.all), np.bincount(self.all[used], minlength=self.all.max(initial=-1) + 1)
        torn = used[((inside > 1) & (inside < sizes))[self.all[used]]]
        torn = torn[np.argsort(self.all[torn], kind="stable")]
        parts = np.split(torn, np.flatnonzero(np.diff(self.all[torn])) + 1) if len(torn) else []
        with self._lock:
            self._look_at([part for part in parts if tuple(part.tolist()) not in self._known])
        found, free = self.all.copy(), len(sizes)
        for part in parts:
            numbers = np.unique(self._known[tuple(part.tolist())], return_inverse=True)[1]
            found[part] = free + numbers
            free += len(part)
        return found

    def _look_at(self, parts: list[np.ndarray]) -> None:
        """Find the copies among the used photos of some groups, of all at once; between groups there are none."""
        if not parts:
            return
        numbers = self._find(np.concatenate(parts))
        places = np.cumsum([0, *map(len, parts)])
        for part, start, end in zip(parts, places, places[1:], strict=False):
            self._known[tuple(part.tolist())] = tuple(numbers[start:end].tolist())
