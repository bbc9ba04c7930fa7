"""Answers, neighbours and copies -> questions about photos that have labels: are they right? Knows no journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from headstart.inspection.collection import ENOUGH_MIRRORED
from headstart.inspection.duplicates import Pair
from headstart.statistics import percent
from headstart.studio.answers import NO_LABEL, Answers
from headstart.studio.flags import doubtful
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.queue.items import BORDER, COPIES, LABEL, NOVEL, Item, key_of

NARROW = 0.1  # a margin below it is a border
MOST_CONFIRMED = 30  # questions of a kind that are asked to make sure: most of these labels are right


def doubtful_labels(answers: Answers, digests: Sequence[str]) -> Iterator[Item]:
    """The most doubtful first."""
    for photo in map(int, doubtful(answers)):
        label, other = _label_and_other(answers, photo)
        own, probability = (float(answers.probabilities[photo, place]) for place in (label, other))
        named = answers.class_names[label], answers.class_names[other]
        text = f"Labelled '{named[0]}', but '{named[1]}' is far more probable ({percent(probability)})."
        reason = {"code": "doubtful", "label": named[0], "answer": named[1], "probability": probability, "text": text}
        wrong = probability / max(probability + own, 1e-12)
        yield Item(key_of(LABEL, digests, [photo], *named), LABEL, (photo,), named[1], reason, probability, wrong)


def copies_with_two_labels(
    copies: Sequence[Pair], labels: np.ndarray, answers: Answers | None, names: Sequence[str], digests: Sequence[str]
) -> Iterator[Item]:
    """Suggests that label of the two which is more probable for both."""
    mirrored_differ = _differ_by_mirroring(copies, labels)
    for pair in copies:
        photos = pair.first, pair.second
        first, second = (int(labels[photo]) for photo in photos)
        if first == second or min(first, second) < 0 or (pair.mirrored and mirrored_differ):
            continue
        chosen, confidence = first, 0.5
        if answers is not None and answers.probabilities.shape[1] == len(names):
            shares = np.nan_to_num(answers.probabilities[list(photos)].mean(axis=0)[[first, second]], nan=0.5) + 1e-6
            chosen, confidence = (first, second)[int(shares.argmax())], float(shares.max() / shares.sum())
        named = names[first], names[second]
        text = f"The same photo under two labels, '{named[0]}' and '{named[1]}'."
        reason = {"code": "copies", "labels": list(named), "similarity": pair.similarity, "text": text}
        key = key_of(COPIES, digests, photos, *named)
        yield Item(key, COPIES, photos, names[chosen], reason, confidence, 1.0)


def near_the_border(answers: Answers, digests: Sequence[str], besides: set[int]) -> Iterator[Item]:
    """Labels between which and another class the heads cannot tell, the narrowest first."""
    apart = np.abs(np.where(answers.counted, answers.doubt, np.nan))
    narrow = np.flatnonzero(apart < NARROW)
    order = map(int, narrow[np.argsort(apart[narrow], kind="stable")])
    for photo in [photo for photo in order if photo not in besides][:MOST_CONFIRMED]:
        label, other = _label_and_other(answers, photo)
        named = answers.class_names[label], answers.class_names[other]
        own = float(answers.probabilities[photo, label])
        text = f"Between '{named[0]}' and '{named[1]}': both are as probable."
        reason = {"code": "border", "label": named[0], "answer": named[1], "probability": own, "text": text}
        yield Item(key_of(BORDER, digests, [photo], *named), BORDER, (photo,), named[0], reason, own, 0.1)


def unlike_all_others(
    neighbourhood: Neighbourhood, labels: np.ndarray, names: Sequence[str], digests: Sequence[str], besides: set[int]
) -> Iterator[Item]:
    """The most unusual first."""
    unlike = np.flatnonzero(neighbourhood.unlike_all)
    unlike = unlike[labels[unlike] != NO_LABEL]
    order = map(int, unlike[np.argsort(-neighbourhood.novelty[unlike], kind="stable")])
    for photo in [photo for photo in order if photo not in besides][:MOST_CONFIRMED]:
        name = names[int(labels[photo])]
        text = f"Unlike all other photos. Is it '{name}', and does it belong here?"
        reason = {"code": "novel", "label": name, "novelty": float(neighbourhood.novelty[photo]), "text": text}
        yield Item(key_of(NOVEL, digests, [photo], name), NOVEL, (photo,), name, reason, None, 0.1)


def _label_and_other(answers: Answers, photo: int) -> tuple[int, int]:
    """The label, and the most probable other class."""
    label, answer = int(answers.labels[photo]), int(answers.answer[photo])
    return label, answer if answer != label else int(answers.second[photo])


def _differ_by_mirroring(copies: Sequence[Pair], labels: np.ndarray) -> bool:
    """Whether mirrored copies are mostly of another class, as arrows to the left and to the right are."""
    across = Counter(bool(labels[pair.first] != labels[pair.second]) for pair in copies if pair.mirrored)
    return across[True] >= ENOUGH_MIRRORED and across[True] > across[False]
