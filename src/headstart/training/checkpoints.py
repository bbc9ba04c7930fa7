"""The state of a training after an epoch, on disk: written whole or not at all, found again by `--resume`.

Arrays are in NPZ without pickle, the rest in JSON. Knows nothing of what is trained.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ARRAYS = ("weights", "optimizer", "best", "right", "judged")


@dataclass(frozen=True)
class Checkpoint:
    """After as many epochs as `history` has rows."""

    history: list[dict]
    weights: list[np.ndarray]  # of the whole network
    optimizer: list[np.ndarray]
    # the weights that the phase would end with, where they are others than `weights`; else empty
    best: list[np.ndarray]
    # bool (n,) twice, where only the best epoch is kept: which validation images the head alone and that epoch know
    right: list[np.ndarray]
    judged: list[np.ndarray]  # float64 (), for each row of the history, see `Training`


def save(folder: Path, state: Checkpoint) -> None:
    """Write a state into folder/epoch-NNN, then remove the one before it."""
    temporary = folder / "writing"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    arrays = {f"{name}_{i:05}": value for name in ARRAYS for i, value in enumerate(getattr(state, name))}
    np.savez(temporary / "arrays.npz", **arrays)  # type: ignore[arg-type]
    (temporary / "history.json").write_text(json.dumps(state.history), "utf-8")
    for file in temporary.iterdir():
        _sync(file)
    older = _complete(folder)
    temporary.rename(folder / f"epoch-{len(state.history):03}")
    for each in older:
        shutil.rmtree(each)


def _sync(file: Path) -> None:
    """Have the disk itself hold it before the state before it is removed: a power cut loses neither."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def latest(folder: Path) -> Checkpoint | None:
    """The last state that was written whole; None where there is none."""
    complete = _complete(folder)
    if not complete:
        return None
    history = json.loads((complete[-1] / "history.json").read_text("utf-8"))
    with np.load(complete[-1] / "arrays.npz", allow_pickle=False) as arrays:
        names = sorted(arrays.files)
        lists = {kind: [arrays[name] for name in names if name.startswith(f"{kind}_")] for kind in ARRAYS}
    return Checkpoint(history, **lists)


def restore_optimizer(optimizer: Any, state: Checkpoint) -> None:
    """Give a freshly built Keras optimizer the variables that it had."""
    for variable, value in zip(optimizer.variables, state.optimizer, strict=True):
        variable.assign(value)


def _complete(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"), key=lambda path: int(path.name.rpartition("-")[2]))
