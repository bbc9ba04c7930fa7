"""The next questions and the answers so far -> what the next ten answers are expected to bring, and whether to stop.

An answer puts right what is proposed wrongly, with the probability that it is wrong; and it teaches the head, whose
errors fall as a power of the number of labels (J. Hestness et al., arXiv:1712.00409, as in `learning_curve.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.array_types import Int64
from headstart.evaluation.learning_curve import USUAL_EXPONENT
from headstart.statistics import percent
from headstart.studio.answers import Answers
from headstart.studio.queue.items import BULK, CLUSTER, LABEL, NEXT, UNLABELLED, Expected, Item

HARDLY = 0.001  # share of the photos without labels that ten answers put right by teaching: less is not worth them
RARE = 1.0  # wrong labels among ten: fewer are not worth looking for


def expect(items: Sequence[Item], answers: Answers | None, waiting: Int64[np.ndarray, " m"]) -> Expected:
    """
    items: the next first.
    waiting: photos that wait for a label.
    """
    following = items[:NEXT]
    if not following:
        return Expected(0.0, True, {"code": "empty", "text": "There is nothing left to ask."})
    if any(item.kind == CLUSTER for item in following):
        text = "The first answers name clusters: each teaches the classifier a new kind of photo."
        return Expected(sum(item.gain for item in following), False, {"code": "clusters", "text": text})
    direct = sum(item.gain for item in following)
    if answers is None and any(item.kind == UNLABELLED for item in following):
        text = "Each answer gives a photo its label, and shows whether the run was right."
        return Expected(float(len(following)), False, {"code": "first_labels", "text": text})
    if answers is not None and len(waiting) and any(item.kind in (UNLABELLED, BULK) for item in following):
        return _while_labelling(direct, answers, waiting)
    stop = direct < RARE or not any(item.kind == LABEL or item.gain >= 1 for item in following)
    count, noun = max(1, round(direct)), "label" if round(direct) <= 1 else "labels"
    text = (
        "The labels that are left are probably right: you can stop."
        if stop
        else f"The next {len(following)} answers are expected to correct about {count:,} {noun}."
    )
    code = "labels_stop" if stop else "labels"
    return Expected(direct, stop, {"code": code, "answers": len(following), "gain": direct, "text": text})


def _while_labelling(direct: float, answers: Answers, waiting: np.ndarray) -> Expected:
    known = waiting[answers.is_answered[waiting]]
    wrong = float((1 - answers.confidence[known]).sum())
    labelled = max(int((answers.labels >= 0).sum()), 1)
    taught = wrong * (1 - (labelled / (labelled + NEXT)) ** USUAL_EXPONENT)
    stop = taught < HARDLY * len(waiting)
    share = percent(1 - wrong / max(len(known), 1))
    now = f"Of the {len(waiting):,} photos without a label about {share} would be labelled rightly as proposed"
    text = (
        f"{now}; further answers would hardly change that: take the proposals in bulk."
        if stop
        else f"{now}; the next {NEXT} answers are expected to put about {max(1, round(direct + taught)):,} more right."
    )
    reason = {
        "code": "proposals_stop" if stop else "proposals", "waiting": len(waiting), "wrong": wrong,
        "gain": direct + taught, "text": text,
    }  # fmt: skip
    return Expected(direct + taught, stop, reason)
