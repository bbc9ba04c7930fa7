"""RUN.partial: where a run is worked on before it is complete, and how it is gone on with after it was stopped.

It holds the settings that the run was started with, and the state of the training after each epoch. When all is done it
becomes RUN: that is complete or absent.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.events import Message
from headstart.errors import RunError, RunInterruptedError
from headstart.events import Listener

CHECKPOINTS, SETTINGS = "checkpoints", "settings.json"  # in RUN.partial only


@contextmanager
def partial_run(out: Path, settings: dict, *, resume: bool, listener: Listener) -> Iterator[Path]:
    """The folder RUN.partial to work in. On success it becomes RUN; otherwise it stays, if an epoch was finished."""
    if _is_taken(out):
        raise RunError(f"'{out}' exists already. Choose another folder with --out, or remove it first.")
    partial = out.with_name(out.name + ".partial")
    settings = json.loads(json.dumps(settings))  # as it will be read again: tuples become lists
    with _explained(out, partial):
        if partial.exists():
            _check_resumed(out, partial, settings, resume)
        else:
            if resume:
                listener.emit(Message(f"There is no partial_run run on its way to '{out}'; a new one begins."))
            partial.mkdir(parents=True)
            (partial / SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False), "utf-8")
        try:
            yield partial
        except BaseException:
            if not epochs_in(partial):
                shutil.rmtree(partial)  # nothing in it took long to make
            raise
        if _is_taken(out):
            raise RunError(
                f"'{out}' came into being while the run was made. Move it elsewhere; the finished run is in "
                f"'{partial}', and the same command with --resume puts it in its place."
            )
        if out.exists():
            out.rmdir()
        partial.rename(out)
        if (out / CHECKPOINTS).exists():  # not where all there was to do was to solve the head
            shutil.rmtree(out / CHECKPOINTS)  # only now: until here, the run could be gone on with
        (out / SETTINGS).unlink()


def _is_taken(out: Path) -> bool:
    """Whether there is something; an empty folder is free."""
    return out.exists() and not (out.is_dir() and not any(out.iterdir()))


@contextmanager
def _explained(out: Path, partial: Path) -> Iterator[None]:
    """What the disk refuses becomes one message; what was kept is said also when the user interrupts."""
    try:
        yield
    except KeyboardInterrupt:
        raise RunInterruptedError(f"Stopped.{_kept(out, partial)}") from None
    except OSError as error:
        raise RunError(
            f"'{out}' cannot be written: {error.strerror or error}. Check the free space and the rights of the "
            f"folder, or choose another one with --out.{_kept(out, partial)}"
        ) from error


def _kept(out: Path, partial: Path) -> str:
    epochs = epochs_in(partial)
    if not epochs:
        return " No epoch was finished, so nothing was kept."
    return f" Kept in '{partial}': {_counted(epochs)}. Go on with the same command, --out '{out}' and --resume."


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def epochs_in(partial: Path) -> int:
    """How many epochs are kept in a checkpoint."""
    return max((int(path.name.rpartition("-")[2]) for path in (partial / CHECKPOINTS).glob("epoch-*")), default=0)


def _check_resumed(out: Path, partial: Path, settings: dict, resume: bool) -> None:
    """Raise RunError unless the partial_run run may be gone on with."""
    if not resume:
        raise RunError(
            f"An partial_run run on its way to '{out}' lies in '{partial}' ({_counted(epochs_in(partial))}). "
            f"Go on with it: add --resume. Or remove that folder to start anew."
        )
    try:
        before = json.loads((partial / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        raise RunError(
            f"'{partial}' cannot be gone on with: its {SETTINGS} is missing or damaged. Remove it to start anew."
        ) from None
    changed = [
        f"{key} was {before.get(key)!r}, now {value!r}" for key, value in settings.items() if before.get(key) != value
    ]
    if changed:
        raise RunError(
            f"The partial_run run in '{partial}' was started with other settings: {'; '.join(changed)}. "
            f"Give the same ones to go on with it, or another --out."
        )
