"""What was computed of a collection -> what the page is told: answers, map, the test set once it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.data.splits import SPLITS, TEST
from headstart.studio.columns import labels_of
from headstart.studio.problems import RefusalError

if TYPE_CHECKING:
    from headstart.studio.collection import Collection


def answers_json(collection: Collection) -> dict[str, Any] | None:
    """As GET /api/answers; None before there are any."""
    known, solver = collection.analysis.known, collection.analysis.solver
    if known.told is None or known.of is None:
        return None
    return known.told | {
        "labels_state": known.of.state,
        "stale": known.of.state != collection.labels_state,
        "change": known.change.to_json() if known.change else None,
        "seconds_expected": solver.seconds_expected if solver else None,
    }


def map_bytes(collection: Collection) -> bytes:
    """float32, x and y of each id in turn; NaN where there is no place yet."""
    places = np.full((len(collection.catalogue), 2), np.nan, "<f4")
    found = collection.analysis.known.map
    if found is not None:
        places[: len(found)] = found
    return places.tobytes()


def test_json(collection: Collection) -> dict[str, Any]:
    """How often the test set was opened, and how many photos are in it. trainings: they measure on it, too."""
    columns = collection.columns
    in_test = columns.usable & (columns.split == SPLITS.index(TEST))
    return {
        "openings": collection.journal.openings,
        "trainings": len(collection.runs.all()),
        "photos": int(in_test.sum()),
        "relabelled": int((in_test & columns.changed).sum()),
    }


def open_test(collection: Collection) -> dict[str, Any]:
    """Measure the last head on the sealed photos. It is counted: who opens often, and chooses, measures too well.

    Raises:
        RefusalError: nothing is answered yet.
        DatasetError: no photo of the test set has a label, or the opening cannot be noted.
    """
    analysis, columns = collection.analysis, collection.columns
    if analysis.solver is None or analysis.known.answers is None:
        raise RefusalError(
            "no-answers", "Nothing is answered yet. Wait for the features, and label some photos.", reason="no-answers"
        )
    labels, _ = labels_of(columns)
    count = len(analysis.known.answers)
    with analysis.solving:
        answers = analysis.solver.of_test(labels[:count], (columns.split == SPLITS.index(TEST))[:count])
    collection.journal.open_test(collection.labels_state)
    return answers.to_json() | test_json(collection)


def labels_diff(collection: Collection, first: int, second: int) -> dict[str, Any]:
    """What the labels after one step of the journal are better or worse for than those after another: heads are solved
    with either, and compared on the photos that have the same label in both.

    Raises:
        RefusalError: nothing is answered yet, or the states cannot be compared.
        DatasetError: there is no such step.
    """
    from headstart.studio.change import change

    analysis = collection.analysis
    if analysis.solver is None or analysis.known.answers is None:
        raise RefusalError(
            "no-answers", "Nothing is answered yet. Wait for the features, and label some photos.", reason="no-answers"
        )
    count, answers = len(analysis.known.answers), []
    for step in (first, second):
        columns = collection.columns_at(step)
        labels, class_names = labels_of(columns)
        held_out = (columns.split == SPLITS.index(TEST))[:count]
        with analysis.solving:
            answers.append(analysis.solver.answers(labels[:count], class_names, held_out=held_out))
    found = change(*answers)
    if found is None:
        raise RefusalError(
            "impossible",
            "Too few photos have the same label in both states to compare them.",
            reason="too-few-to-compare",
        )
    states = [each.accuracy.to_json() if each.accuracy else None for each in answers]
    return found.to_json() | {"changed": found.relabelled, "accuracy": {"a": states[0], "b": states[1]}}
