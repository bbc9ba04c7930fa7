"""What is made once for all workers of pytest-xdist: a folder that the first fills and the others wait for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    import headstart as hs


def shared_root(temporary: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a session have in common, and no other session."""
    own = temporary.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    root.mkdir(exist_ok=True)
    return root


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name, which `make` has filled in whichever worker came first.

    Where `make` fails, nothing is kept: the next worker that asks tries again, and fails in its own name.
    """
    root = shared_root(temporary)
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                folder.rename(root / f"{name}.failed-{os.getpid()}")
                raise
            done.touch()
    return folder


def finished(folder: Path) -> hs.Run:
    """The run that another worker may have made."""
    import headstart as hs  # not earlier: conftest.py has shapes checked first

    return hs.Run(folder, json.loads((folder / "metrics.json").read_text("utf-8")))
