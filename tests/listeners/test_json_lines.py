"""JsonLines: every line is JSON, progress is thinned out but for its ends, and a full disk stops no work."""

import io
import json
import threading

import pytest

from headstart.events import Message, Task, advancing, to_json
from headstart.listeners.json_lines import SECONDS_BETWEEN_LINES, JsonLines
from support.some_events import EVENTS


def documents(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_each_event_is_a_line(clock):
    stream = io.StringIO()
    listener = JsonLines(stream)
    for event in EVENTS:
        clock[0] += 1.5
        listener.emit(event)
    assert documents(stream) == [
        {"seconds": 1.5 * number, **to_json(event)} for number, event in enumerate(EVENTS, start=1)
    ]
    assert not listener.cancelled()


def test_a_line_is_one_line_of_ascii_whatever_is_in_it():
    stream = io.StringIO()
    text = "two\nlines, \u2028 a line separator, café, \udce9 from an old disk"
    JsonLines(stream).emit(Message(text))
    assert stream.getvalue().isascii()
    assert [line["text"] for line in documents(stream)] == [text]


def test_progress_is_thinned_out_but_for_its_ends(clock):
    stream = io.StringIO()
    listener = JsonLines(stream)
    for _ in range(2):
        with advancing(listener, Task.READ, "Reading images", 1000) as advance:
            for _ in range(1000):
                clock[0] += SECONDS_BETWEEN_LINES / 100
                advance(1)
    lines = documents(stream)
    for task in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
        assert 9 <= len(task) <= 13
        assert (task[0]["done"], task[0]["is_over"]) == (0, False)
        assert (task[-1]["done"], task[-1]["is_over"]) == (1000, True)
        assert not any(line["is_over"] for line in task[:-1])


def test_tasks_do_not_thin_each_other_out(clock):
    stream = io.StringIO()
    listener = JsonLines(stream)
    with advancing(listener, Task.READ, "Reading images", 1), advancing(listener, Task.EXTRACT, "Extracting", 1):
        pass
    assert [(line["task"], line["is_over"]) for line in documents(stream)] == [
        ("read", False), ("extract", False), ("extract", True), ("read", True),
    ]  # fmt: skip


class Slow(io.StringIO):
    """A stream that other threads can interrupt in the middle of a line."""

    def write(self, text: str) -> int:
        for character in text:
            super().write(character)
        return len(text)


def test_lines_of_many_threads_are_whole():
    stream = Slow()
    listener = JsonLines(stream)

    def work(number: int) -> None:
        for _ in range(50):
            listener.emit(Message(f"{number}" * 40))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [line["text"] for line in documents(stream)]
    assert sorted(texts) == sorted(f"{number}" * 40 for number in range(6) for _ in range(50))
    assert [line["seconds"] for line in documents(stream)] == sorted(line["seconds"] for line in documents(stream))


def test_a_file_that_can_no_longer_be_written_stops_no_work():
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    listener = JsonLines(Full())
    listener.emit(Message("one"))
    listener.emit(Message("two"))


def test_it_is_written_at_once(tmp_path):
    with (tmp_path / "events.jsonl").open("w") as file:
        JsonLines(file).emit(Message("one"))
        assert json.loads((tmp_path / "events.jsonl").read_text())["text"] == "one"
