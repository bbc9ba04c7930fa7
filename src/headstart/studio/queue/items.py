"""Item: one question of the queue; and Queue, the questions in order, with what the next answers are expected to bring.
Knows only numbers and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LABEL, COPIES, BORDER, NOVEL, CLUSTER, UNLABELLED, BULK = (
    "label", "copies", "border", "novel", "cluster", "unlabelled", "bulk",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """
    key: the same for the same question, also in another process: the server keeps those that were answered.
    photos: whom it is about. kind "cluster" and "bulk": many, to be confirmed together; else one, or copies.
    kind: label (probably wrong), copies (one photo under two labels), border (two classes as probable), novel (unlike
        all others), cluster (alike, without labels), unlabelled (one photo whose label teaches most), bulk (proposals
        that are probably right, the surest first).
    suggested: name of a class: "yes" labels the photos so; None: the user must choose (a cluster before any label).
        Where it is the label already ("border", "novel"), "yes" confirms.
    reason: code and numbers, for the page's own words, such as {"code": "doubtful", "label": "cats", "answer": "dogs",
        "probability": 0.97}; "text": the same in English.
    confidence: of the suggestion, 0 to 1; None where there is none.
    """

    key: str
    kind: str
    photos: tuple[int, ...]
    suggested: str | None
    reason: dict[str, Any]
    confidence: float | None = None

    def to_json(self) -> dict:
        """key, kind, ids, suggested, reason, text, confidence"""
        return {
            "key": self.key, "kind": self.kind, "ids": list(self.photos), "suggested": self.suggested,
            "reason": self.reason, "text": self.reason.get("text", ""), "confidence": self.confidence,
        }  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """gain: photos that the next ten answers are expected to put right. stop: whether it is time to stop. code and
    numbers, text: as in Item.reason."""

    gain: float
    stop: bool
    reason: dict[str, Any]

    def to_json(self) -> dict:
        """gain, stop, reason, text"""
        return {"gain": self.gain, "stop": self.stop, "reason": self.reason, "text": self.reason.get("text", "")}


@dataclass(frozen=True)
class Queue:
    """items: at most some hundreds, the next first. left: all questions, those that are not among the items too."""

    items: tuple[Item, ...]
    left: int
    expected: Expected
