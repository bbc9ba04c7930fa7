"""Answers of the user to questions of the queue -> labels. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headstart.studio.problems import RefusalError

if TYPE_CHECKING:
    from headstart.data.corrections import Step
    from headstart.studio.collection import Collection
    from headstart.studio.columns import Columns
    from headstart.studio.labelling import Labelling
    from headstart.studio.queue.items import Item

YES, NO, SKIP, EXCLUDE = "yes", "no", "skip", "exclude"


def queue_json(collection: Collection, limit: int) -> dict[str, Any]:
    """The next questions, without those that were answered since they were made; first those that are open again."""
    queue = collection.analysis.known.queue
    if queue is None:
        return {"left": None, "expected": None, "items": []}
    undone = collection.answered.undone(collection.labels)
    passed = {*collection.answered.keys(collection.labels), *(item.key for item in undone)}
    items = [*undone, *(item for item in queue.items if item.key not in passed)]
    return {
        "left": queue.left - (len(queue.items) - len(items)),
        "expected": queue.expected.to_json(),
        "items": [item.to_json() for item in items[:limit]],
    }


def answer(
    collection: Collection, key: str, given: str, label: str | None = None, ids: Sequence[int] | None = None
) -> None:
    """Do what the user said, and ask it no more; unless it is undone.

    label: instead of the suggested one; with "no", what the photo is; without, its label is right as it is.
    ids: which of the photos are meant, where some were left out.

    Raises:
        RefusalError: there is no such question (any more), it is not about these photos, or a label has to be said.
        DatasetError: the label is no name for a class, or the journal cannot be written.
    """
    item = _item(collection, key)
    wanted = label or (item.suggested if given == YES else None)
    if given == YES and wanted is None:
        raise RefusalError(
            "invalid-parameter", "This question has no suggestion: say the label.", reason="say-the-label"
        )
    step = None
    if given != SKIP:
        if not set(ids or ()) <= set(item.photos):
            raise RefusalError("invalid-parameter", "The question is not about all of these photos.")
        rows = [collection.row(photo) for photo in (item.photos if ids is None else ids)]

        def act(labelling: Labelling, columns: Columns) -> Step | None:
            if given == EXCLUDE:
                return labelling.set(columns, rows, None)
            done = labelling.set(columns, rows, wanted) if wanted is not None else None
            return done or labelling.confirm(columns, rows)

        step = collection.change(act)
    collection.answered.add(item, step.id if step else 0)
    collection.publish("queue", left=queue_json(collection, 0)["left"])


def _item(collection: Collection, key: str) -> Item:
    queue = collection.analysis.known.queue
    asked = [*collection.answered.undone(collection.labels), *(queue.items if queue else ())]
    found = next((item for item in asked if item.key == key), None)
    if found is None:
        raise RefusalError(
            "not-found", "This question is not asked any more. Load the queue again.", reason="not-asked"
        )
    return found
