"""Answers, neighbours and copies -> the Queue. Knows no HTTP and no journal of labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headstart.inspection.duplicates import Pair
from headstart.studio.answers import Answers
from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.queue.items import Queue


def build_queue(
    answers: Answers | None,
    photos: PhotoFeatures,
    neighbourhood: Neighbourhood | None,
    digests: Sequence[str],
    *,
    copies: Sequence[Pair] = (),
    answered: Collection[str] = (),
    unlabelled: Collection[int] | None = None,
    limit: int = 200,
    seed: int = 0,
) -> Queue:
    """
    Args:
        answers: the last ones; None before any label: clusters come first.
        digests: of the photos: keys are made of them.
        answered: keys of questions that were answered with "yes", "no" or "skip": not asked again.
        unlabelled: photos that wait for a label (not those that are excluded); by default those with NO_LABEL.
    """
    raise NotImplementedError
