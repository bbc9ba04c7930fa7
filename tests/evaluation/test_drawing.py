"""Pictures that another process draws."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.errors import RunError
from headstart.evaluation import drawing as module
from headstart.evaluation.drawing import drawing

PHOTOS = [np.full((40, 60, 3), shade, np.uint8) for shade in (0, 100, 200)]
NAMES = ["black", "grey", "white"]


def painter_id() -> int:
    return module._painter().submit(os.getpid).result()


def draw_two(folder) -> None:
    with drawing(folder) as draw:
        draw("samples", PHOTOS, NAMES)
        draw("augmentation", PHOTOS)


def draw_many(folder, happens: Callable[[], None]) -> None:
    """While something happens."""
    with drawing(folder) as draw:
        for _ in range(20):
            draw("samples", PHOTOS, NAMES)
        happens()
        draw("samples", PHOTOS, NAMES)


def check_two(folder) -> None:
    assert sorted(file.name for file in folder.iterdir()) == ["augmentation.png", "samples.png"]
    for file in folder.iterdir():
        with Image.open(file) as image:
            assert {0, 100, 200} <= set(np.unique(np.asarray(image.convert("L"))))


def test_another_process_draws_and_serves_again(tmp_path, monkeypatch):
    draw_two(tmp_path / "first")
    first = painter_id()
    monkeypatch.chdir(tmp_path)
    draw_two(Path("second"))
    assert painter_id() == first != os.getpid()
    for name in ("first", "second"):
        check_two(tmp_path / name)


def test_what_drawing_raises_is_raised(tmp_path):
    with pytest.raises(ValueError, match="longer than"), drawing(tmp_path / "plots") as draw:
        draw("predictions", PHOTOS, NAMES[:2], NAMES, [0.5, 0.6, 0.7])
    draw_two(tmp_path / "later")


def test_who_gives_up_finds_nothing_written_any_more(tmp_path):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_many(tmp_path / "plots", stop)
    shutil.rmtree(tmp_path / "plots")
    draw_two(tmp_path / "later")
    assert not (tmp_path / "plots").exists()


def test_a_process_that_is_killed_is_named_and_replaced(tmp_path):
    killed = painter_id()
    with pytest.raises(RunError, match="was killed, as happens when memory runs out"):
        draw_many(tmp_path / "plots", lambda: os.kill(killed, signal.SIGKILL))
    draw_two(tmp_path / "later")
    check_two(tmp_path / "later")
    assert painter_id() != killed


def test_without_semaphores_a_thread_draws(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(module, "get_reusable_executor", refuse)
    draw_two(tmp_path / "plots")
    check_two(tmp_path / "plots")
    assert painter_id() == os.getpid()
