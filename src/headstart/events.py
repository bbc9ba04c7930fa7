"""What long work tells while it goes on: typed events, and the listener that they are sent to.

Knows nothing of images, models, terminals or files. A listener is anything with `emit(event)` and `cancelled()`; those
of headstart are in `listeners/`. Nobody recognises an event by the words in it: by its type, its step, or its task.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from headstart.errors import CancelledError

T = TypeVar("T")

Advance = Callable[..., None]  # advance(steps, note=""): so many steps more are done


class Step(StrEnum):
    """The parts of headstart's work. The value is what programs know a step by."""

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
    """Work that is counted. The value is what programs know a task by."""

    READ = "read"
    EXTRACT = "extract"
    COMPARE = "compare"
    EPOCH = "epoch"
    EVALUATE = "evaluate"
    PREDICT = "predict"


@dataclass(frozen=True)
class StepStarted:
    """The next part of the work begins. title: its name, for people."""

    step: Step
    title: str


@dataclass(frozen=True)
class Advanced:
    """How far a task is.

    description: its name, for people. done, total: steps, such as images. seconds_left: an estimate, from the time that
    the steps so far have taken; None while nothing is known. note: such as "loss 0.31". is_over: no more of it follows,
    also where it was stopped before its end.
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

    epoch: counted from 1, over all phases of the recipe, which are `epochs` in all. seconds: that it took. loss:
    cross-entropy. accuracy: 0..1. val_...: of the validation images.
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

    C: inverse strength of the L2 penalty, as in scikit-learn. seconds_solving: without the features, which are in
    `seconds`. The rest is as in `EpochEnded`.
    """

    C: float
    seconds_solving: float
    seconds: float
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


@dataclass(frozen=True)
class PictureReady:
    """A picture of a run can be looked at. name: such as "samples"; path: of the file."""

    name: str
    path: Path


@dataclass(frozen=True)
class Message:
    """News in words: one line, or several."""

    text: str


Event = StepStarted | Advanced | EpochEnded | HeadSolved | PictureReady | Message


class Listener(Protocol):
    """Where work reports to. It may be called from several threads."""

    def emit(self, event: Event) -> None:
        """Take note of an event."""
        ...

    def cancelled(self) -> bool:
        """Whether the work should stop. Long work asks often."""
        ...


def check_cancelled(listener: Listener) -> None:
    """
    Raises:
        CancelledError: the listener wants the work to stop.
    """
    if listener.cancelled():
        raise CancelledError("The work was cancelled.")


@contextmanager
def advancing(listener: Listener, task: Task, description: str, total: int) -> Iterator[Advance]:
    """A context manager that gives `advance(steps, note="")`, to be called as the steps of a task are done.

    Each call sends an `Advanced`, with an estimate of the time that is left, and asks whether to go on.

    Raises:
        CancelledError: the listener wants the work to stop.
    """
    start, done, last_note = time.monotonic(), 0, ""

    def emit(*, is_over: bool = False) -> None:
        seconds = time.monotonic() - start
        left = seconds / done * (total - done) if done else None
        listener.emit(Advanced(task, description, done, total, left, last_note, is_over))

    def advance(steps: int, note: str = "") -> None:
        nonlocal done, last_note
        check_cancelled(listener)
        done, last_note = done + steps, note
        emit()

    check_cancelled(listener)
    emit()
    try:
        yield advance
    finally:
        emit(is_over=True)


def track(listener: Listener, items: Iterable[T], task: Task, description: str, total: int) -> Iterator[T]:
    """The items, one by one, each of which is a step of a task of `total` steps."""
    with advancing(listener, task, description, total) as advance:
        for item in items:
            yield item
            advance(1)


def to_json(event: Event) -> dict[str, Any]:
    """An event as JSON: its kind, such as "step_started", and its fields."""
    content = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(event).items()}
    return {"event": KINDS[type(event)], **content}


KINDS: dict[type, str] = {
    StepStarted: "step_started",
    Advanced: "advanced",
    EpochEnded: "epoch_ended",
    HeadSolved: "head_solved",
    PictureReady: "picture_ready",
    Message: "message",
}
