"""Draws pictures in a second process: matplotlib takes seconds of one core, and training leaves one idle."""

import atexit
import gc
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from loky import get_reusable_executor
from loky.process_executor import BrokenProcessPool

from headstart.errors import RunError

Draw = Callable[..., None]

IDLE = 60  # seconds after which the process ends; until then it serves other runs as well


@contextmanager
def drawing(folder: Path) -> Iterator[Draw]:
    """A context manager that gives `draw`: draw("samples", images, names) writes `plots.samples(images, names)` to
    samples.png in the folder.

    It returns at once; at the end of the block all pictures are written.

    Raises:
        RunError: the process was killed.
    """
    folder = folder.absolute()  # the process keeps the working directory in which it was started
    folder.mkdir(exist_ok=True)
    painter = _painter()
    painter.submit(_import)
    drawn: list[Future] = []

    def draw(name: str, *given: object) -> None:
        drawn.append(painter.submit(_draw, folder / f"{name}.png", *given))

    try:
        yield draw
        for picture in drawn:
            picture.result()
    except BrokenProcessPool as broken:
        raise RunError(
            "The process that draws the pictures was killed, as happens when memory runs out. "
            "Close other programs and try again."
        ) from broken
    finally:
        for picture in drawn:
            picture.cancel()
        wait(drawn)  # from here on, nothing is written into the folder


def _painter() -> Executor:
    try:
        Path.cwd()  # a process starts in the working folder, which may have been removed meanwhile
        return get_reusable_executor(max_workers=1, timeout=IDLE, initializer=_begin)
    except (ImportError, NotImplementedError, OSError):  # some containers have no semaphores
        return ThreadPoolExecutor(1)


def _begin() -> None:
    """In the process that draws: leave interrupts to the other process, which also waits for the end of this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(gc.freeze)  # it ends sooner without a last garbage collection


def _import() -> None:
    """Import what takes a second while there is nothing to draw yet."""
    import_module("headstart.evaluation.plots")


def _draw(file: Path, *given: object) -> None:
    from headstart.evaluation import plots  # imported here: the other process does not need matplotlib

    plots.save(getattr(plots, file.stem)(*given), file)
