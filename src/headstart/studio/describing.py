"""A collection -> what the page is told of it, as JSON. Knows no HTTP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.data.splits import SPLITS
from headstart.inspection.findings import KINDS
from headstart.studio.catalogue import UNREADABLE
from headstart.studio.columns import NO_LABEL
from headstart.studio.labelling import step_json

if TYPE_CHECKING:
    from headstart.studio.collection import Collection

SHOWN_UNREADABLE = 100


def collection_json(collection: Collection) -> dict[str, Any]:
    columns, analysis = collection.columns, collection.analysis
    return {
        "path": str(collection.path),
        "name": collection.path.resolve().name,
        "generation": collection.generation,
        "photos": int(columns.present.sum()),
        "classes": columns.class_sizes(),
        "unlabelled": int(columns.unlabelled.sum()),
        "excluded": int((columns.excluded & columns.present).sum()),
        "unreadable": _unreadable(collection),
        "unreadable_count": int((columns.unreadable & columns.present).sum()),
        "splits": columns.split_sizes(),
        "layout": collection.catalogue.layout,
        "notes": list(collection.catalogue.notes),
        "reading": collection.reading,
        "labels": labels_json(collection),
        "features": analysis.progress,
        "computing": analysis.computing,
        "findings": findings(collection),
        "problem": analysis.known.problem,
        "settings": collection.source.settings(),
        "journal": str(collection.journal.file),
    }


def labels_json(collection: Collection) -> dict[str, Any]:
    columns, labels = collection.columns, collection.labels
    return {
        "step": labels.step,
        "state": collection.labels_state,
        "changed": int(columns.changed.sum()),
        "undo": step_json(labels.done[-1] if labels.done else None),
        "redo": step_json(labels.undone[-1] if labels.undone else None),
        "classes": columns.class_sizes(),
        "unlabelled": int(columns.unlabelled.sum()),
        "excluded": int((columns.excluded & columns.present).sum()),
    }


def findings(collection: Collection) -> list[dict[str, Any]]:
    """kind, title, text, photos: of what was found in the photos."""
    return [
        {"kind": kind, "title": kind, "text": KINDS[kind], "photos": len(photos)}
        for kind, photos in collection.analysis.known.flags.items()
    ]


def details(collection: Collection, rows: Sequence[int]) -> list[dict[str, Any]]:
    columns, known, numbers = collection.columns, collection.analysis.known, collection.catalogue.numbers
    names = (*columns.classes, None)  # the last one for NO_LABEL
    answers = known.answers
    novelty = known.neighbourhood.novelty if known.neighbourhood else None
    about = {kind: set(photos.tolist()) for kind, photos in known.flags.items()}
    found = []
    for row in rows:
        detail: dict[str, Any] = {
            "id": row,
            "path": columns.names[row],
            "label": names[columns.label[row]],
            "was": names[columns.own[row]],
            "split": (*SPLITS, None)[columns.split[row]],
            **{name: int(numbers[name][row]) for name in ("width", "height", "bytes")},
            **dict.fromkeys(("answer", "confidence", "second", "right", "doubt")),
            "novelty": number(novelty[row]) if novelty is not None and row < len(novelty) else None,
            "findings": [kind for kind, photos in about.items() if row in photos],
            "excluded": bool(columns.excluded[row]),
            "changed": bool(columns.changed[row]),
            "reason": collection.catalogue.reasons.get(row),
        }
        if answers is not None and row < len(answers) and answers.answer[row] != NO_LABEL:
            detail |= {
                "answer": answers.class_names[answers.answer[row]],
                "confidence": number(answers.confidence[row]),
                "second": answers.class_names[answers.second[row]],
                "right": bool(answers.right[row]) if answers.counted[row] else None,
                "doubt": number(answers.doubt[row]),
            }
        found.append(detail)
    return found


def number(value: float | np.floating) -> float | None:
    """JSON has no NaN."""
    return round(float(value), 4) if math.isfinite(value) else None


def _unreadable(collection: Collection) -> list[dict[str, str]]:
    catalogue = collection.catalogue
    rows = sorted(row for row in list(catalogue.reasons) if catalogue.numbers["state"][row] == UNREADABLE)
    return [{"path": catalogue.entries[row].name, "reason": catalogue.reasons[row]} for row in rows[:SHOWN_UNREADABLE]]
