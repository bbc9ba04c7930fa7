"""Several and Quiet; how often progress is passed on; and that a new listener takes one new file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headstart as hs
from headstart.errors import CancelledError
from headstart.events import Advanced, Message, Task
from headstart.listeners.progress import Throttle, time_left
from headstart.listeners.quiet import Quiet
from headstart.listeners.several import Several
from support.recording import Recorder
from support.small_collections import collection
from support.some_events import EVENTS


def test_several_pass_events_on_in_order_and_each_can_cancel():
    first, second = Recorder(), Recorder(cancel_after=2)
    both = Several(first, second)
    both.emit(EVENTS[0])
    assert not both.cancelled()
    both.emit(EVENTS[1])
    assert first.events == second.events == list(EVENTS[:2])
    assert both.cancelled()
    assert not Several().cancelled()


def test_quiet_says_nothing(capsys):
    for event in EVENTS:
        Quiet().emit(event)
    assert not Quiet().cancelled()
    assert capsys.readouterr() == ("", "")


def test_a_listener_of_ones_own_hears_what_work_says(tmp_path):
    """`Recorder` is one file beside the tests; nothing in headstart knows of it."""
    listener, root = Recorder(), collection(tmp_path / "photos", {"a": 20, "b": 20})
    hs.load_dataset(root, listener=listener)
    assert [(event.task, event.done) for event in listener.progress if event.is_over] == [(Task.READ, 40)]
    assert Message("Found 40 files belonging to 2 classes.") in listener.events
    with pytest.raises(CancelledError):
        hs.load_dataset(root, listener=Recorder(cancel_after=1))


@settings(max_examples=50, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from([Task.READ, Task.EPOCH]), st.floats(0, 3), st.booleans()), max_size=40))
def test_of_each_task_the_ends_are_passed_and_no_more_than_one_in_a_while(steps):
    throttle, now = Throttle(1.0), 0.0
    last: dict[Task, float] = {}
    for task, seconds, is_over in steps:
        now += seconds
        passed = throttle.passes(Advanced(task, "", 1, 2, is_over=is_over), now)
        assert passed == (is_over or task not in last or now - last[task] >= 1)
        if is_over:
            last.pop(task, None)
        elif passed:
            last[task] = now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""), (0.0, ", 0 s left"), (0.4, ", 0 s left"), (99.4, ", 99 s left"), (100.0, ", 2 min left"),
        (3_500.0, ", 58 min left"), (3_599.0, ", 1 h 0 min left"), (7_380.0, ", 2 h 3 min left"),
        (360_000.0, ", 100 h 0 min left"),
    ],
)  # fmt: skip
def test_the_time_left(seconds, text):
    assert time_left(Advanced(Task.READ, "", 1, 2, seconds)) == text
