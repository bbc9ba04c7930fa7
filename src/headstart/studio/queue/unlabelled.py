"""Answers and directions -> questions about photos without labels. Knows no journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from headstart.array_types import Int64
from headstart.data.answers_file import RunAnswer
from headstart.statistics import percent
from headstart.studio.answers import Answers
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.queue.choosing import clusters, has_enough_labels, most_informative, proposals
from headstart.studio.queue.items import BULK, CLUSTER, UNLABELLED, Item, key_of

CLUSTERS = 20  # that are asked for at once
SHOWN = 24  # photos of a cluster, the most typical ones
INFORMATIVE = 40  # photos that are looked ahead; after each answer they are chosen anew
SURE = 0.95  # calibrated probability of what is proposed in bulk
IN_BULK = 60  # photos


def questions(
    answers: Answers | None,
    photos: PhotoFeatures,
    waiting: Int64[np.ndarray, " m"],
    labels: np.ndarray,
    digests: Sequence[str],
    *,
    seed: int,
) -> Iterator[Item]:
    """Clusters, until there are enough labels; then single photos that teach most; then what is surely known, in bulk.

    waiting: photos with features that wait for a label.
    """
    if not len(waiting):
        return
    labelled = np.flatnonzero((labels >= 0) & photos.known)
    if answers is None or not has_enough_labels(photos.directions, waiting, labels, seed=seed):
        yield from _clusters(answers, photos, waiting, labelled, digests, seed)
    if answers is None or not answers.is_answered.any():
        return
    yield from _informative(answers, photos, waiting, digests)
    yield from _bulk(answers, waiting, digests)


def answered_by_a_run(
    proposed: Mapping[int, RunAnswer], waiting: Int64[np.ndarray, " m"], digests: Sequence[str]
) -> Iterator[Item]:
    """Photos that a run has answered, as those of `headstart serve --keep-samples`: the least sure ones first."""
    asked = [photo for photo in map(int, waiting) if photo in proposed]
    for photo in sorted(asked, key=lambda photo: proposed[photo].probability):
        answer, probability, model = proposed[photo]
        text = f"The run '{model}' answered '{answer}' ({percent(probability)})."
        reason = {"code": "answered", "answer": answer, "model": model, "probability": probability, "text": text}
        key = key_of(UNLABELLED, digests, [photo], "answered", answer)
        yield Item(key, UNLABELLED, (photo,), answer, reason, probability, 1 - probability)


def _clusters(
    answers: Answers | None,
    photos: PhotoFeatures,
    waiting: np.ndarray,
    labelled: np.ndarray,
    digests: Sequence[str],
    seed: int,
) -> Iterator[Item]:
    for members in clusters(photos.directions, waiting, labelled, CLUSTERS, seed=seed):
        shown = tuple(map(int, members[:SHOWN]))
        suggested, confidence = _shared(answers, members[:SHOWN])
        text = f"{len(members):,} photos that look alike. What do they show?"
        reason = {"code": "cluster", "photos": len(members), "text": text}
        key = key_of(CLUSTER, digests, shown)
        yield Item(key, CLUSTER, shown, suggested, reason, confidence, float(len(shown)))


def _shared(answers: Answers | None, photos: np.ndarray) -> tuple[str | None, float | None]:
    """The class that photos have in common, if the head thinks so."""
    if answers is None or not answers.is_answered[photos].all():
        return None, None
    shares = answers.probabilities[photos].mean(axis=0)
    return answers.class_names[int(shares.argmax())], float(shares.max())


def _informative(
    answers: Answers, photos: PhotoFeatures, waiting: np.ndarray, digests: Sequence[str]
) -> Iterator[Item]:
    for photo in map(int, most_informative(answers, photos.directions, waiting, INFORMATIVE)):
        first, second = (answers.class_names[int(place[photo])] for place in (answers.answer, answers.second))
        confidence = float(answers.confidence[photo])
        text = f"'{first}' or '{second}'? Its label would teach most ('{first}': {percent(confidence)})."
        reason = {"code": "unsure", "answer": first, "second": second, "probability": confidence, "text": text}
        key = key_of(UNLABELLED, digests, [photo])
        yield Item(key, UNLABELLED, (photo,), first, reason, confidence, 1 - confidence)


def _bulk(answers: Answers, waiting: np.ndarray, digests: Sequence[str]) -> Iterator[Item]:
    for members in proposals(answers, waiting, SURE, IN_BULK):
        name = answers.class_names[int(answers.answer[members[0]])]
        least = float(answers.confidence[members].min())
        text = f"{len(members):,} photos that are probably '{name}' (at least {percent(least)} each)."
        reason = {"code": "bulk", "answer": name, "photos": len(members), "probability": least, "text": text}
        key = key_of(BULK, digests, map(int, members), name)
        yield Item(key, BULK, tuple(map(int, members)), name, reason, float(answers.confidence[members].mean()), 0.0)
