"""A TrainingState on disk: written whole or not at all, found again by `--resume`. Knows nothing of what is trained.

Arrays are in NPZ without pickle, the rest in JSON.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from headstart.training.state import TrainingState

ARRAYS = ("weights", "optimizer", "best", "correct")


def save(folder: Path, state: TrainingState) -> None:
    """Write a state into folder/epoch-NNN, then remove the one before it."""
    temporary = folder / "writing"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    arrays = {f"{name}_{i:05}": value for name in ARRAYS for i, value in enumerate(getattr(state, name))}
    arrays["calibrated_losses"] = np.array(state.calibrated_losses, np.float64)
    arrays["depth_weight"] = np.array(state.depth_weight)
    np.savez(temporary / "arrays.npz", **arrays)  # type: ignore[arg-type]
    (temporary / "history.json").write_text(json.dumps(state.history), "utf-8")
    for file in temporary.iterdir():
        _sync(file)
    older = _complete(folder)
    temporary.rename(folder / f"epoch-{state.epoch:03}")
    for each in older:
        shutil.rmtree(each)


def _sync(file: Path) -> None:
    """Have the disk itself hold it before the state before it is removed: a power cut loses neither."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def exist(folder: Path) -> bool:
    """Whether there is a state that was written whole."""
    return bool(_complete(folder))


def latest(folder: Path) -> TrainingState | None:
    """The last state that was written whole; None where there is none."""
    complete = _complete(folder)
    if not complete:
        return None
    history = json.loads((complete[-1] / "history.json").read_text("utf-8"))
    with np.load(complete[-1] / "arrays.npz", allow_pickle=False) as arrays:
        names = sorted(arrays.files)
        found = {kind: tuple(arrays[name] for name in names if name.startswith(f"{kind}_")) for kind in ARRAYS}
        losses, depth_weight = tuple(arrays["calibrated_losses"].tolist()), float(arrays["depth_weight"])
    return TrainingState(tuple(history), losses, **found, depth_weight=depth_weight)


def restore_optimizer(optimizer: Any, state: TrainingState) -> None:
    """Give a freshly built Keras optimizer the variables that it had."""
    for variable, value in zip(optimizer.variables, state.optimizer, strict=True):
        variable.assign(value)


def _complete(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"), key=lambda path: int(path.name.rpartition("-")[2]))
