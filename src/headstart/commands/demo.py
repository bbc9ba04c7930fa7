"""`headstart demo`: the tutorial's story from end to end, on photos that it gets itself."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from headstart.commands.train import Run, make_run
from headstart.data.samples import SAMPLES
from headstart.data.splits import TEST
from headstart.data.tables import TABLE, read_listing
from headstart.errors import DatasetError, DownloadError
from headstart.events import Event, Listener, Message, Step, StepStarted
from headstart.listeners.console import Console
from headstart.training.recipes import Recipe

TUTORIALS, FALLBACK = "cats-and-dogs", "solar-cells"

# What a step is about, said under its title.
STORY = {
    Step.READ_DATA: "Every image is read once, to find those that cannot be used. Then some are held out: a\n"
    "classifier is worth what it does on images that it was not trained on.",
    Step.COMPOSE: "A network that has seen a million photos (ImageNet) knows edges, textures, eyes and wheels.\n"
    "It becomes the base; behind it comes a new head, with one number for each new class.",
    Step.TRAIN_HEAD: "The base stays as it is (frozen) and turns each image into features. Only the head learns.",
    Step.FINE_TUNE: "Now the top layers of the base are thawed and learn along, in small steps, so "
    "that what the base\nknows is adjusted to these images and not overwritten.",
    Step.EVALUATE: "Only the images that were held out judge it. The interval says how far chance alone may reach (95%).",
    Step.PREDICT: "The classifier answers for single images. The pictures show them, right and wrong.",
}


class Storyteller(Console):
    """A Console that explains each step."""

    def emit(self, event: Event) -> None:
        super().emit(event)
        if isinstance(event, StepStarted) and event.step in STORY:
            self.console.print(STORY[event.step], style="dim", markup=False, soft_wrap=True)


def sample_path(name: str) -> Path:
    """The path of a sample collection, "cats-and-dogs" or "solar-cells", for `load_dataset`; downloaded if need be.

    Raises:
        DatasetError: there is none of that name, or it cannot be had.
    """
    if name not in SAMPLES:
        raise DatasetError(f"There is no sample collection '{name}'. Choose one of: {', '.join(SAMPLES)}.")
    return SAMPLES[name].get()


def tell(
    out: Path,
    *,
    data: str | None,
    recipe: str | Recipe,
    images: int | None,
    seed: int,
    resume: bool,
    listener: Listener,
) -> tuple[Run, Path]:
    """Get a sample collection, make a run of it, and say what to do next.

    Args:
        data: "cats-and-dogs" or "solar-cells"; None: the first, or the second where the first cannot be reached.
        out, recipe, images, seed, resume, listener: see `make_run`.

    Returns:
        the run, and the path of the collection.
    """
    listener.emit(StepStarted(Step.GET_DATA, "Get the data"))
    try:
        name = data or TUTORIALS
        path = sample_path(name)
    except DownloadError as error:
        if data:
            raise
        listener.emit(Message(f"{error}: going on with --data {FALLBACK}."))
        name, path = FALLBACK, sample_path(FALLBACK)
    listener.emit(Message(f"{SAMPLES[name].title}\nTerms: {SAMPLES[name].terms}"))
    run = make_run(path, out, recipe=recipe, images=images, seed=seed, resume=resume, listener=listener)
    listener.emit(StepStarted(Step.SHOW_RESULTS, "Look at it"))
    for file in [*run.pictures, run.folder / "report.html"]:
        listener.emit(Message(f"  {file}"))
    listener.emit(StepStarted(Step.NEXT_STEPS, "Try next"))
    for command in next_commands(run, path):
        listener.emit(Message(f"  {command}"))
    return run, path


def next_commands(run: Run, data: Path) -> list[str]:
    """Three commands that work as they stand, but for the last one's folder of photos."""
    folder = shlex.quote(str(run.folder))
    rows = read_listing(run.folder / TABLE)
    photo = next((path for path, _, _, split in rows if split == TEST), rows[0][0])
    # `make demo` leaves the command in .venv, where a shell does not look for it
    program = "headstart" if shutil.which("headstart") else shlex.quote(os.path.relpath(sys.argv[0]))
    return [
        f"{program} predict {folder} {shlex.quote(str(photo))}",
        f"{program} evaluate {folder} {shlex.quote(str(data))}",
        f"{program} train FOLDER_OF_YOUR_PHOTOS --out runs/mine",
    ]
