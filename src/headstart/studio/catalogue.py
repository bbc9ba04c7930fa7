"""Catalogue: the photos of a collection in columns, with what was found in each file, kept in the cache.

A photo's id is its row. Rows are never taken away or exchanged while a collection is open, so that an id always means
the same photo: a file that is gone is marked, new ones are appended. What is kept on disk begins anew, in order of
names. A file is known by path, size and time of its last change; then its digest need not be computed again.
"""

import builtins
import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_types import Int, UInt8
from headstart.data.source import DataSource
from headstart.storage import cache
from headstart.storage.hashing import sha256

SCHEMA = 1
FILE = "catalogue.npz"
STUDIO = "studio"  # folder of the cache
UNKNOWN, READABLE, UNREADABLE, GONE = 0, 1, 2, 3  # states of a photo
# Numbers of each photo -> the type of the column. modified: nanoseconds. highest: value, of those with 16 bits a value.
NUMBERS = {
    "state": np.uint8, "bytes": np.int64, "modified": np.int64, "width": np.int32, "height": np.int32,
    "highest": np.uint16,
}  # fmt: skip


def folder_of(source: DataSource) -> Path:
    """Where the cache keeps what was found in a collection."""
    text = repr([os.path.realpath(source.local_path), sorted(source.settings().items())])
    return cache.cache_folder() / STUDIO / sha256(text.encode("utf-8", "surrogateescape"))[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed file. name: relative to the collection. label, split, group: None where the collection gives none."""

    path: str
    name: str
    label: str | None
    split: str | None
    group: str | None = None


@dataclass(eq=False)
class Catalogue:
    """The photos of one collection.

    entries: one a photo. digests: SHA-256, all 0 until the file was read. numbers: a column for each of NUMBERS.
    reasons: why a file cannot be read, by row. layout: what was understood, a sentence without a full stop. notes: what
    was left out, in sentences.
    """

    entries: list[Entry]
    digests: UInt8[np.ndarray, "n 32"]
    numbers: dict[str, Int[np.ndarray, " n"]]
    reasons: dict[int, str]
    layout: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, entries: Sequence[Entry], layout: str, notes: Sequence[str]) -> "Catalogue":
        """Of files of which only the names are known."""
        count = len(entries)
        numbers = {name: np.zeros(count, kind) for name, kind in NUMBERS.items()}
        return cls(list(entries), np.zeros((count, 32), np.uint8), numbers, {}, layout, tuple(notes))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def is_present(self) -> np.ndarray:
        """bool (n,)"""
        return self.numbers["state"] != GONE

    def digest(self, row: int) -> str:
        """Hexadecimal; "" where the file was not read yet."""
        return self.digests[row].tobytes().hex() if self.digests[row].any() else ""

    def describe(self, row: int, facts: "Facts | str") -> None:
        """Note what was found in a file, or why it cannot be read."""
        if isinstance(facts, str):
            self.reasons[row] = facts
            self.numbers["state"][row] = UNREADABLE
            return
        self.reasons.pop(row, None)
        self.digests[row] = np.frombuffer(facts.digest, np.uint8)
        for name in ("bytes", "modified", "width", "height", "highest"):
            self.numbers[name][row] = getattr(facts, name)
        self.numbers["state"][row] = READABLE  # last: who sees this sees the rest

    def forget(self, row: int) -> None:
        """The file was changed: it is to be read again."""
        self.numbers["state"][row], self.digests[row] = UNKNOWN, 0
        self.reasons.pop(row, None)

    def extended(self, found: Sequence[tuple["Entry", "Facts"]]) -> "Catalogue":
        """This catalogue, and photos whose files were read."""
        others = Catalogue.of([entry for entry, _ in found], self.layout, self.notes)
        for row, (_, facts) in enumerate(found):
            others.describe(row, facts)
        return self._with(others)

    def _with(self, others: "Catalogue") -> "Catalogue":
        return Catalogue(
            self.entries + others.entries,
            np.concatenate([self.digests, others.digests]),
            {name: np.concatenate([self.numbers[name], others.numbers[name]]) for name in NUMBERS},
            self.reasons | {len(self) + row: reason for row, reason in others.reasons.items()},
            others.layout,
            others.notes,
        )

    def _taken(self, rows: Sequence[int]) -> "Catalogue":
        numbers = {name: column[list(rows)] for name, column in self.numbers.items()}
        reasons = {place: self.reasons[row] for place, row in enumerate(rows) if row in self.reasons}
        entries = [self.entries[row] for row in rows]
        return Catalogue(entries, self.digests[list(rows)], numbers, reasons, self.layout, self.notes)

    def updated(self, new: "Catalogue") -> tuple["Catalogue", bool]:
        """This catalogue after the collection was listed again, and whether anything is different.

        new: with the numbers `bytes` and `modified` of each file.
        """
        rows = {entry.path: row for row, entry in enumerate(self.entries)}
        added = [row for row, entry in enumerate(new.entries) if entry.path not in rows]
        merged = self._with(new._taken(added))
        found, is_new = {entry.path: row for row, entry in enumerate(new.entries)}, bool(added)
        for path, row in rows.items():
            is_new |= merged._look_again(row, new, found.get(path))
        return merged, is_new

    def _look_again(self, row: int, new: "Catalogue", other: int | None) -> bool:
        """Compare a photo with its row in a new listing. Returns whether it is different."""
        if other is None:
            was_there = self.numbers["state"][row] != GONE
            self.numbers["state"][row] = GONE
            return bool(was_there)
        same_file = all(self.numbers[name][row] == new.numbers[name][other] for name in ("bytes", "modified"))
        same_place = self.entries[row] == new.entries[other]
        self.entries[row] = new.entries[other]
        if self.numbers["state"][row] == GONE or not same_file:
            for name in ("bytes", "modified"):
                self.numbers[name][row] = new.numbers[name][other]
            self.forget(row)
            return True
        return not same_place

    def save(self, folder: Path) -> bool:
        """Whether it could be kept."""
        order = sorted(np.flatnonzero(self.is_present).tolist(), key=lambda row: self.entries[row].name)
        entries = [self.entries[row] for row in order]
        texts = {
            "layout": self.layout,
            "notes": self.notes,
            "reasons": {place: self.reasons[row] for place, row in enumerate(order) if row in self.reasons},
            **{
                name: [getattr(entry, name) for entry in entries]
                for name in ("path", "name", "label", "split", "group")
            },
        }
        text = np.frombuffer(json.dumps({"schema": SCHEMA, **texts}).encode(), np.uint8)
        columns = {name: column[order] for name, column in self.numbers.items()}
        with io.BytesIO() as file:
            arrays: dict[str, Any] = {"text": text, "digests": self.digests[order], **columns}
            np.savez(file, **arrays)
            return cache.store_file(folder / FILE, file.getvalue())

    @classmethod
    def load(cls, folder: Path) -> "Catalogue | None":
        """What was kept; None where there is nothing, or it is damaged or of another headstart."""
        try:
            with np.load(folder / FILE, allow_pickle=False) as file:
                texts = json.loads(file["text"].tobytes())
                if texts["schema"] != SCHEMA:
                    return None
                columns = zip(*(texts[name] for name in ("path", "name", "label", "split", "group")), strict=True)
                return cls(
                    [Entry(*values) for values in columns],
                    file["digests"],
                    {name: file[name].astype(kind) for name, kind in NUMBERS.items()},
                    {int(row): reason for row, reason in texts["reasons"].items()},
                    texts["layout"],
                    tuple(texts["notes"]),
                )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None


class Digests(Sequence[str]):
    """Those of all photos, made as they are asked for: of 100,000 a few are."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __len__(self) -> int:
        return len(self._catalogue)

    def __getitem__(self, row: Any) -> Any:
        return self._catalogue.digest(row)


@dataclass(frozen=True)
class Facts:
    """What was found in a file. digest: 32 bytes. bytes: of the file. thumbnail: WebP."""

    digest: builtins.bytes
    bytes: int
    modified: int
    width: int
    height: int
    highest: int
    thumbnail: builtins.bytes
