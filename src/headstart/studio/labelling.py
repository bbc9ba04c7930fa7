"""Corrections of labels: what a user does to photos, as steps of the collection's journal. Knows no HTTP.

The journal knows photos by digest: a photo that was not read yet is read before its label changes, and copies of one
file change together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from headstart.data.class_names import checked_class_name
from headstart.data.corrections import (
    CONFIRM,
    EXCLUDED,
    LABEL,
    MERGE,
    OWN,
    RENAME,
    Correction,
    Journal,
    LabelState,
    Step,
)
from headstart.data.label_state import differing, state_id
from headstart.errors import DatasetError
from headstart.studio.catalogue import READABLE, UNKNOWN, Catalogue
from headstart.studio.columns import NO_LABEL, Columns
from headstart.studio.problems import RefusalError

READ_AT_ONCE = 500  # photos that are read while a user waits for a label


class Labelling:
    """Of one catalogue. digest: gives that of a row, and reads its file for it."""

    def __init__(self, journal: Journal, catalogue: Catalogue, digest: Callable[[int], str]) -> None:
        self.journal, self.catalogue, self._digest = journal, catalogue, digest

    def corrected(self, state: LabelState) -> dict[int, str | None]:
        """Row -> label or EXCLUDED, of the photos that are read and corrected."""
        labels = {digest: label for digest, label in state.labels.items() if label != OWN}
        if not labels:
            return {}
        # as text of 32 bytes, of which NumPy leaves out zeros at the end: for all alike
        wanted = np.array([bytes.fromhex(digest) for digest in labels], "S32")
        digests = np.ascontiguousarray(self.catalogue.digests).view("S32")[:, 0]
        order = np.argsort(wanted)
        place = np.minimum(np.searchsorted(wanted[order], digests), len(wanted) - 1)
        found = (wanted[order][place] == digests) & (self.catalogue.numbers["state"] == READABLE)
        values = list(labels.values())
        return {int(row): values[order[place[row]]] for row in np.flatnonzero(found)}

    def state_id(self, state: LabelState, corrected: Mapping[int, str | None]) -> str:
        """The id of a state of labels."""
        rows = list(corrected)
        own = [self.catalogue.entries[row].label or "" for row in rows]
        return state_id(differing(state.labels, [self.catalogue.digest(row) for row in rows], own))

    def set(self, columns: Columns, rows: Sequence[int], label: str | None) -> Step | None:
        """Give photos a label, or take them out (EXCLUDED); None where all have it already.

        Raises:
            DatasetError: the label is no name for a class, or the journal cannot be written.
            RefusalError: none of the photos can be read.
        """
        label = EXCLUDED if label is None else checked_class_name(label)
        changes = self._changes(columns, rows, label)
        if not changes:
            return None
        return self.journal.record(changes, kind=LABEL, into=label or "")

    def confirm(self, columns: Columns, rows: Sequence[int]) -> Step | None:
        """Note that the labels of photos are right; of those that have one."""
        digests = {self._digest(row): row for row in rows if columns.label[row] != NO_LABEL}
        seen = [
            Correction(digest, columns.names[row], was=self._name(columns, row), becomes=self._name(columns, row))
            for digest, row in digests.items()
            if digest
        ]
        return self.journal.record(seen, kind=CONFIRM) if seen else None

    def new_class(self, columns: Columns, name: str) -> Step | None:
        """
        Raises:
            DatasetError: it is no name for a class, or there is one of this name.
        """
        self._check_new(columns, name)
        return self.journal.new_class(name)

    def rename(self, columns: Columns, name: str, new: str) -> Step | None:
        """
        Raises:
            DatasetError: there is no such class, or one of the new name.
        """
        self._check_new(columns, new)
        return self._all_become(columns, [name], new, RENAME)

    def merge(self, columns: Columns, names: Sequence[str], into: str) -> Step | None:
        """
        Raises:
            DatasetError: there is no such class.
        """
        return self._all_become(columns, names, into, MERGE)

    def _all_become(self, columns: Columns, names: Sequence[str], into: str, kind: str) -> Step | None:
        unknown = set(names) - set(columns.classes)
        if unknown:
            text = f"There is no class {', '.join(map(repr, sorted(unknown)))}. Load the page again."
            raise DatasetError(text, reason="no-such-class", label=", ".join(sorted(unknown)))
        numbers = [columns.classes.index(name) for name in names]
        rows = np.flatnonzero(columns.present & ~columns.unreadable & np.isin(columns.label, numbers))
        changes = self._changes(columns, rows.tolist(), into)
        return self.journal.record(changes, kind=kind, into=into, classes=tuple(names))

    def _changes(self, columns: Columns, rows: Iterable[int], label: str | None) -> list[Correction]:
        """For each of the photos that has another label now. Equal files change once."""
        rows = list(dict.fromkeys(rows))
        unknown = int((self.catalogue.numbers["state"][rows] == UNKNOWN).sum()) if rows else 0
        if unknown > READ_AT_ONCE:
            raise RefusalError(
                "busy",
                f"{unknown:,} of these photos are not read yet. Wait until all are, and try again.",
                reason="not-read-yet",
                count=unknown,
            )
        changes: dict[str, Correction] = {}
        unreadable = 0
        for row in rows:
            now = EXCLUDED if columns.excluded[row] else self._name(columns, row)
            if now == label:
                continue
            digest = self._digest(row)
            unreadable += not digest
            if digest:
                changes.setdefault(digest, Correction(digest, columns.names[row], was=now, becomes=label))
        if unreadable and not changes:
            raise RefusalError(
                "unreadable-image",
                "These photos cannot be read, so they cannot be labelled.",
                reason="unreadable-photos",
            )
        return list(changes.values())

    @staticmethod
    def _name(columns: Columns, row: int) -> str:
        number = columns.label[row]
        return OWN if number == NO_LABEL else columns.classes[number]

    @staticmethod
    def _check_new(columns: Columns, name: str) -> None:
        if name in {row["name"] for row in columns.class_sizes()}:
            text = f"There is a class '{name}' already. Choose another name, or merge the two."
            raise DatasetError(text, reason="class-exists", label=name)


def step_json(step: Step | None) -> dict[str, Any] | None:
    """What undoing or redoing a step would be about."""
    if step is None:
        return None
    return {"kind": step.kind, "photos": step.photos, "into": step.into, "classes": list(step.classes), "at": step.at}
