"""Two Answers for the same photos -> what has changed between them, in numbers and a sentence. Knows no journal."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.comparison import compare
from headstart.evaluation.label_change import LabelChange
from headstart.studio.answers import NO_LABEL, Answers


def change(before: Answers, after: Answers) -> LabelChange | None:
    """None where no photo was measured before and after with the same label. Of different numbers of photos, the first
    ones that both have are compared."""
    count = min(len(before), len(after))
    first, second = (_names(answers)[:count] for answers in (before, after))
    same = (first == second) & (first != "") & before.counted[:count] & after.counted[:count]
    if not same.any():
        return None
    groups = after.groups[:count][same]
    compared = compare(
        before.right[:count][same], after.right[:count][same], groups.tolist() if _has_copies(groups) else None
    )
    return LabelChange(int((first != second).sum()), compared)


def _names(answers: Answers) -> np.ndarray:
    return np.array([*answers.class_names, ""])[np.where(answers.labels < 0, NO_LABEL, answers.labels)]


def _has_copies(groups: np.ndarray) -> bool:
    return len(np.unique(groups)) < len(groups)
