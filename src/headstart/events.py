"""Typed events that long work sends, and the listener that receives them.

Knows nothing of images, models, terminals or files. A listener is anything with `emit(event)` and `cancelled()`; those
of headstart are in `listeners/`. An event is recognised by its type, its step or its task, never by its words.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from enum import StrEnum
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeVar, runtime_checkable

from headstart.errors import CancelledError

T = TypeVar("T")


class Step(StrEnum):
    """The parts of headstart's work. Programs know a step by its value."""

    GET_DATA = "get_data"
    READ_DATA = "read_data"
    COMPOSE = "compose"
    TRAIN_HEAD = "train_head"
    FINE_TUNE = "fine_tune"
    EVALUATE = "evaluate"
    PREDICT = "predict"
    SHOW_RESULTS = "show_results"
    NEXT_STEPS = "next_steps"
    MEASURE_BACKBONE = "measure_backbone"


class Task(StrEnum):
    """Work whose progress is counted. Programs know a task by its value."""

    READ = "read"
    EXTRACT = "extract"
    COMPARE = "compare"
    EPOCH = "epoch"
    VALIDATE = "validate"
    EVALUATE = "evaluate"
    PREDICT = "predict"
    WRITE = "write"


@dataclass(frozen=True)
class StepStarted:
    """The next part of the work begins. title: its name, for people."""

    step: Step
    title: str


@dataclass(frozen=True)
class Advanced:
    """The progress of a task.

    description: its name, for people. done, total: steps, such as images. seconds_left: an estimate from the time that
    the steps have taken so far; None before the first. note: such as "loss 0.31". is_over: this is the task's last
    event, also where the task was stopped before its end.
    """

    task: Task
    description: str
    done: int
    total: int
    seconds_left: float | None = None
    note: str = ""
    is_over: bool = False


@dataclass(frozen=True)
class EpochEnded:
    """An epoch of a phase ended.

    epoch: counted from 1 through all phases of the recipe; `epochs` is their total. seconds: its duration. loss:
    cross-entropy. accuracy: 0..1. val_...: on the validation images.
    """

    phase: str
    epoch: int
    epochs: int
    seconds: float
    learning_rate: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class HeadSolved:
    """The head was solved.

    C: inverse strength of the L2 penalty, as in scikit-learn. weight: what share of the variance the depths before the
    last were given, 0 to 1; None: the head reads the last layer alone. seconds_solving: for the head alone; `seconds`
    includes the features. The rest is as in `EpochEnded`.
    """

    C: float
    weight: float | None
    seconds_solving: float
    seconds: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class PictureReady:
    """A plot of a run was written. name: such as "samples"; path: of the file."""

    name: str
    path: Path


@dataclass(frozen=True)
class Message:
    """A message in words, of one line or several.

    code, facts: where a page may say it in another language: what it says, and the names and numbers in it.
    """

    text: str
    code: str = field(default="", compare=False)
    facts: Mapping[str, str | float] = field(default_factory=dict, compare=False)


Event = StepStarted | Advanced | EpochEnded | HeadSolved | PictureReady | Message


@runtime_checkable
class Listener(Protocol):
    """Receives events. Several threads may call it at once."""

    def emit(self, event: Event) -> None:
        """Receive an event."""
        ...

    def cancelled(self) -> bool:
        """Whether the work should stop. Long work asks this often."""
        ...


def check_cancelled(listener: Listener) -> None:
    """
    Raises:
        CancelledError: the listener asks the work to stop.
    """
    if listener.cancelled():
        raise CancelledError("The work was cancelled.")


class Advance:
    """Counts the steps of a task: `advance(steps, note="")` after each of them, from any thread.

    Each call sends an `Advanced` with an estimate of the time left.
    """

    def __init__(self, listener: Listener, task: Task, description: str, total: int) -> None:
        self._listener, self._task, self._description, self._total = listener, task, description, total
        self._start, self._done, self._note = time.monotonic(), 0, ""
        self._lock = Lock()

    def __call__(self, steps: int, note: str = "") -> None:
        """
        Raises:
            CancelledError: the listener asks the work to stop.
        """
        with self._lock:
            self._done, self._note = self._done + steps, note
            self.emit()
        check_cancelled(self._listener)

    def emit(self, *, is_over: bool = False) -> None:
        """Send an event without counting a step."""
        seconds = time.monotonic() - self._start
        left = seconds / self._done * max(self._total - self._done, 0) if self._done else None
        self._listener.emit(Advanced(self._task, self._description, self._done, self._total, left, self._note, is_over))


@contextmanager
def advancing(listener: Listener, task: Task, description: str, total: int) -> Iterator[Advance]:
    """A task of `total` steps: gives `advance(steps, note="")`, to be called as steps are done.

    Sends the first `Advanced` at once, and the last one, `is_over`, whether the block ends, fails or is cancelled.

    Raises:
        CancelledError: the listener asks the work to stop.
    """
    check_cancelled(listener)
    advance = Advance(listener, task, description, total)
    advance.emit()
    try:
        yield advance
    finally:
        advance.emit(is_over=True)


def track(listener: Listener, items: Iterable[T], task: Task, description: str, total: int) -> Generator[T, None, None]:
    """The items, one by one; each is a step of a task of `total` steps.

    Where the loop over them may stop early, use `advancing`: a generator does not notice before it is closed.

    Raises:
        CancelledError: the listener asks the work to stop.
    """
    with advancing(listener, task, description, total) as advance:
        for item in items:
            yield item
            advance(1)


KINDS: dict[type, str] = {
    StepStarted: "step_started",
    Advanced: "advanced",
    EpochEnded: "epoch_ended",
    HeadSolved: "head_solved",
    PictureReady: "picture_ready",
    Message: "message",
}


def to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object: its kind, such as "step_started", and its fields."""
    found: dict[str, Any] = {each.name: _json_value(getattr(event, each.name)) for each in fields(event)}
    if isinstance(event, Message):  # without what most have not
        found = {"text": event.text} | (
            {"code": event.code, "facts": {name: _json_value(value) for name, value in event.facts.items()}}
            if event.code
            else {}
        )
    return {"event": KINDS[type(event)]} | found


def _json_value(value: object) -> object:
    """NumPy's numbers become Python's. JSON has no NaN and no infinity: null."""
    match value:
        case bool() | None:
            return value
        case Integral():
            return int(value)
        case Real():
            return float(value) if isfinite(value) else None
        case _:
            return str(value)
