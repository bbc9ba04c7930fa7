"""Answers, neighbours and copies -> which photos a finding is about: what the grid filters by. Knows no files.

Keys are those of `inspection.findings.KINDS`, so that what they mean stands there; findings about files (small, oblong,
wrong ending, ...) come from an inspection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from headstart.array_types import Int, Shaped
from headstart.inspection.duplicates import Pair
from headstart.inspection.findings import CONFLICT, DOUBT, KINDS, LEAK, NOVEL
from headstart.inspection.label_issues import find_label_issues
from headstart.studio.answers import Answers
from headstart.studio.neighbourhood import Neighbourhood


def flags(
    answers: Answers | None,
    neighbourhood: Neighbourhood | None,
    copies: Sequence[Pair] | None,
    labels: Int[np.ndarray, " n"],
    splits: Sequence[str] | Shaped[np.ndarray, " n"] | None = None,
    is_confirmed: Callable[[int], bool] = lambda photo: False,
) -> dict[str, Int[np.ndarray, " m"]]:
    """Kind -> the photos it is about, the surest first; kinds without photos are left out, the most important first.

    answers, neighbourhood, copies: None as long as they are not known. splits: of each photo ("" for none), for leaks.
    is_confirmed: whether the user has said that the label of a photo is right.
    """
    found: dict[str, list[int]] = defaultdict(list)
    if answers is not None:
        found[DOUBT] = [photo for photo in doubtful(answers).tolist() if not is_confirmed(photo)]
    if neighbourhood is not None:
        unlike = np.flatnonzero(neighbourhood.unlike_all)
        found[NOVEL] = unlike[np.argsort(-neighbourhood.novelty[unlike], kind="stable")].tolist()
    for pair in sorted(copies or (), key=lambda pair: -pair.similarity):
        photos = [pair.first, pair.second]
        kinds = [pair.kind]
        if labels[photos].min() >= 0 and labels[pair.first] != labels[pair.second]:
            kinds.append(CONFLICT)
        if (
            splits is not None
            and len({splits[photo] for photo in photos}) == 2
            and all(splits[photo] for photo in photos)
        ):
            kinds.append(LEAK)
        for kind in kinds:
            found[kind] += photos
    return {kind: np.array(list(dict.fromkeys(found[kind])), np.int64) for kind in KINDS if found[kind]}


def doubtful(answers: Answers) -> Int[np.ndarray, " m"]:
    """The photos whose labels are doubtful, the most doubtful first; see `inspection/label_issues.py`."""
    counted = np.flatnonzero(answers.counted)
    if not len(counted):
        return counted
    issues = find_label_issues(answers.probabilities[counted].astype(np.float64), answers.labels[counted])
    return counted[[issue.image for issue in issues]]
