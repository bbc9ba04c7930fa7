"""Notebook: what a kernel's front end is told to display and to change."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from headstart.errors import MissingExtraError
from headstart.events import Advanced, Message, Task, advancing
from headstart.listeners.notebook import SECONDS_BETWEEN_UPDATES, Notebook
from support.some_events import EVENTS


class Cell:
    """A notebook's output, put together as a front end does."""

    def __init__(self, publisher: CapturingDisplayPublisher) -> None:
        self._publisher = publisher

    @property
    def messages(self) -> list[tuple[bool, str]]:
        """Whether an output was changed, and its new text."""
        return [(output["update"], output["data"]["text/plain"]) for output in self._publisher.outputs]

    @property
    def texts(self) -> list[str]:
        shown: dict[str | int, str] = {}
        for number, output in enumerate(self._publisher.outputs):
            name = (output["transient"] or {}).get("display_id", number)
            assert output["update"] == (name in shown), "only what was displayed is changed"
            shown[name] = output["data"]["text/plain"]
        return list(shown.values())


@pytest.fixture
def cell(tmp_path: Path, monkeypatch) -> Iterator[Cell]:
    """IPython, running in this process, whose output is captured."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    hook = sys.displayhook, sys.excepthook
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.display_pub = CapturingDisplayPublisher()
    yield Cell(shell.display_pub)
    InteractiveShell.clear_instance()
    sys.displayhook, sys.excepthook = hook


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_each_event(cell):
    notebook = Notebook()
    for event in EVENTS:
        notebook.emit(event)
    assert cell.texts == [
        "\nTrain the head\n==============",
        "Reading images [#-----------------------------] 40 of 1,200, 58 s left loss 0.31",
        "Epoch 3/20: accuracy 0.9000, validation accuracy 0.9500, 4.2 s",
        "Solved head (C = 0.01): accuracy 0.9700, validation accuracy 0.9300, 7.5 s",
        "Found 3,000 files belonging to 2 classes.",
    ]
    assert not notebook.cancelled()


def test_a_task_is_one_line_that_changes_and_goes(cell, clock):
    notebook = Notebook()
    with advancing(notebook, Task.READ, "Reading images", 4) as advance:
        clock[0] += 1
        advance(1)
        notebook.emit(Message("Left out: one."))
        clock[0] += 1
        advance(1, "half")
        assert cell.texts == ["Reading images [###############---------------] 2 of 4, 2 s left half", "Left out: one."]
    assert cell.texts == ["", "Left out: one."]
    with advancing(notebook, Task.READ, "Again", 4):
        assert cell.texts == ["", "Left out: one.", "Again [" + "-" * 30 + "] 0 of 4"]
    assert cell.texts == ["", "Left out: one.", ""]


def test_a_task_that_fails_leaves_no_line(cell):
    with pytest.raises(ValueError, match="broken"), advancing(Notebook(), Task.READ, "Reading images", 4):
        raise ValueError("broken")
    assert cell.texts == [""]


def test_the_browser_is_not_flooded(cell, clock):
    with advancing(Notebook(), Task.READ, "Reading images", 1000) as advance:
        for _ in range(1000):
            clock[0] += SECONDS_BETWEEN_UPDATES / 100
            advance(1)
    assert 10 <= len(cell.messages) <= 13
    assert cell.messages[-1] == (True, "")


def test_more_steps_than_expected_do_not_break_the_line(cell):
    notebook = Notebook()
    notebook.emit(Advanced(Task.READ, "Reading images", 9, 4))
    notebook.emit(Advanced(Task.EPOCH, "Epoch 1/2", 0, 0))
    assert cell.texts == [f"Reading images [{'#' * 30}] 9 of 4", f"Epoch 1/2 [{'-' * 30}] 0 of 0"]


def test_outside_of_ipython_it_prints(capsys):
    assert not InteractiveShell.initialized()
    with advancing(Notebook(), Task.READ, "Reading images", 4) as advance:
        advance(4)
    assert "Reading images" in capsys.readouterr().out


def test_a_missing_ipython_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(MissingExtraError, match="pip install ipython"):
        Notebook()


def test_the_other_listeners_need_no_ipython():
    code = "import sys, headstart.listeners.console, headstart.listeners.json_lines, headstart.listeners.notebook\n"
    code += "print([name for name in ('IPython', 'rich.progress', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
