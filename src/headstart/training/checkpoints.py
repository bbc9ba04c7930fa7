"""The state of a training after an epoch, on disk: written whole or not at all, found again by `--resume`.

Arrays are in NPZ without pickle, the rest in JSON. Knows nothing of what is trained.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.models.keras_backend import keras


@dataclass(frozen=True)
class Checkpoint:
    """After as many epochs as `history` has rows."""

    history: list[dict]
    weights: list[np.ndarray]
    optimizer: list[np.ndarray]


def save(folder: Path, model: keras.Model, history: Sequence[dict]) -> None:
    """Write the state of a compiled model into folder/epoch-NNN, then remove the one before it."""
    temporary = folder / "writing"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    arrays = {f"weights_{i:05}": value for i, value in enumerate(model.get_weights())}
    arrays |= {f"optimizer_{i:05}": np.asarray(value) for i, value in enumerate(model.optimizer.variables)}
    np.savez(temporary / "arrays.npz", **arrays)  # type: ignore[arg-type]
    (temporary / "history.json").write_text(json.dumps(list(history)), "utf-8")
    for file in temporary.iterdir():
        _sync(file)
    older = _complete(folder)
    temporary.rename(folder / f"epoch-{len(history):03}")
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
        weights = [arrays[name] for name in names if name.startswith("weights_")]
        optimizer = [arrays[name] for name in names if name.startswith("optimizer_")]
    return Checkpoint(history, weights, optimizer)


def restore_optimizer(model: keras.Model, checkpoint: Checkpoint) -> None:
    """Give a freshly compiled model the optimizer state that it had."""
    for variable, value in zip(model.optimizer.variables, checkpoint.optimizer, strict=True):
        variable.assign(value)


def _complete(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"), key=lambda path: int(path.name.rpartition("-")[2]))
