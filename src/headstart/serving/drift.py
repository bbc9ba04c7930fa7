"""Drift: what a service tells of the photos that come, without their labels: are they as before, how many answers are
right. It remembers the answers to the last photos, and nothing of the photos. Knows no HTTP.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.errors import RunError
from headstart.evaluation.drift import KINDS, LEVEL, WINDOW, Answered, p_values
from headstart.evaluation.label_shift import ShiftEstimate, estimate
from headstart.runs.folder import RunFolder
from headstart.serving.monitoring import log

if TYPE_CHECKING:
    from headstart.array_types import Int

EVERY, SECONDS = 100, 5.0  # answers, and seconds, after which everything is computed again
MOST_CLASSES = 100  # of which shares and accuracy are estimated: of more, held-out photos say too little


class Told(NamedTuple):
    """An answer, as far as it is remembered."""

    label: int
    confidence: float
    familiar: bool


@dataclass(frozen=True, eq=False)
class Reference:
    """How the held-out photos of a run were answered. confusion: a row for each class, a column for each answer."""

    class_names: tuple[str, ...]
    answered: Answered
    confusion: Int[np.ndarray, "classes classes"]

    @classmethod
    def of(cls, run: Path, class_names: tuple[str, ...]) -> Reference | None:
        """None where a run does not keep its answers to them, or they are answers with other classes.

        Raises:
            RunError: a table of the run is damaged.
        """
        folder = RunFolder(run)
        rows, index = folder.held_out, {name: number for number, name in enumerate(class_names)}
        if not rows or any(row.label not in index or row.answer not in index for row in rows):
            return None
        confusion = np.zeros((len(index), len(index)), int)
        np.add.at(confusion, ([index[row.label] for row in rows], [index[row.answer] for row in rows]), 1)
        confidences = np.array([row.probability for row in rows])
        familiar = folder.metrics.get("familiar") or {"correct": 0, "count": 0}
        checked = int(familiar["count"])
        answered = Answered(confusion.sum(axis=0), confidences, checked - int(familiar["correct"]), checked)
        return cls(class_names, answered, confusion)


@dataclass(frozen=True, eq=False)
class Drift:
    """What the last photos show. accuracy: None where it cannot be told. p: of each of KINDS, None before the first
    whole window; of that, else."""

    now: Answered
    accuracy: ShiftEstimate | None
    p: dict[str, float] | None

    @property
    def alarms(self) -> list[str]:
        return [kind for kind in KINDS if self.p and self.p[kind] < LEVEL]


class DriftMonitor:
    """Of one model. Several threads may use it."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._last: deque[Told] = deque(maxlen=WINDOW)
        self._count, self._windows, self._looked, self._lock = 0, 0, -math.inf, Lock()
        self._p: dict[str, float] | None = None
        self._index = {name: number for number, name in enumerate(reference.class_names)}

    def record(self, label: str, confidence: float, familiar: bool) -> bool:
        """Remember an answer. Whether it is time to look."""
        with self._lock:
            self._last.append(Told(self._index[label], confidence, familiar))
            self._count += 1
            is_long_ago = time.monotonic() - self._looked >= SECONDS
            return self._count % WINDOW == 0 or (self._count % EVERY == 0 and is_long_ago)

    def look(self) -> tuple[Drift, bool]:
        """What the last photos show; and whether a window has ended, which was tested now."""
        with self._lock:
            last, windows = list(self._last), self._count // WINDOW
            ended = windows > self._windows
            self._windows, self._looked = windows, time.monotonic()
        labels = np.array([told.label for told in last])
        now = Answered(
            np.bincount(labels, minlength=len(self._index)),
            np.array([told.confidence for told in last]),
            sum(not told.familiar for told in last),
            len(last) if self.reference.answered.checked else 0,
        )
        if ended:
            self._p = p_values(self.reference.answered, now)
        found = estimate(self.reference.confusion, now.answers) if len(self._index) <= MOST_CLASSES else None
        return Drift(now, found, self._p), ended


def monitor_of(run: Path, class_names: tuple[str, ...]) -> DriftMonitor | None:
    """None where the run does not say how its held-out photos were answered; where it is damaged in that, the log says
    so. Its service answers all the same."""
    try:
        reference = Reference.of(run, class_names)
    except (RunError, KeyError, TypeError, ValueError) as error:
        log("drift", problem=f"The photos that come are not compared with held-out ones: {error!r}")
        return None
    return DriftMonitor(reference) if reference else None
