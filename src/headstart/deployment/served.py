"""Folders of runs -> the classifiers that are served, by name, opened anew when they are replaced. Knows no HTTP."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.deployment.problems import RefusedError
from headstart.deployment.runtime import Predictor
from headstart.errors import HeadstartError, ServiceError
from headstart.models.card import FILE, digest, read_card

METRICS = "metrics.json"


@dataclass(frozen=True, eq=False)
class Served:
    """A classifier that answers.

    digest: of its card, hexadecimal: where it is the same, so are the answers.
    description: what may be told of it: no path, and no version of any software.
    """

    name: str
    folder: Path
    predictor: Predictor
    digest: str
    description: dict

    @classmethod
    def open(cls, name: str, folder: Path) -> "Served":
        """Open the run, and let it answer once: afterwards nothing of it is read from the disk.

        Raises:
            RunError: there is none, or it is damaged.
        """
        found = digest(folder / FILE) if (folder / FILE).is_file() else ""
        card = read_card(folder)
        predictor = Predictor(folder)
        blank = np.full((1, predictor.image_size, predictor.image_size, 3), 128, np.uint8)
        for look in predictor.looks([blank]):
            answer = predictor.answers(look, predictor.certainty.answerer(predictor.class_names))
            predictor.explanation(answer[0], look.feature_maps[0])
        return cls(name, folder, predictor, found, {"model": name, "digest": found, **_description(predictor, card)})


@dataclass(frozen=True)
class Reload:
    """A run was replaced on the disk. problem: why the one before it goes on answering; None: the new one answers."""

    name: str
    problem: str | None


class Models:
    """The classifiers that are served."""

    def __init__(self, runs: Mapping[str, Path]) -> None:
        """runs: name -> folder; the first is the one that answers where none is named.

        Raises:
            RunError: one of them cannot be opened.
        """
        self._stamps = {name: _stamp(folder) for name, folder in runs.items()}
        self._served = {name: Served.open(name, folder) for name, folder in runs.items()}
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

        A run that is being copied does not fit its card until all of it is there: it is tried again each time.
        """
        for name, served in list(self._served.items()):
            stamp = _stamp(served.folder)
            if stamp == self._stamps[name] and name not in self._faults:
                continue
            try:
                if stamp is not None and digest(served.folder / FILE) != served.digest:
                    self._served[name] = Served.open(name, served.folder)
                    yield Reload(name, None)
                self._faults.pop(name, None)
                self._stamps[name] = stamp
            except (HeadstartError, OSError, ValueError) as error:
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
            name, folder = Path(argument).resolve().name, argument
        if not name or not folder:
            raise ServiceError(f"'{argument}' has no name or no folder; expected RUN or NAME=RUN.")
        if name in runs:
            raise ServiceError(f"Two runs have the name '{name}'. Give one another name: NAME=RUN.")
        runs[name] = Path(folder)
    return runs


def _stamp(folder: Path) -> tuple[int, int, int] | None:
    """Another one where the card of a run was replaced; None: it is not there."""
    try:
        found = (folder / FILE).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _description(predictor: Predictor, card: dict) -> dict:
    known = predictor.certainty
    return {
        "class_names": list(predictor.class_names),
        **{key: card[key] for key in ("image_size", "resizing", "backbone", "recipe")},
        "promises": {"accuracy": sorted(known.accuracy), "coverage": sorted(known.coverage)},
        "knows_what_is_familiar": predictor.familiar is not None,
        "metrics": _metrics(predictor.folder / METRICS),
    }


def _metrics(file: Path) -> dict:
    """Loss and accuracy on the held-out photos; none where there was only `Classifier.save`."""
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    splits = {split: found.get(split) for split in ("validation", "test")}
    return {
        split: {"loss": part["loss"], "accuracy": part["accuracy"]} if part else None for split, part in splits.items()
    }
