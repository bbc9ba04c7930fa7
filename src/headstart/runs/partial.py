"""RUN.partial: where a run is made before it is complete, and how it is resumed after it was stopped.

It holds the settings that the run was started with, and the state of the training after each epoch. When everything is
done it becomes RUN, which is therefore complete or absent.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.data.own_output import PARTIAL
from headstart.errors import CancelledError, RunError, RunInterruptedError
from headstart.events import Listener, Message

CHECKPOINTS, SETTINGS, CHOSEN = "checkpoints", "settings.json", "backbone.json"  # in RUN.partial only
SHARES = "shares.sha256"  # the same: a digest of the labels, where they are probabilities


@contextmanager
def partial_run(out: Path, settings: dict, *, resume: bool, listener: Listener) -> Iterator[Path]:
    """The folder RUN.partial to work in. On success it becomes RUN; otherwise it stays, if an epoch was finished.

    Raises:
        RunError: RUN exists, a partial run exists and `resume` is False, or it was started with other settings; or the
            disk refuses.
        RunInterruptedError: the user interrupted the work, or a listener cancelled it.
    """
    if _is_taken(out):
        raise RunError(f"'{out}' exists already. Choose another folder with --out, or remove it first.")
    partial = partial_of(out)
    settings = json.loads(json.dumps(settings))  # as they will be read again: tuples become lists
    with _explained(out, partial):
        _begin(out, partial, settings, resume, listener)
        try:
            yield partial
        except BaseException:
            if not epochs_in(partial):
                shutil.rmtree(partial)  # nothing in it took long to make
            raise
        _complete(out, partial)


def partial_of(out: Path) -> Path:
    """Where the run on its way to `out` is made."""
    return out.with_name(out.name + PARTIAL)


def epochs_in(partial: Path) -> int:
    """How many epochs are kept in a checkpoint."""
    return max((int(path.name.rpartition("-")[2]) for path in (partial / CHECKPOINTS).glob("epoch-*")), default=0)


def _begin(out: Path, partial: Path, settings: dict, resume: bool, listener: Listener) -> None:
    if partial.exists():
        _check_resumed(out, partial, settings, resume)
        return
    if resume:
        listener.emit(Message(f"There is no partial run for '{out}'; a new one starts."))
    partial.mkdir(parents=True)
    (partial / SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False), "utf-8")


def _complete(out: Path, partial: Path) -> None:
    if _is_taken(out):
        raise RunError(
            f"'{out}' appeared while the run was being made. Move it elsewhere; the finished run is in '{partial}', "
            f"and the same command with --resume puts it in its place."
        )
    if out.exists():
        out.rmdir()
    partial.rename(out)
    if (out / CHECKPOINTS).exists():  # there are none where the head alone was solved
        shutil.rmtree(out / CHECKPOINTS)  # only now: until here, the run could be resumed
    (out / SETTINGS).unlink()
    (out / CHOSEN).unlink(missing_ok=True)
    (out / SHARES).unlink(missing_ok=True)


def _is_taken(out: Path) -> bool:
    """Whether there is something; an empty folder is free."""
    return out.exists() and not (out.is_dir() and not any(out.iterdir()))


@contextmanager
def _explained(out: Path, partial: Path) -> Iterator[None]:
    """A refusal of the disk becomes one message. What was kept is said, also after an interruption."""
    try:
        yield
    except (KeyboardInterrupt, CancelledError):
        raise RunInterruptedError(f"Stopped.{_kept(out, partial)}") from None
    except OSError as error:
        raise RunError(
            f"'{out}' cannot be written: {error.strerror or error}. Check the free space and the rights of the "
            f"folder, or choose another one with --out.{_kept(out, partial)}",
            reason="disk",
        ) from error


def _kept(out: Path, partial: Path) -> str:
    epochs = epochs_in(partial)
    if not epochs:
        return " No epoch was finished, so nothing was kept."
    return f" Kept in '{partial}': {_counted(epochs)}. Resume with the same command, --out '{out}' and --resume."


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _check_resumed(out: Path, partial: Path, settings: dict, resume: bool) -> None:
    """Raise RunError unless the partial run may be resumed."""
    if not resume:
        raise RunError(
            f"A partial run for '{out}' is in '{partial}' ({_counted(epochs_in(partial))}). "
            f"Resume it: add --resume. Or remove that folder to start again."
        )
    try:
        before = json.loads((partial / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        raise RunError(
            f"'{partial}' cannot be resumed: its {SETTINGS} is missing or damaged. Remove it to start again."
        ) from None
    changed = [
        f"{key} was {before.get(key)!r}, now {value!r}" for key, value in settings.items() if before.get(key) != value
    ]
    if changed:
        raise RunError(
            f"The partial run in '{partial}' was started with other settings: {'; '.join(changed)}. "
            f"Give the same settings to resume it, or another --out."
        )
