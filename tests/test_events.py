"""What long work sends: progress with an estimate, an end in every case, cancellation, and events as JSON."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from headstart import events
from headstart.errors import CancelledError
from headstart.events import Event, Message, PictureReady, Task, advancing, check_cancelled, to_json, track
from support.recording import Recorder
from support.some_events import EPOCH, EVENTS


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, in seconds, which stands still."""
    now = [100.0]
    monkeypatch.setattr(events.time, "monotonic", lambda: now[0])
    return now


def test_a_task_from_its_first_event_to_its_last(clock):
    listener = Recorder()
    with advancing(listener, Task.READ, "Reading images", 40) as advance:
        clock[0] += 2
        advance(10, "loss 0.3")
        clock[0] += 2
        advance(30)
    assert all(
        (event.task, event.description, event.total) == (Task.READ, "Reading images", 40) for event in listener.progress
    )
    assert [(event.done, event.seconds_left, event.note, event.is_over) for event in listener.progress] == [
        (0, None, "", False),
        (10, 6.0, "loss 0.3", False),
        (40, 0.0, "", False),
        (40, 0.0, "", True),
    ]  # fmt: skip


def test_the_estimate_is_never_negative(clock):
    listener = Recorder()
    with advancing(listener, Task.EPOCH, "Epoch 1/2", 3) as advance:
        clock[0] += 1
        advance(5)
    assert listener.progress[1].seconds_left == 0
    with advancing(listener, Task.EPOCH, "Epoch 2/2", 0):
        pass
    assert [event.seconds_left for event in listener.progress[-2:]] == [None, None]


def count_to(total: int, listener: Recorder, done: list[int], error: BaseException | None = None) -> None:
    """A task in steps of 1, which fails in its middle where an error is given."""
    with advancing(listener, Task.READ, "Reading images", total) as advance:
        for number in range(total):
            if error and number == total // 2:
                raise error
            done.append(number)
            advance(1)


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_a_task_that_fails_is_over(error):
    listener = Recorder()
    with pytest.raises(type(error)):
        count_to(2, listener, [], error)
    assert [(event.done, event.is_over) for event in listener.progress] == [(0, False), (1, False), (1, True)]


def test_cancellation_stops_the_task_at_the_next_step():
    listener, done = Recorder(cancel_after=3), []
    with pytest.raises(CancelledError):
        count_to(40, listener, done)
    assert done == [0, 1]
    assert [(event.done, event.is_over) for event in listener.progress][-2:] == [(2, False), (2, True)]


def test_work_that_is_cancelled_before_it_begins_does_not_begin():
    listener = Recorder(cancel_after=0)
    with pytest.raises(CancelledError), advancing(listener, Task.READ, "Reading images", 40):
        pytest.fail("the work began")
    assert listener.events == []
    with pytest.raises(CancelledError, match="The work was cancelled"):
        check_cancelled(listener)
    check_cancelled(Recorder())


def test_tracked_items_are_steps():
    listener = Recorder()
    assert list(track(listener, "abc", Task.PREDICT, "Predicting", 3)) == ["a", "b", "c"]
    assert [(event.done, event.is_over) for event in listener.progress] == [
        (0, False), (1, False), (2, False), (3, False), (3, True),
    ]  # fmt: skip


def test_tracking_ends_where_the_items_fail_and_where_the_loop_is_left():
    listener = Recorder()
    with pytest.raises(ZeroDivisionError):
        list(track(listener, (1 // number for number in (1, 0)), Task.PREDICT, "Predicting", 2))
    assert listener.progress[-1].is_over
    items = track(listener, "abc", Task.PREDICT, "Predicting", 3)
    assert next(items) == "a"
    items.close()
    assert [(event.done, event.is_over) for event in listener.progress[-2:]] == [(0, False), (0, True)]
    with pytest.raises(CancelledError):
        list(track(Recorder(cancel_after=2), "abc", Task.PREDICT, "Predicting", 3))


# JSON


def test_every_type_of_event_has_a_kind_of_its_own():
    assert set(events.KINDS) == set(get_args(Event)) == {type(event) for event in EVENTS}
    assert len(set(events.KINDS.values())) == len(events.KINDS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_json(event):
    document = to_json(event)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document.pop("event") == events.KINDS[type(event)]
    known = {name: str(value) if isinstance(value, Path) else value for name, value in vars(event).items()}
    assert document == {name: value for name, value in known.items() if value or name not in ("code", "facts")}


def test_what_json_does_not_know():
    nan = to_json(replace(EPOCH, loss=float("nan"), val_loss=float("inf")))
    assert (nan["loss"], nan["val_loss"]) == (None, None)
    assert type(events._json_value(np.float32(0.5))) is float
    assert type(events._json_value(np.int64(3))) is int
    assert to_json(PictureReady("samples", Path("a/b.png")))["path"] == str(Path("a/b.png"))
    assert to_json(EVENTS[1])["is_over"] is False


def test_a_message_may_be_said_in_another_language():
    assert to_json(Message("Hello.")) == {"event": "message", "text": "Hello."}
    found = to_json(Message("Of 3 epochs, 1 was best.", "best", {"epochs": 3, "loss": float("nan")}))
    assert found == {
        "event": "message", "text": "Of 3 epochs, 1 was best.", "code": "best", "facts": {"epochs": 3, "loss": None},
    }  # fmt: skip
    assert Message("Hello.", "greeting") == Message("Hello."), "the same is said"
