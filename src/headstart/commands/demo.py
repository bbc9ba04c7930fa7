"""`headstart demo`: the tutorial's story from end to end, on photos that it gets itself."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.commands.train import train
from headstart.errors import DatasetError, DownloadError
from headstart.runs.folder import Run, RunFolder
from headstart.runs.partial import partial_of

if TYPE_CHECKING:
    from headstart.events import Listener
    from headstart.training.recipes import Recipe

TUTORIALS, FALLBACK = "cats-and-dogs", "solar-cells"


@dataclass(frozen=True)
class Demo:
    """The run that the demo made. data: path of its collection. next_commands: for a shell, to try next."""

    run: Run
    data: Path
    next_commands: list[str]

    def to_json(self) -> dict:
        return self.run.to_json() | {"data": str(self.data), "next": self.next_commands}


def demo(
    out: str | Path = "runs/demo",
    *,
    data: str | None = None,
    recipe: str | Recipe = "fast",
    epochs: int | None = None,
    images: int | None = None,
    seed: int = 0,
    resume: bool = False,
    listener: Listener | None = None,
) -> Demo:
    """Get a sample collection, train a classifier on it, and say what to do next.

    Args:
        out: folder of the run. Where it exists and is not to be resumed, "-2" (or "-3", ...) is added to its name.
        data: "cats-and-dogs" (downloaded) or "solar-cells" (from the package elpv-dataset). None: the first, or the
            second where the first cannot be reached.
        recipe, epochs, images, seed, resume: see `headstart.commands.train`.
        listener: where to report to; by default a story on standard error.

    Raises:
        HeadstartError: with what is wrong and what to do.
    """
    from headstart.commands.storytelling import Storyteller
    from headstart.events import Message, Step, StepStarted

    listener = listener or Storyteller()
    out = Path(out) if resume else free_place(Path(out))
    listener.emit(StepStarted(Step.GET_DATA, "Get the data"))
    path = _get_data(data, listener)
    run = train(
        path, out, recipe=recipe, epochs=epochs, images=images, seed=seed, resume=resume, listener=listener
    )  # fmt: skip
    listener.emit(StepStarted(Step.SHOW_RESULTS, "Look at it"))
    for file in [*run.pictures, RunFolder(run.folder).report]:
        listener.emit(Message(f"  {file}"))
    listener.emit(StepStarted(Step.NEXT_STEPS, "Try next"))
    found = Demo(run, path, next_commands(run, path))
    for command in found.next_commands:
        listener.emit(Message(f"  {command}"))
    return found


def sample_path(name: str) -> Path:
    """The path of a sample collection, "cats-and-dogs" or "solar-cells", for `load_dataset`; downloaded if need be.

    Raises:
        DatasetError: there is none of that name, or it cannot be had.
    """
    from headstart.data.samples import SAMPLES

    if name not in SAMPLES:
        raise DatasetError(f"There is no sample collection '{name}'. Choose one of: {', '.join(SAMPLES)}.")
    return SAMPLES[name].get()


def next_commands(run: Run, data: Path) -> list[str]:
    """Commands that work as they stand, except for the folder of photos that one of them trains on."""
    folder = shlex.quote(str(run.folder))
    rows = RunFolder(run.folder).splits
    photo = next((row.path for row in rows if row.split == "test"), rows[0].path)
    # `make demo` leaves the command in .venv, where a shell does not look for it
    program = "headstart" if shutil.which("headstart") else shlex.quote(os.path.relpath(sys.argv[0]))
    return [
        f"{program} predict {folder} {shlex.quote(photo)}",
        f"{program} evaluate {folder} {shlex.quote(str(data))}",
        f"{program} train FOLDER_OF_YOUR_PHOTOS --out runs/mine",
        f"{program} studio {shlex.quote(str(data))}",
    ]


def free_place(out: Path) -> Path:
    """runs/demo, or where that exists runs/demo-2, ...: the demo can be run again."""
    names = (out if number == 1 else out.with_name(f"{out.name}-{number}") for number in range(1, 10_000))
    return next(name for name in names if not name.exists() and not partial_of(name).exists())


def _get_data(name: str | None, listener: Listener) -> Path:
    from headstart.data.samples import SAMPLES
    from headstart.events import Message

    chosen = name or TUTORIALS
    try:
        path = sample_path(chosen)
    except DownloadError as error:
        if name:  # what was asked for by name is not replaced by something else
            raise
        listener.emit(Message(f"{error}: continuing with --data {FALLBACK}."))
        chosen, path = FALLBACK, sample_path(FALLBACK)
    listener.emit(Message(f"{SAMPLES[chosen].title}\nTerms: {SAMPLES[chosen].terms}"))
    return path
