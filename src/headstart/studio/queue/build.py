"""Answers, neighbours and copies -> the Queue: what to look at next. Knows no HTTP and no journal of labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from headstart.array_types import Int
from headstart.data.answers_file import RunAnswer
from headstart.inspection.duplicates import Pair
from headstart.studio.answers import Answers
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.queue import doubts
from headstart.studio.queue.choosing import LEAST_COVERED
from headstart.studio.queue.expected import expect
from headstart.studio.queue.items import Item, Queue
from headstart.studio.queue.unlabelled import answered_by_a_run, questions


def build_queue(
    answers: Answers | None,
    photos: PhotoFeatures,
    neighbourhood: Neighbourhood | None,
    labels: Int[np.ndarray, " n"],
    class_names: Sequence[str],
    digests: Sequence[str],
    *,
    copies: Sequence[Pair] = (),
    answered: Collection[str] = (),
    excluded: Collection[int] = (),
    proposed: Mapping[int, RunAnswer] = MappingProxyType({}),
    limit: int = 200,
    seed: int = 0,
) -> Queue:
    """
    Args:
        answers: the last ones; None before there are any.
        neighbourhood: None as long as it is not known; it may be of the first photos only, before others were added.
        labels: as they are now, into class_names; below 0: none. Answers may be a label or two older.
        digests: of the photos: keys are made of them.
        copies: as far as they are known.
        answered: keys of questions that were answered, also with "no" or "skip": not asked again.
        excluded: photos that are to have no label.
        proposed: photo -> what a run answered for it, before it came into the collection.
        limit: of the items.
    """
    waits = (labels < 0) & photos.known
    waits[list(excluded)] = False
    waiting = np.flatnonzero(waits)
    fresh = answers if _is_about(answers, labels, class_names) else None

    def all_items() -> Iterator[Item]:
        about_labels = list(_about_labels(fresh, neighbourhood, labels, class_names, digests, copies))
        if (labels >= 0).sum() < LEAST_COVERED:  # a head of these labels knows less than the run
            yield from answered_by_a_run(proposed, waiting, digests)
        few = len(waiting) > (labels >= 0).sum()  # labels: the heads' doubts about them say little yet
        if few:
            yield from questions(fresh, photos, waiting, labels, digests, seed=seed)
        yield from about_labels
        if not few:
            yield from questions(fresh, photos, waiting, labels, digests, seed=seed)

    done = set(answered)
    items = [item for item in all_items() if item.key not in done]
    return Queue(tuple(items[:limit]), len(items), expect(items, fresh, waiting))


def _is_about(answers: Answers | None, labels: np.ndarray, class_names: Sequence[str]) -> bool:
    """Whether there are answers, for these photos and classes."""
    if answers is None or len(answers) != len(labels) or answers.class_names != tuple(class_names):
        return False
    return bool(answers.is_answered.any())


def _about_labels(
    answers: Answers | None,
    neighbourhood: Neighbourhood | None,
    labels: np.ndarray,
    class_names: Sequence[str],
    digests: Sequence[str],
    copies: Sequence[Pair],
) -> Iterator[Item]:
    seen: set[int] = set()
    for item in doubts.copies_with_two_labels(copies, labels, answers, class_names, digests):
        seen.update(item.photos)
        yield item
    if answers is not None:
        current = answers.labels == labels
        for item in doubts.doubtful_labels(answers, digests):
            if current[item.photos[0]] and not seen.intersection(item.photos):
                seen.update(item.photos)
                yield item
        for item in doubts.near_the_border(answers, digests, seen):
            if current[item.photos[0]]:
                seen.update(item.photos)
                yield item
    if neighbourhood is not None:
        yield from doubts.unlike_all_others(neighbourhood, labels, class_names, digests, seen)
