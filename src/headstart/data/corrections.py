"""The journal of a collection's corrected labels: one SQLite file, by digest of the photos. Nothing in it is changed.

In: steps of a user, each of which gives labels to some photos. Out: the label of each corrected photo, now and after
any step. Knows neither the photos nor their own labels, nor who calls it; where the file lies, `corrections_file.py` says.

    journal = Journal(file)                     # nothing is written before the first step
    journal.record([Correction(digest, "cats/7.jpg", was="cats", becomes="dogs")])
    journal.labels                              # {digest: "dogs"}
    journal.undo(); journal.redo()              # steps, too

Several threads and processes may use one file at once: steps are put one after the other, each whole or not at all,
and whoever reads sees whole steps. Who is killed leaves what was recorded before.
"""

import getpass
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headstart.data import journal_file
from headstart.data.class_names import checked_class_name
from headstart.errors import DatasetError

OWN = ""  # the collection's own label: the photo was never corrected, or that was undone
EXCLUDED = None  # the photo is left out
LABEL, EXCLUDE, NEW_CLASS, RENAME, MERGE, IMPORT = "label", "exclude", "new class", "rename", "merge", "import"
UNDO, REDO = "undo", "redo"


@dataclass(frozen=True)
class Correction:
    """A photo gets another label.

    digest: SHA-256 of its bytes, hexadecimal. path: its name in the collection, for who reads the journal.
    was: the label that the user saw; OWN for a photo that had none, EXCLUDED for one that was left out.
    becomes: a label, EXCLUDED, or OWN: what the collection says.
    """

    digest: str
    path: str
    was: str | None
    becomes: str | None


@dataclass(frozen=True)
class Step:
    """What a user did at once.

    id: 1, 2, 3, ... at: time, ISO 8601, UTC. by: the user's name. kind: LABEL, ..., UNDO, REDO.
    photos: how many it changes. into: the label that they get, or the class that is made or that others become; ""
        where there is no single one. classes: that are renamed or merged.
    of: the step that is undone or redone.
    """

    id: int
    at: str
    by: str
    kind: str
    photos: int
    into: str
    classes: tuple[str, ...] = ()
    of: int | None = None


@dataclass(frozen=True, eq=False)
class LabelState:
    """What all steps up to one amount to.

    step: the last one, 0 before the first. labels: digest -> label or EXCLUDED, of the corrected photos only.
    made: classes that were made, and may have no photo yet. done, undone: steps that can be undone and redone, the
    next one last.
    """

    step: int
    labels: Mapping[str, str | None]
    made: frozenset[str]
    done: tuple[Step, ...]
    undone: tuple[Step, ...]


class Journal:
    """The corrections of one collection. It remembers what it has read, so that reading on is quick.

    Raises, from each method:
        DatasetError: the file is none of a journal, is damaged, or cannot be read or written; the message says what to
            do.
    """

    def __init__(self, file: str | Path, *, by: str | None = None) -> None:
        """by: whose steps these are; by default the user of the computer."""

    @property
    def labels(self) -> Mapping[str, str | None]:
        """Digest -> label or EXCLUDED, of the corrected photos, as of the last step. Read anew where another process
        has written since; what was given before stays as it was."""

    def state(self, step: int | None = None) -> LabelState:
        """After the last step, or after an earlier one (0: before the first).

        Raises:
            DatasetError: there is no such step.
        """

    def record(
        self, changes: Iterable[Correction], *, kind: str = LABEL, into: str | None = None, classes: Sequence[str] = ()
    ) -> Step:
        """Append a step, and return when it is safely on the disk. No changes are a step as well: a new class.

        into, classes: see `Step`; by default the one label that all changes give.

        Raises:
            DatasetError: a label is no name for a class, see `checked_class_name`.
        """

    def new_class(self, name: str) -> Step:
        """A class without photos. (Photos that are given a label make its class as well.)"""

    def undo(self) -> Step | None:
        """Undo the last step that is not undone; None where there is none. Photos get what they had before it."""

    def redo(self) -> Step | None:
        """Redo the last step that was undone since the last other one; None where there is none."""

    def steps(self) -> list[Step]:
        """All of them, the first one first, undone ones and what undid them too."""

    def changes(self, step: int) -> list[Correction]:
        """Of one step; of UNDO and REDO what they changed."""
