"""RUN.partial: what becomes of it when the work in it ends, in each way in which it can end. Nothing is trained."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.errors import CancelledError, RunError, RunInterruptedError
from headstart.events import check_cancelled
from headstart.listeners.quiet import Quiet
from headstart.runs.partial import CHECKPOINTS, SETTINGS, epochs_in, partial_of, partial_run

SETTINGS_OF_A_RUN = {"seed": 3, "data": "/photos", "phases": (1, 2)}


class Cancelling(Quiet):
    """Wants the work to stop."""

    def cancelled(self) -> bool:
        return True


def work(
    out: Path,
    *,
    epochs: int = 0,
    resume: bool = False,
    end: Callable[[], None] = lambda: None,
    settings: dict | None = None,
) -> None:
    with partial_run(out, settings or SETTINGS_OF_A_RUN, resume=resume, listener=Quiet()) as partial:
        (partial / "metrics.json").write_text("{}")
        for epoch in range(1, epochs + 1):
            (partial / CHECKPOINTS / f"epoch-{epoch:03}").mkdir(parents=True)
        end()


def interrupt() -> None:
    raise KeyboardInterrupt


def cancel() -> None:
    check_cancelled(Cancelling())


def test_a_complete_run_holds_neither_checkpoints_nor_settings(tmp_path):
    work(tmp_path / "run", epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["metrics.json"]


@pytest.mark.parametrize("stop", [interrupt, cancel])
def test_stopped_by_the_user_or_by_a_listener(tmp_path, stop):
    """Both keep what was finished, and say how to resume."""
    out = tmp_path / "run"
    with pytest.raises(RunInterruptedError, match=r"^Stopped\. No epoch was finished, so nothing was kept\.$"):
        work(out, end=stop)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RunInterruptedError, match=r"Kept in '.*run\.partial': 2 epochs\. Resume .* --resume\.$"):
        work(out, epochs=2, end=stop)
    assert epochs_in(partial_of(out)) == 2
    assert json.loads((partial_of(out) / SETTINGS).read_text())["seed"] == 3
    work(out, resume=True)
    assert out.is_dir()
    assert not partial_of(out).exists()


def test_other_errors_keep_epochs_too(tmp_path):
    def fail() -> None:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        work(tmp_path / "run", epochs=1, end=fail)
    assert epochs_in(tmp_path / "run.partial") == 1


def test_a_partial_run_is_resumed_only_on_request_and_with_the_same_settings(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(RunInterruptedError):
        work(out, epochs=1, end=interrupt)
    with pytest.raises(RunError, match=r"A partial run for .* \(1 epoch\)\. Resume it: add --resume\."):
        work(out)
    with pytest.raises(RunError, match=r"other settings: seed was 3, now 4\. Give the same settings"):
        work(out, resume=True, settings=SETTINGS_OF_A_RUN | {"seed": 4})
    (partial_of(out) / SETTINGS).write_text("{")
    with pytest.raises(RunError, match=r"cannot be resumed: its settings\.json is missing or damaged"):
        work(out, resume=True)


def test_nothing_to_resume_is_said_and_no_error(tmp_path, capsys):
    from headstart.listeners.console import Console

    with partial_run(tmp_path / "run", {}, resume=True, listener=Console()):
        pass
    assert f"There is no partial run for '{tmp_path / 'run'}'; a new one starts." in capsys.readouterr().err


def test_a_cancelled_run_ends_as_an_interrupted_one(tmp_path):
    """So that programs that cancel need to know one error only, and the message says what was kept."""
    with pytest.raises(RunInterruptedError) as caught:
        work(tmp_path / "run", end=cancel)
    assert not isinstance(caught.value, CancelledError)
