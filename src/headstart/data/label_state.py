"""Own labels and corrections -> the labels that count, and the id of that state. Reads no file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from headstart.storage.hashing import sha256

NO_LABEL = ""  # of a photo that the collection gives none


@dataclass(frozen=True)
class LabelSummary:
    """Which labels a collection was read with.

    state: see `state_id`. file: name of the file of corrections, "" where there is none. step: of its journal.
    changed: photos that have another label than the collection gives them. labelled: photos that the collection gives
    none, and that have one. excluded: photos that are left out. unlabelled: photos that have none, and are not used.
    """

    state: str = ""
    file: str = ""
    step: int = 0
    changed: int = 0
    labelled: int = 0
    excluded: int = 0
    unlabelled: int = 0

    @property
    def notes(self) -> list[str]:
        """What the user should know, in sentences without full stops."""
        found = [
            f"{count:,} {'photo is' if count == 1 else 'photos are'} {what}"
            for count, what in (
                (self.changed, "relabelled"),
                (self.labelled, "labelled"),
                (self.excluded, "left out"),
            )
            if count
        ]
        notes = [f"by '{self.file}', {_listed(found)} (labels {self.state})"] if found else []
        if self.unlabelled:
            notes.append(f"{self.unlabelled:,} photos without a label are left out")
        return notes

    def to_json(self) -> dict:
        return asdict(self)


OWN_LABELS = LabelSummary()  # those of the collection


def state_id(differing: Iterable[tuple[str, str | None]]) -> str:
    """The name of a state of labels: 12 hexadecimal digits, "" where nothing differs.

    differing: digest and label (None: excluded) of each photo whose label is not the collection's own; in any order,
        and any number of times.
    """
    pairs = sorted(set(differing), key=lambda pair: (pair[0], pair[1] is not None, pair[1] or ""))
    return sha256(json.dumps(pairs, ensure_ascii=False).encode())[:12] if pairs else ""


def differing(
    labels: Mapping[str, str | None], digests: Sequence[str], own: Sequence[str]
) -> set[tuple[str, str | None]]:
    """What `state_id` wants. labels: of the journal. digests, own: of the photos of the collection; "" for no label."""
    return {
        (digest, found)
        for digest, label in zip(digests, own, strict=True)
        if digest in labels and (found := labels[digest]) != label
    }


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
