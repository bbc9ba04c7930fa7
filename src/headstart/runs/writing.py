"""Writes the tables of a run into its folder. Reading them back is in `folder.py`."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from headstart.data.dataset import Dataset, Split, Unreadable
from headstart.data.splits import TEST, VALIDATION
from headstart.data.tables import read_splits, write_splits
from headstart.errors import RunError
from headstart.evaluation.label_evaluation import LabelEvaluation
from headstart.evaluation.metrics import Evaluation
from headstart.runs.folder import HISTORY, PREDICTIONS, SPLITS, SUMMARY, UNREADABLE
from headstart.runs.partial import SHARES, epochs_in
from headstart.storage.hashing import sha256

PREDICTION_COLUMNS = ("path", "split", "label", "answer", "probability", "hash")


def keep_splits(partial: Path, dataset: Dataset) -> None:
    """Write splits.csv. Where a run is resumed, check instead that its images are still the same.

    Raises:
        RunError: they have changed.
    """
    table, shares = partial / SPLITS, partial / SHARES
    digest = _digest_of_shares(dataset)
    if not epochs_in(partial):
        write_splits(table, dataset.each_row())
        shares.write_text(digest, "utf-8")
    elif read_splits(table) != dataset.rows() or (shares.read_text("utf-8") if shares.exists() else "") != digest:
        raise RunError(
            f"The images or their labels have changed since the run in '{partial}' was started, so it cannot be "
            f"resumed. Start a new one with another --out."
        )


def _digest_of_shares(dataset: Dataset) -> str:
    """Of labels that are probabilities, of which splits.csv has the largest only; "" where none are."""
    if not dataset.train.is_soft:
        return ""
    return sha256(b"".join(split.truth.tobytes() for split in dataset.splits().values()))


def write_unreadable(folder: Path, unreadable: Sequence[Unreadable]) -> None:
    """unreadable.csv, if there is anything to write."""
    if unreadable:
        _write_table(folder / UNREADABLE, [asdict(each) for each in unreadable])


def write_history(folder: Path, rows: Sequence[dict]) -> None:
    """history.csv. rows: at least one, all with the same keys."""
    _write_table(folder / HISTORY, rows)


def write_summary(folder: Path, text: str) -> None:
    """summary.txt: every layer of the network."""
    (folder / SUMMARY).write_text(text + "\n", "utf-8")


def write_predictions(
    folder: Path, splits: Mapping[str, Split], evaluations: Mapping[str, Evaluation | LabelEvaluation]
) -> None:
    """predictions.csv: a line for each validation and test image. probability: of the answer, calibrated."""
    with (folder / PREDICTIONS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(PREDICTION_COLUMNS)
        for name in (VALIDATION, TEST):
            if name not in evaluations:
                continue
            split, found = splits[name], evaluations[name]
            columns = split.paths, split.texts, found.answers, found.confidence, split.digests
            for path, label, answer, confidence, digest in zip(*columns, strict=True):
                writer.writerow((path, name, label, answer, f"{confidence:.6f}", digest))


def _write_table(file: Path, rows: Sequence[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
