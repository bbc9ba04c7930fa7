"""Two run folders -> are their answers to the same held-out images distinguishable? Runs no network.

Images are identified by the SHA-256 of their bytes, wherever they are.
"""

from pathlib import Path

import numpy as np

from headstart.data.splits import TEST, VALIDATION
from headstart.errors import RunError
from headstart.evaluation.comparison import Comparison, compare
from headstart.runs.folder import Answer, RunFolder


def compare_runs(first: Path, second: Path) -> tuple[Comparison, str]:
    """Compare two runs on the test images that both have, or else on the validation images.

    Returns:
        the comparison, and the split of the images.

    Raises:
        RunError: one of them is not a run, they have no such images in common, or their labels differ.
    """
    of_first, of_second = RunFolder(first).predictions, RunFolder(second).predictions
    for split in (TEST, VALIDATION):
        common = sorted(of_first[split].keys() & of_second[split].keys())
        if common:
            pairs = [(of_first[split][digest], of_second[split][digest]) for digest in common]
            _check_labels(pairs, first, second)
            correct = np.array([(one.is_correct, other.is_correct) for one, other in pairs])
            groups = RunFolder(first).groups or RunFolder(second).groups
            of_images = [groups.get(digest, digest) for digest in common] if groups else None
            return compare(correct[:, 0], correct[:, 1], of_images), split
    raise RunError(
        f"'{first}' and '{second}' have no test or validation image in common, so they cannot be compared. "
        f"Train both on the same photos with the same --seed."
    )


def _check_labels(pairs: list[tuple[Answer, Answer]], first: Path, second: Path) -> None:
    for one, other in pairs:
        if one.label != other.label:
            raise RunError(
                f"The labels of the runs differ: the same image is '{one.label}' in '{first}' and '{other.label}' in "
                f"'{second}'. Compare runs on the same labels."
            )
