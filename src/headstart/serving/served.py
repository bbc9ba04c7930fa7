"""Run folders -> the models that are served, by name, opened again when they are replaced. Knows no HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.classifier.metadata import FILE, read_card
from headstart.classifier.predictor import Predictor
from headstart.errors import RunError, ServiceError
from headstart.runs.folder import METRICS, RunFolder
from headstart.serving.drift import DriftMonitor, monitor_of
from headstart.serving.problems import RefusedError
from headstart.serving.training_images import TrainingImages
from headstart.storage.hashing import sha256_of_file


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A classifier that answers requests.

    Attributes:
        digest: of its card, hexadecimal. While it is the same, so are the predictions.
        description: what clients may know of it: no path, and no version of any software.
        training_images: those that may be shown; None: none.
        monitor: of the photos that come; None where the run does not say how its held-out photos were answered, and
            where a photo may have several labels.
    """

    name: str
    folder: Path
    predictor: Predictor
    digest: str
    description: dict
    training_images: TrainingImages | None
    monitor: DriftMonitor | None

    @classmethod
    def open(cls, name: str, folder: Path, show_training_images: bool) -> "ServedModel":
        """Open the run, and let it explain one image: after that, nothing of it is read from disk.

        Raises:
            RunError: there is no run, or it is damaged.
        """
        card = read_card(folder)
        digest = sha256_of_file(folder / FILE)
        predictor = Predictor(folder)
        predictor.explain(np.full((predictor.image_size, predictor.image_size, 3), 128, np.uint8))
        description = {"model": name, "digest": digest, **_description(predictor, card)}
        similar = TrainingImages(predictor) if show_training_images else None
        monitor = None if predictor.is_multi_label else monitor_of(folder, predictor.class_names)
        return cls(name, folder, predictor, digest, description, similar, monitor)


@dataclass(frozen=True)
class Reload:
    """A run was replaced on disk. problem: why the previous one still answers; None: the new one answers."""

    name: str
    problem: str | None


class Models:
    """The models that are served."""

    def __init__(self, runs: Mapping[str, Path], *, show_training_images: bool = False) -> None:
        """
        Args:
            runs: name -> folder; the first answers where a request names none.

        Raises:
            RunError: one of them cannot be opened.
        """
        self._stamps = {name: _stamp(folder) for name, folder in runs.items()}
        self._show_training_images = show_training_images
        self._served = {name: ServedModel.open(name, folder, show_training_images) for name, folder in runs.items()}
        self._faults: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return list(self._served)

    def get(self, name: str) -> ServedModel:
        """The model of that name; the first one for "".

        Raises:
            RefusedError: there is none of that name.
        """
        name = name or next(iter(self._served))
        if name not in self._served:
            raise RefusedError(
                "unknown-model", f"There is no such model here. Choose one of: {', '.join(self._served)}."
            )
        return self._served[name]

    def refresh(self) -> Iterator[Reload]:
        """Open the runs that were replaced since the last call. Whoever holds the previous model can still use it.

        A run that is being copied does not match its card until it is complete, so it is tried again at each call.
        Whatever is wrong with a new run, the previous one continues to answer.
        """
        for name, served in list(self._served.items()):
            stamp = _stamp(served.folder)
            if stamp == self._stamps[name] and name not in self._faults:
                continue
            try:
                if stamp:
                    self._served[name] = ServedModel.open(name, served.folder, self._show_training_images)
                    yield Reload(name, None)
                self._faults.pop(name, None)
                self._stamps[name] = stamp
            except Exception as error:  # noqa: BLE001 - it is reported
                if self._faults.get(name) != str(error):
                    self._faults[name] = str(error)
                    yield Reload(name, str(error))


def named_runs(arguments: Sequence[str]) -> dict[str, Path]:
    """RUN or NAME=RUN, as on the command line -> name -> folder. A RUN without a name has that of its folder.

    Raises:
        ServiceError: two have the same name, or one has none.
    """
    runs: dict[str, Path] = {}
    for argument in arguments:
        name, equals, folder = argument.partition("=")
        if not equals or Path(argument).is_dir():
            path = Path(argument).absolute()  # a link keeps its own name
            name, folder = path.resolve().name if path.name == ".." else path.name, argument
        if not name or not folder:
            raise ServiceError(f"'{argument}' has no name or no folder; expected RUN or NAME=RUN.")
        if not name.isprintable():
            raise ServiceError(
                f"{name!r} cannot be the name of a model: expected printable text. Give it a name: NAME=RUN."
            )
        if name in runs:
            raise ServiceError(f"Two runs have the name '{name}'. Give one of them another name: NAME=RUN.")
        runs[name] = Path(folder)
    return runs


def _stamp(folder: Path) -> tuple | None:
    """Changes when the card of a run, which names the other files by hash, or its metrics are replaced.

    None: there is no card, as while a run is being moved.
    """
    card, metrics = map(_stamp_of_file, (folder / FILE, folder / METRICS))
    return card and (card, metrics)


def _stamp_of_file(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _description(predictor: Predictor, card: dict) -> dict:
    calibration = predictor.calibration
    return {
        "class_names": list(predictor.class_names),
        **{key: card[key] for key in ("image_size", "resizing", "value_range", "backbone", "recipe")},
        "promises": {
            "accuracy": sorted(calibration.accuracy),
            "coverage": sorted(calibration.coverage),
            "recall": calibration.promised_recall,
        },
        "knows_what_is_familiar": predictor.novelty_detector is not None,
        "knows_others": predictor.other_head is not None,
        "parents": calibration.hierarchy.names if calibration.hierarchy else [],
        "multi_label": predictor.is_multi_label,
        "metrics": _metrics(RunFolder(predictor.folder)),
    }


def _metrics(run: RunFolder) -> dict:
    """Loss and accuracy on the held-out photos; none for what `Classifier.save` wrote."""
    splits = {split: run.metrics.get(split) for split in ("validation", "test")}
    try:
        return {
            split: {"loss": part["loss"], "accuracy": part["accuracy"]} if part else None
            for split, part in splits.items()
        }
    except (KeyError, TypeError) as error:
        raise RunError(
            f"'{run.path / METRICS}' is damaged ({error!r}). Copy it again from where it was trained."
        ) from None
