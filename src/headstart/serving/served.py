"""Folders of runs -> the classifiers that are served, by name, opened anew when they are replaced. Knows no HTTP."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.classifier.metadata import FILE, read_card
from headstart.classifier.predictor import Predictor
from headstart.errors import RunError, ServiceError
from headstart.serving.problems import RefusedError
from headstart.serving.training_images import TrainingImages
from headstart.storage.hashing import sha256_of_file

METRICS = "metrics.json"


@dataclass(frozen=True, eq=False)
class Served:
    """A classifier that answers.

    digest: of its card, hexadecimal: where it is the same, so are the answers.
    description: what may be told of it: no path, and no version of any software.
    training_images: those that may be shown; None: none.
    """

    name: str
    folder: Path
    predictor: Predictor
    digest: str
    description: dict
    training_images: TrainingImages | None

    @classmethod
    def open(cls, name: str, folder: Path, show_training_images: bool) -> "Served":
        """Open the run, and let it answer once: afterwards nothing of it is read from the disk.

        Raises:
            RunError: there is none, or it is damaged.
        """
        card = read_card(folder)
        found = sha256_of_file(folder / FILE)
        predictor = Predictor(folder)
        blank = np.full((1, predictor.image_size, predictor.image_size, 3), 128, np.uint8)
        for look in predictor.forward([blank]):
            answer = predictor.predictions(look, predictor.calibration.to_predictions(predictor.class_names))
            predictor.explanation(answer[0], look.feature_maps[0])
        description = {"model": name, "digest": found, **_description(predictor, card)}
        similar = TrainingImages(predictor) if show_training_images else None
        return cls(name, folder, predictor, found, description, similar)


@dataclass(frozen=True)
class Reload:
    """A run was replaced on the disk. problem: why the one before it goes on answering; None: the new one answers."""

    name: str
    problem: str | None


class Models:
    """The classifiers that are served."""

    def __init__(self, runs: Mapping[str, Path], *, show_training_images: bool = False) -> None:
        """runs: name -> folder; the first is the one that answers where none is named.

        Raises:
            RunError: one of them cannot be opened.
        """
        self._stamps = {name: _stamp(folder) for name, folder in runs.items()}
        self._show_training_images = show_training_images
        self._served = {name: Served.open(name, folder, show_training_images) for name, folder in runs.items()}
        self._faults: dict[str, str] = {}

    @property
    def names(self) -> list[str]:
        return list(self._served)

    def get(self, name: str) -> Served:
        """
        Raises:
            RefusedError: none has that name.
        """
        if name not in self._served:
            raise RefusedError(
                "unknown-model", f"There is no such model here. Choose one of: {', '.join(self._served)}."
            )
        return self._served[name]

    def refresh(self) -> Iterator[Reload]:
        """Open what was replaced since the last time. Who has the old one uses it to the end.

        A run that is being copied does not fit its card until all of it is there: it is tried again each time. Whatever
        is wrong with a new one, the one before it goes on answering.
        """
        for name, served in list(self._served.items()):
            stamp = _stamp(served.folder)
            if stamp == self._stamps[name] and name not in self._faults:
                continue
            try:
                if stamp:
                    self._served[name] = Served.open(name, served.folder, self._show_training_images)
                    yield Reload(name, None)
                self._faults.pop(name, None)
                self._stamps[name] = stamp
            except Exception as error:  # noqa: BLE001 - it is told
                if self._faults.get(name) != str(error):
                    self._faults[name] = str(error)
                    yield Reload(name, str(error))


def named_runs(arguments: Sequence[str]) -> dict[str, Path]:
    """RUN or NAME=RUN, as on the command line -> name -> folder. The name of a RUN is that of its folder.

    Raises:
        ServiceError: two have the same name, or one has none.
    """
    runs: dict[str, Path] = {}
    for argument in arguments:
        name, equals, folder = argument.partition("=")
        if not equals or Path(argument).is_dir():
            place = Path(argument).absolute()  # a link has a name of its own
            name, folder = place.resolve().name if place.name == ".." else place.name, argument
        if not name or not folder:
            raise ServiceError(f"'{argument}' has no name or no folder; expected RUN or NAME=RUN.")
        if not name.isprintable():
            raise ServiceError(f"{name!r} is no name for a model: expected printable text. Give it one: NAME=RUN.")
        if name in runs:
            raise ServiceError(f"Two runs have the name '{name}'. Give one another name: NAME=RUN.")
        runs[name] = Path(folder)
    return runs


def _stamp(folder: Path) -> tuple | None:
    """Another one where the card of a run, which names the rest by hashes, or its metrics were replaced; None: there is
    no card, as while a run is moved."""
    card, metrics = map(_stamp_of, (folder / FILE, folder / METRICS))
    return card and (card, metrics)


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _description(predictor: Predictor, card: dict) -> dict:
    known = predictor.calibration
    return {
        "class_names": list(predictor.class_names),
        **{key: card[key] for key in ("image_size", "resizing", "backbone", "recipe")},
        "promises": {"accuracy": sorted(known.accuracy), "coverage": sorted(known.coverage)},
        "knows_what_is_familiar": predictor.novelty_detector is not None,
        "metrics": _metrics(predictor.folder / METRICS),
    }


def _metrics(file: Path) -> dict:
    """Loss and accuracy on the held-out photos; none where there was only `Classifier.save`."""
    try:
        found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        splits = {split: found.get(split) for split in ("validation", "test")}
        return {
            split: {"loss": part["loss"], "accuracy": part["accuracy"]} if part else None
            for split, part in splits.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"'{file}' is damaged ({error!r}). Copy it again from where it was trained.") from None
