"""predictions.csv: how a run answered each held-out image, so that two runs can be compared without running them.

Images are known by the SHA-256 of their bytes, wherever they lie.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.data.dataset import Split
from headstart.data.splits import TEST, VALIDATION
from headstart.errors import RunError
from headstart.evaluation.comparison import Comparison, compare
from headstart.evaluation.metrics import Evaluation
from headstart.classifier.metadata import read_card

FILE = "predictions.csv"
COLUMNS = ("path", "split", "label", "answer", "probability", "hash")


@dataclass(frozen=True)
class Answer:
    label: str  # the right one
    answer: str

    @property
    def is_right(self) -> bool:
        return self.label == self.answer


def write_answers(folder: Path, splits: Mapping[str, Split], evaluations: Mapping[str, Evaluation]) -> None:
    """A line for each validation and test image; probability is calibrated, that of the answer."""
    with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name in (VALIDATION, TEST):
            if name not in evaluations:
                continue
            split, found = splits[name], evaluations[name]
            most = found.probabilities.max(axis=1)
            for i, predicted in enumerate(found.predicted):
                label, answer = split.class_names[split.labels[i]], found.class_names[predicted]
                writer.writerow((split.paths[i], name, label, answer, f"{most[i]:.6f}", split.digests[i]))


def read_answers(run: Path) -> dict[str, dict[str, Answer]]:
    """Split -> digest of an image -> its answer.

    Raises:
        RunError: the folder is no run, or has no predictions.csv that `write_answers` wrote.
    """
    read_card(run)
    found: dict[str, dict[str, Answer]] = {VALIDATION: {}, TEST: {}}
    try:
        with (run / FILE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["split"]][row["hash"]] = Answer(row["label"], row["answer"])
    except FileNotFoundError:
        raise RunError(
            f"'{run / FILE}' is missing: the run was made by an older headstart, or saved from Python. "
            f"Train it again with `headstart train`."
        ) from None
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(f"'{run / FILE}' is damaged ({error!r}). Copy the whole folder '{run}' again.") from None
    return found


def compare_runs(first: Path, second: Path) -> tuple[Comparison, str]:
    """Both on the test images that they have in common, or else on the validation images; and which these are.

    Raises:
        RunError: one of them is no run, or they have no such images in common, or labelled them differently.
    """
    of_first, of_second = read_answers(first), read_answers(second)
    for split in (TEST, VALIDATION):
        common = sorted(of_first[split].keys() & of_second[split].keys())
        if not common:
            continue
        pairs = [(of_first[split][digest], of_second[split][digest]) for digest in common]
        odd = next(((one, other) for one, other in pairs if one.label != other.label), None)
        if odd:
            raise RunError(
                f"The runs do not agree on what is right: the same image is '{odd[0].label}' in '{first}' and "
                f"'{odd[1].label}' in '{second}'. Compare runs on the same labels."
            )
        right = np.array([(one.is_right, other.is_right) for one, other in pairs])
        return compare(right[:, 0], right[:, 1]), split
    raise RunError(
        f"'{first}' and '{second}' have no test or validation image in common, so they cannot be compared. "
        f"Train both on the same photos with the same --seed."
    )
