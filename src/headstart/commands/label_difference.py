"""Two states of a collection's labels -> how much better heads answer with the one than with the other.

The features are the same, and kept, so that only heads are solved: by cross-validation, on the photos that are not held
out for the test, copies of a photo on one side. They are compared on the photos whose label is the same in both states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.array_types import Float32, Int
from headstart.data.assignment import draw_splits
from headstart.data.collection import Read, split_of
from headstart.data.corrections import Journal
from headstart.data.corrections_file import corrections_file
from headstart.data.folder import list_images
from headstart.data.label_state import differing, state_id
from headstart.data.loading import read_photos
from headstart.data.source import DataSource
from headstart.data.splits import TEST
from headstart.data.value_range import range_of
from headstart.errors import DatasetError
from headstart.evaluation.comparison import compare
from headstart.evaluation.label_change import LabelChange
from headstart.events import Listener
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.numerics import probabilities
from headstart.training.config import TrainingConfig

OWN_STATE, NOW = "own", "now"
LEAST_DIGITS = 4  # of the id of a state


@dataclass(frozen=True)
class State:
    """Labels of photos. step: of the journal. id: see `state_id`. labels: of each photo, "" where it has none."""

    step: int
    id: str
    labels: tuple[str, ...]


def difference_of_labels(
    source: DataSource, before: str | None, after: str | None, *, seed: int, device: str, listener: Listener
) -> tuple[State, State, LabelChange]:
    """See `commands.diff`."""
    file = corrections_file(source)
    if file is None or not file.exists():
        raise DatasetError(
            f"No label of '{source}' was corrected, so there are no two states to compare. Give two runs to compare "
            f"these, or correct some labels: headstart studio {source}"
        )
    photos, _ = read_photos(list_images(source, listener), listener)
    journal = Journal(file)
    first, second = (find_state(journal, photos, wanted) for wanted in (before or OWN_STATE, after or NOW))
    if first.labels == second.labels:
        raise DatasetError(
            f"The labels are the same in both states ({_named(first)} and {_named(second)}): choose others with "
            f"--from and --to; `headstart labels {source}` lists the steps."
        )
    return first, second, _measured(photos, first, second, seed=seed, device=device, listener=listener)


def find_state(journal: Journal, photos: Sequence[Read], wanted: str) -> State:
    """A state of the labels: "own", "now", the number of a step, or the id of a state, or its first digits (of several
    that begin so, the last one).

    Raises:
        DatasetError: there is none.
    """
    last = journal.state().step
    steps = {OWN_STATE: 0, NOW: last} | {str(step): step for step in range(last + 1)}
    if wanted in steps:
        return _state(journal, photos, steps[wanted])
    if len(wanted) >= LEAST_DIGITS:
        states = (_state(journal, photos, step) for step in range(last, -1, -1))
        if found := next((state for state in states if state.id.startswith(wanted.lower())), None):
            return found
    raise DatasetError(
        f"There is no state '{wanted}' of the labels. Expected {OWN_STATE}, {NOW}, a step (1 to {last}; "
        f"`headstart labels` lists them), or the id of a state as runs name it in their metrics.json."
    )


def _state(journal: Journal, photos: Sequence[Read], step: int) -> State:
    labels, own = journal.state(step).labels, [photo.item.label for photo in photos]
    digests = [photo.digest for photo in photos]
    found = tuple(labels.get(digest, label) or "" for digest, label in zip(digests, own, strict=True))
    return State(step, state_id(differing(labels, digests, own)), found)


def _named(state: State) -> str:
    return state.id or "the collection's own"


def _measured(
    photos: Sequence[Read], before: State, after: State, *, seed: int, device: str, listener: Listener
) -> LabelChange:
    states = list(zip(before.labels, after.labels, strict=True))
    used = [index for index, photo in enumerate(photos) if any(states[index]) or photo.item.label]
    read, labels = [photos[index] for index in used], np.array([states[index] for index in used])
    images = split_of([each.item for each in read], [each.digest for each in read], _names(read))
    values = range_of([each.highest for each in read if each.highest])
    config = TrainingConfig.of(seed=seed, device=device).for_values(values)
    extractor = FeatureExtractor(config.feature_spec, listener=listener, compute=config.compute)
    features = rows_of(extractor.features(images))
    copies = cached_duplicates(images, extractor, listener=listener).groups
    together = replace(images, copies=tuple(copies.tolist())).photos
    drawn = draw_splits([each.item for each in read], together.tolist(), seed)  # as `headstart train` does
    rows = np.flatnonzero([name != TEST and labels[i].any() for i, name in enumerate(drawn)])
    compact = Compact.of(features, extractor.spec.block_sizes, seed=seed)(features)[rows]
    labels, together = labels[rows], together[rows]
    answers = _answers(compact, labels, together, seed)
    same = (labels[:, 0] == labels[:, 1]) & (labels[:, 0] != "") & (answers != "").all(axis=1)
    if not same.any():
        raise DatasetError(
            "Too few photos have the same label in both states to compare them: at least two classes need some photos "
            "each. Compare states that are nearer to each other."
        )
    right = answers[same] == labels[same]
    groups = together[same].tolist()
    compared = compare(right[:, 0], right[:, 1], groups if len(set(groups)) < len(groups) else None)
    return LabelChange(sum(one != other for one, other in states), compared)


def _names(read: Sequence[Read]) -> tuple[str, ...]:
    return tuple(sorted({each.item.label for each in read}))


def _answers(
    features: Float32[np.ndarray, "n depth"], labels: np.ndarray, groups: Int[np.ndarray, " n"], seed: int
) -> np.ndarray:
    """The answer to each photo by a head that has seen neither it nor a copy of it, for each state of the labels; ""
    for none. The folds of both are the same. labels: str (n, states)."""
    answers = np.full(labels.shape, "", labels.dtype)
    one, other = labels[:, 0], labels[:, 1]  # strata are the same whichever of them is before
    strata = np.unique(np.where((one == "") | ((other != "") & (other < one)), other, one), return_inverse=True)[1]
    for train, held_out in linear_head.folds(strata, seed, groups):
        for state in range(labels.shape[1]):
            seen = train[labels[train, state] != ""]
            names, numbers = np.unique(labels[seen, state], return_inverse=True)
            if len(names) < 2:
                continue
            head = linear_head.solve([features[seen]], numbers, len(names), seed=seed, C=linear_head.DEFAULT_C)
            answers[held_out, state] = names[probabilities(head.logits(features[held_out])).argmax(axis=1)]
    return answers
