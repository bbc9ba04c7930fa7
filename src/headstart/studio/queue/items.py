"""Item: one question of the queue; and Queue, the questions in order, with what the next answers are expected to bring.
Knows only numbers and words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.storage.hashing import sha256

LABEL, COPIES, BORDER, NOVEL = "label", "copies", "border", "novel"  # about photos that have labels
CLUSTER, UNLABELLED, BULK = "cluster", "unlabelled", "bulk"  # about photos that have none
NEXT = 10  # answers that the bar looks ahead


@dataclass(frozen=True)
class Item:
    """
    key: the same for the same question, also in another process: the server keeps those that were answered.
    photos: whom it is about. kind "cluster" and "bulk": many, to be confirmed together; else one, or two copies.
    kind: label (probably wrong), copies (one photo under two labels), border (two classes as probable), novel (unlike
        all others), cluster (alike, without labels), unlabelled (one photo whose label teaches most), bulk (proposals
        that are probably right, the surest first).
    suggested: name of a class: "yes" labels the photos so; where it is the label already ("border", "novel"), "yes"
        confirms it. None: the user must choose (a cluster, before any label).
    reason: a code and what belongs to it, for the page's own words, such as {"code": "doubtful", "label": "cats",
        "answer": "dogs", "probability": 0.97}; "text": the same in English.
    confidence: of the suggestion, 0 to 1; None where there is none.
    gain: photos that its answer is expected to put right.
    """

    key: str
    kind: str
    photos: tuple[int, ...]
    suggested: str | None
    reason: dict[str, Any]
    confidence: float | None = None
    gain: float = 0.0

    def to_json(self) -> dict:
        return {
            "key": self.key, "kind": self.kind, "ids": list(self.photos), "suggested": self.suggested,
            "reason": self.reason, "text": self.reason["text"], "confidence": self.confidence,
        }  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """gain: photos that the next ten answers are expected to put right. stop: whether further answers would hardly
    bring anything. reason: a code and numbers, and "text", as in Item."""

    gain: float
    stop: bool
    reason: dict[str, Any]

    def to_json(self) -> dict:
        return {"gain": self.gain, "stop": self.stop, "reason": self.reason, "text": self.reason["text"]}


@dataclass(frozen=True)
class Queue:
    """items: the next first, at most as many as were asked for. left: of all."""

    items: tuple[Item, ...]
    left: int
    expected: Expected

    def to_json(self) -> dict:
        """/api/queue"""
        return {
            "left": self.left, "expected": self.expected.to_json(), "items": [item.to_json() for item in self.items],
        }  # fmt: skip


def key_of(kind: str, digests: Sequence[str], photos: Iterable[int], *words: str) -> str:
    """Of a question about these photos: another where what is asked is another. digests: of all photos."""
    return f"{kind}-{sha256('/'.join((*(digests[photo] for photo in photos), *words)).encode())[:16]}"
