"""Two run folders -> which held-out photos only one of them answers right, also where labels changed between them.

Runs no network. Photos are identified by the SHA-256 of their bytes, wherever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.data.splits import TEST, VALIDATION
from headstart.errors import RunError
from headstart.evaluation.comparison import compare
from headstart.evaluation.label_change import LabelChange
from headstart.runs.folder import RunFolder


@dataclass(frozen=True)
class RunDifference:
    """Of the photos that both runs held out.

    split: where both have them, "test" or "validation". states: of the labels, see `state_id`.
    change: accuracies on the photos with the same label in both; how many have another one.
    both_right, only_first, only_second, neither: digests of the photos with the same label in both.
    """

    split: str
    states: tuple[str, str]
    change: LabelChange
    both_right: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    neither: tuple[str, ...]


def difference_of_runs(first: Path, second: Path) -> RunDifference:
    """
    Raises:
        RunError: one of them is not a run, or they have no held-out photo with the same label in common.
    """
    of_first, of_second = RunFolder(first).predictions, RunFolder(second).predictions
    for split in (TEST, VALIDATION):
        one, other = of_first[split], of_second[split]
        common = sorted(one.keys() & other.keys())
        same = [digest for digest in common if one[digest].label == other[digest].label]
        if same:
            return _difference(split, (first, second), same, len(common) - len(same))
    raise RunError(
        f"'{first}' and '{second}' have no test or validation image with the same label in common, so they cannot be "
        f"compared. Train both on the same photos with the same --seed."
    )


def _difference(split: str, runs: tuple[Path, Path], digests: list[str], relabelled: int) -> RunDifference:
    folders = [RunFolder(run) for run in runs]
    right = np.array([[folder.predictions[split][digest].is_correct for folder in folders] for digest in digests])
    groups = folders[0].groups or folders[1].groups
    of_photos = [groups.get(digest, digest) for digest in digests] if groups else None

    def those(first: bool, second: bool) -> tuple[str, ...]:
        return tuple(digests[i] for i in np.flatnonzero((right[:, 0] == first) & (right[:, 1] == second)))

    return RunDifference(
        split,
        (_state(folders[0]), _state(folders[1])),
        LabelChange(relabelled, compare(right[:, 0], right[:, 1], of_photos)),
        both_right=those(True, True),
        only_first=those(True, False),
        only_second=those(False, True),
        neither=those(False, False),
    )


def _state(run: RunFolder) -> str:
    """ "" also for runs of older headstarts."""
    return run.metrics.get("labels", {}).get("state", "")
