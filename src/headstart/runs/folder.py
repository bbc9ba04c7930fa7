"""What is in a run folder: the file names, and RunFolder, which reads them. Writes nothing.

The files of the classifier itself (classifier.json, model.keras, engine/, known.npy) belong to
`classifier/metadata.py`. A classifier that was saved from Python has only those.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from headstart.errors import RunError

if TYPE_CHECKING:
    from headstart.data.source import DataSource

CARD = "classifier.json"
METRICS, HISTORY, SPLITS, PREDICTIONS = "metrics.json", "history.csv", "splits.csv", "predictions.csv"
REPORT, SUMMARY, UNREADABLE = "report.html", "summary.txt", "unreadable.csv"
MODEL_CARD = "README.md"
PLOTS = "plots"  # a folder of PNG files


@dataclass(frozen=True)
class Run:
    """What a finished training left behind."""

    folder: Path
    metrics: dict  # the content of metrics.json

    @property
    def pictures(self) -> list[Path]:
        return RunFolder(self.folder).pictures

    def to_json(self) -> dict:
        return {"run": str(self.folder), "metrics": self.metrics}


class SplitRow(NamedTuple):
    """A line of splits.csv. digest: SHA-256 of the file's bytes, hexadecimal."""

    path: str
    label: str
    split: str
    digest: str


class Answer(NamedTuple):
    """A line of predictions.csv. label: the correct class. answer: the predicted one."""

    label: str
    answer: str

    @property
    def is_correct(self) -> bool:
        return self.label == self.answer


class HeldOut(NamedTuple):
    """A line of predictions.csv, as it is. probability: of the answer, calibrated, 0..1."""

    label: str
    answer: str
    probability: float


@dataclass(frozen=True)
class RunFolder:
    """Reads a run folder, each file when it is first asked for.

    Of a classifier that was saved from Python, `metrics`, `splits` and `history` are empty.

    Raises, from each property:
        RunError: the file is damaged or cannot be read.
    """

    path: Path

    @cached_property
    def card(self) -> dict:
        """The content of classifier.json.

        Raises:
            RunError: there is no run here, or its card is damaged.
        """
        from headstart.classifier.metadata import read_card

        return read_card(self.path)

    def as_trained(self, source: DataSource) -> DataSource:
        """Read so that its labels are such as those that the run was trained on."""
        from headstart.classifier.metadata import is_multi_label

        if is_multi_label(self.card):
            return replace(source, multi_label=True)
        has_parents = bool(self.card.get("certainty", {}).get("hierarchy"))
        return replace(source, hierarchy=True) if has_parents and source.class_level is None else source

    @cached_property
    def metrics(self) -> dict:
        """The content of metrics.json."""
        text = self._text(METRICS)
        if text is None:
            return {}
        try:
            found = json.loads(text)
        except ValueError as error:
            raise self._damaged(METRICS, error) from None
        if not isinstance(found, dict):
            raise self._damaged(METRICS, "expected a JSON object")
        return found

    @cached_property
    def splits(self) -> tuple[SplitRow, ...]:
        """What the run was trained on, and what was held out."""
        rows = self._rows(SPLITS, ("path", "label", "split", "hash"))
        return tuple(SplitRow(str(self.path / path), *rest) for path, *rest in rows)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Digest of an image -> its group; empty where images do not come in groups."""
        first = (self._text(SPLITS) or "").partition("\n")[0].strip().split(",")
        return dict(self._rows(SPLITS, ("hash", "group"))) if "group" in first else {}  # type: ignore[arg-type]

    @cached_property
    def history(self) -> tuple[dict[str, str], ...]:
        """A row for each epoch: phase, epoch, seconds, learning_rate, loss, accuracy, val_loss, val_accuracy."""
        columns = ("phase", "epoch", "seconds", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy")
        return tuple(dict(zip(columns, row, strict=True)) for row in self._rows(HISTORY, columns))

    @cached_property
    def predictions(self) -> dict[str, dict[str, Answer]]:
        """Split ("validation", "test") -> digest of an image -> its answer.

        Raises:
            RunError: there is no run here, or it keeps no predictions.
        """
        _ = self.card  # where there is no run at all, that is the message
        if not (self.path / PREDICTIONS).is_file():
            raise RunError(
                f"'{self.path / PREDICTIONS}' is missing: the run was made by an older headstart, or the "
                f"classifier was saved from Python. Train it again with `headstart train`."
            )
        found: dict[str, dict[str, Answer]] = {"validation": {}, "test": {}}
        for split, label, answer, digest in self._rows(PREDICTIONS, ("split", "label", "answer", "hash")):
            if split not in found:
                raise self._damaged(PREDICTIONS, f"the split {split!r}")
            found[split][digest] = Answer(label, answer)
        return found

    @cached_property
    def held_out(self) -> tuple[HeldOut, ...]:
        """The answers to all validation and test images; none where the run does not keep them."""
        try:
            rows = self._rows(PREDICTIONS, ("label", "answer", "probability"))
            return tuple(HeldOut(label, answer, float(probability)) for label, answer, probability in rows)
        except ValueError as error:
            raise self._damaged(PREDICTIONS, error) from None

    @property
    def pictures(self) -> list[Path]:
        return sorted((self.path / PLOTS).glob("*.png"))

    @property
    def report(self) -> Path:
        return self.path / REPORT

    def _text(self, name: str) -> str | None:
        """The content of a file; None where there is none."""
        try:
            return (self.path / name).read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise self._damaged(name, error) from None
        except OSError as error:
            raise RunError(
                f"'{self.path / name}' cannot be read: {error.strerror or error}. Check the rights of that file."
            ) from None

    def _rows(self, name: str, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
        """These columns of a table; no rows where there is no such file."""
        text = self._text(name)
        if text is None:
            return []
        try:
            found = [tuple(row[column] for column in columns) for row in csv.DictReader(text.splitlines(keepends=True))]
        except (KeyError, csv.Error) as error:
            raise self._damaged(name, repr(error)) from None
        if any(value is None for row in found for value in row):
            raise self._damaged(name, "a line is too short")
        return found

    def _damaged(self, name: str, reason: object) -> RunError:
        return RunError(f"'{self.path / name}' is damaged ({reason}). Copy the whole folder '{self.path}' again.")
