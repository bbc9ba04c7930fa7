"""Pictures are drawn by a process beside this one: matplotlib takes seconds of one core, and a run leaves one idle."""

import atexit
import gc
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from loky import get_reusable_executor
from loky.process_executor import BrokenProcessPool

from headstart.errors import RunError

Draw = Callable[..., None]

IDLE = 60  # seconds after which the process ends; until then it serves other runs too


@contextmanager
def drawing(folder: Path) -> Iterator[Draw]:
    """draw("samples", images, names) writes samples.png into the folder, which is `plots.samples(images, names)`.

    It returns at once; at the end of the block all pictures are there.

    Raises:
        RunError: the process was killed.
    """
    folder = folder.absolute()  # the process stays in the folder where it was started
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
            "The process that draws the pictures was ended from outside, as happens when memory runs out. "
            "Close other programs, and try again."
        ) from broken
    finally:
        for picture in drawn:
            picture.cancel()
        wait(drawn)  # from here on nothing is written into the folder


def _painter() -> Executor:
    try:
        return get_reusable_executor(max_workers=1, timeout=IDLE, initializer=_begin)
    except (ImportError, NotImplementedError, OSError):  # some containers have no semaphores
        return ThreadPoolExecutor(1)


def _begin() -> None:
    """In the process that draws: interrupts are for the one that asks, which also waits for this one's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(gc.freeze)  # it ends sooner, without a last look at all objects


def _import() -> None:
    """What takes a second, while there is nothing to be drawn yet."""
    from headstart.evaluation import plots  # noqa: F401


def _draw(file: Path, *given: object) -> None:
    from headstart.evaluation import plots  # here, as the process that asks has no use for it

    plots.save(getattr(plots, file.stem)(*given), file)
