"""Answers of the user to questions of the queue -> labels. Knows no HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headstart.studio.problems import RefusalError

if TYPE_CHECKING:
    from headstart.studio.collection import Collection
    from headstart.studio.queue.items import Item

YES, NO, SKIP = "yes", "no", "skip"


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


def answer(collection: Collection, key: str, given: str, label: str | None) -> None:
    """Do what the user said, and ask it no more.

    label: instead of the suggested one; with "no", what the photo is; without, its label is right as it is.

    Raises:
        RefusalError: there is no such question (any more), or a label has to be said.
        DatasetError: the label is no name for a class, or the journal cannot be written.
    """
    item = _item(collection, key)
    wanted = label or (item.suggested if given == YES else None)
    if given == YES and wanted is None:
        raise RefusalError("invalid-parameter", "This question has no suggestion: say the label.")
    step = None
    if given != SKIP:
        rows = [collection.row(photo) for photo in item.photos]
        step = collection.change(
            lambda labelling, columns: (
                labelling.confirm(columns, rows)
                if wanted is None
                else labelling.set(columns, rows, wanted) or labelling.confirm(columns, rows)
            )
        )
    collection.answered.add(item, step.id if step else 0)
    collection.publish("queue", left=queue_json(collection, 0)["left"])


def _item(collection: Collection, key: str) -> Item:
    queue = collection.analysis.known.queue
    asked = [*collection.answered.undone(collection.labels), *(queue.items if queue else ())]
    found = next((item for item in asked if item.key == key), None)
    if found is None:
        raise RefusalError("not-found", "This question is not asked any more. Load the queue again.")
    return found
