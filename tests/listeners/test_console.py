"""Console: bars in a terminal, plain lines in a pipe, and words as they are."""

import io
import threading

import pytest
from rich.console import Console as RichConsole

from headstart.events import Message, Step, StepStarted, Task, advancing
from headstart.listeners import console as console_module
from headstart.listeners.console import Console
from support.some_events import EVENTS


class Terminal(Console):
    """A console on a terminal of 100 columns, or on a pipe, whose text can be read."""

    def __init__(self, *, is_terminal: bool = True) -> None:
        self.stream = io.StringIO()
        super().__init__(
            RichConsole(file=self.stream, force_terminal=is_terminal, width=100, highlight=False, _environ={})
        )

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def draw(self) -> str:
        """What the bars draw now; rich draws them a few times a second by itself."""
        start = len(self.text)
        assert self._progress is not None
        self._progress.refresh()
        return self.text[start:]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_each_event_in_a_pipe():
    console = Terminal(is_terminal=False)
    for event in EVENTS:
        console.emit(event)
    assert console.text.splitlines() == [
        "",
        "Train the head",
        "Reading images: 40 of 1,200, 58 s left loss 0.31",
        "Epoch  3/20    4.2 s  loss 0.3100  accuracy 0.9000  val_loss 0.2500  val_accuracy 0.9500",
        "Solved in 0.5 s, with C = 0.01; depths before the last weigh 0.85.",
        "Solved head    7.5 s  loss 0.1000  accuracy 0.9700  val_loss 0.2000  val_accuracy 0.9300",
        "Found 3,000 files belonging to 2 classes.",
    ]
    assert not console.cancelled()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_words_are_written_as_they_are(is_terminal):
    """Nothing in a path or in the name of a class is taken for markup or an emoji, and no line is broken."""
    console, words = Terminal(is_terminal=is_terminal), "[red]photos[/red] :dog: [/] " + 30 * "long "
    console.emit(StepStarted(Step.READ_DATA, words))
    console.emit(Message(words))
    assert console.text.count(words) == 2


def test_in_a_pipe_a_long_task_writes_a_line_from_time_to_time(clock):
    console = Terminal(is_terminal=False)
    with advancing(console, Task.EXTRACT, "Extracting features", 10_000) as advance:
        for _ in range(25):
            clock[0] += 1
            advance(100, "note")
    assert console.text.splitlines() == [
        "Extracting features: 1,000 of 10,000, 90 s left note",
        "Extracting features: 2,000 of 10,000, 80 s left note",
    ]
    with advancing(console, Task.EXTRACT, "Extracting features", 3) as advance:
        clock[0] += 9
        advance(3)
    assert len(console.text.splitlines()) == 2, "the clock starts anew with each task"


def test_in_a_terminal_a_task_is_a_bar_that_goes_when_it_is_over():
    console = Terminal()
    with advancing(console, Task.READ, "Reading [b]images[/b]", 4) as advance:
        advance(3, "loss 0.31")
        drawn = console.draw()
        assert "Reading [b]images[/b]" in drawn
        assert "3/4" in drawn
        assert "loss 0.31" in drawn
        console.emit(Message("Left out: one."))
    assert "Left out: one." in console.text
    assert console._progress is None
    assert console.text.endswith("\r\x1b[2K\x1b[?25h\r"), "the line is empty, and the cursor is shown"
    with advancing(console, Task.READ, "Again", 1):
        assert "Again" in console.draw()


def test_tasks_at_the_same_time_have_a_bar_each():
    console = Terminal()
    with advancing(console, Task.EPOCH, "Epoch 1/2", 9) as outer:
        outer(1)
        with advancing(console, Task.EVALUATE, "Evaluating", 5) as inner:
            inner(2)
            drawn = console.draw()
            assert all(text in drawn for text in ("Epoch 1/2", "1/9", "Evaluating", "2/5"))
        drawn = console.draw()
        assert "Epoch 1/2" in drawn
        assert "Evaluating" not in drawn
    assert console._progress is None


def test_a_task_that_fails_leaves_no_bar():
    console = Terminal()
    with pytest.raises(KeyboardInterrupt), advancing(console, Task.READ, "Reading images", 4):
        raise KeyboardInterrupt
    assert console._progress is None


@pytest.mark.parametrize("is_terminal", [True, False])
def test_many_threads_may_report(monkeypatch, is_terminal):
    monkeypatch.setattr(console_module, "SECONDS_BETWEEN_LINES", 0.0)
    console, failures = Terminal(is_terminal=is_terminal), []

    def work(task: Task) -> None:
        try:
            for _ in range(20):
                with advancing(console, task, str(task), 2) as advance:
                    advance(1)
                    console.emit(Message(f"by {task}"))
                    advance(1)
        except Exception as error:  # noqa: BLE001  a thread's error fails no test by itself
            failures.append(error)

    threads = [threading.Thread(target=work, args=(task,)) for task in Task]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(console.text.count(f"by {task}") == 20 for task in Task)
    assert console._progress is None


def test_by_default_it_writes_to_standard_error(capsys):
    Console().emit(Message("news"))
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "news\n")
