"""The journal of a collection's corrected labels: one SQLite file, by digest of the photos. Nothing in it is changed.

In: steps of a user, each of which gives labels to some photos. Out: the label of each corrected photo, now and after
any step. Knows neither the photos nor their own labels, nor who calls it. Where the file lies: `corrections_file.py`.

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
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from headstart.data import journal_file
from headstart.data.class_names import checked_class_name
from headstart.errors import DatasetError

OWN = ""  # the collection's own label: the photo was never corrected, or that was undone
EXCLUDED = None  # the photo is left out
# Kinds of steps. CONFIRM: the user has seen that the label is right; it changes no label.
LABEL, CONFIRM, NEW_CLASS, RENAME, MERGE, IMPORT = "label", "confirm", "new class", "rename", "merge", "import"
UNDO, REDO = "undo", "redo"
OF_CLASSES = frozenset({NEW_CLASS, RENAME, MERGE})  # which are steps without any photo, too


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
    seen: digest -> label, where the user has said that it is right; the photo may have another one since.
    made: classes that were made, and may have no photo yet. done, undone: steps that can be undone and redone, the
    next one last.
    """

    step: int = 0
    labels: Mapping[str, str | None] = field(default_factory=dict)
    made: frozenset[str] = frozenset()
    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    seen: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def confirmed(self) -> frozenset[str]:
        """Digests of the photos whose labels are as the user has said that they are right."""
        return frozenset(digest for digest, label in self.seen.items() if self.labels.get(digest, OWN) == label)


NOTHING = LabelState()
_Made = tuple[Step, list[tuple[Correction, str | None]]]  # a new step, and what the journal said of each photo before


class Journal:
    """The corrections of one collection. It remembers what it has read, so that reading on is quick.

    Raises, from each method:
        DatasetError: the file is none of a journal, is damaged, or cannot be read or written; the message says what to
            do.
    """

    def __init__(self, file: str | Path, *, by: str | None = None) -> None:
        """by: whose steps these are; by default the user of the computer."""
        self.file = Path(file)
        self.by = _user() if by is None else by
        self._lock = threading.RLock()
        self._name = ""  # of the journal that was read; "" before
        self._steps: list[Step] = []
        self._state = NOTHING

    @property
    def labels(self) -> Mapping[str, str | None]:
        """Digest -> label or EXCLUDED, of the corrected photos, as of the last step. Read anew where another process
        has written since; what was given before stays as it was."""
        return self.state().labels

    def state(self, step: int | None = None) -> LabelState:
        """After the last step, or after an earlier one (0: before the first).

        Raises:
            DatasetError: there is no such step.
        """
        with self._lock:
            self._refresh()
            if step is None or step == self._state.step:
                return self._state
            if not 0 <= step < self._state.step:
                raise DatasetError(f"There is no step {step} in '{self.file}': it has {self._state.step}.")
            rows = journal_file.read(self.file, until=step) if step else None
            return _after(NOTHING, rows)[1] if rows else NOTHING

    def record(
        self,
        corrections: Iterable[Correction],
        *,
        kind: str = LABEL,
        into: str | None = None,
        classes: Sequence[str] = (),
    ) -> Step | None:
        """Append a step, and return when it is safely on the disk; None where nothing would change.

        into, classes: see `Step`; by default the one label that all corrections give.

        Raises:
            DatasetError: a label is no name for a class, see `checked_class_name`.
        """
        wanted = [replace(each, becomes=_checked(each.becomes)) for each in corrections]
        given = {each.becomes for each in wanted}
        into = _checked((next(iter(given)) if len(given) == 1 else OWN) if into is None else into) or ""

        def make(state: LabelState) -> _Made | None:
            kept = wanted if kind == CONFIRM else _without_idle(wanted, state.labels)
            if not kept and (wanted or kind not in OF_CLASSES):
                return None
            rows = [(each, state.labels.get(each.digest, OWN)) for each in kept]
            return self._step(state, kind, len(rows), into, tuple(classes)), rows

        return self._append(make)

    def new_class(self, name: str) -> Step | None:
        """A class without photos; None where it was made before. (Photos that get a label make its class as well.)"""
        name = checked_class_name(name)
        return None if name in self.state().made else self.record([], kind=NEW_CLASS, into=name)

    def undo(self) -> Step | None:
        """Undo the last step that is not undone; None where there is none. Photos get what they had before it."""

        def make(state: LabelState) -> _Made | None:
            return self._again(state, UNDO, state.done[-1]) if state.done else None

        return self._append(make)

    def redo(self) -> Step | None:
        """Redo the last step that was undone since the last other one; None where there is none."""

        def make(state: LabelState) -> _Made | None:
            return self._again(state, REDO, state.undone[-1]) if state.undone else None

        return self._append(make)

    def copy_to(self, file: Path) -> None:
        """Write the journal as it is now to a new file: for work that goes on with these labels whatever follows."""
        journal_file.copy(self.file, file)

    def open_test(self, state: str) -> None:
        """Note that the sealed test set is looked at, with the labels of a state, see `state_id`. No step: it cannot be
        undone."""
        journal_file.note_opening(self.file, _now(), self.by, state)

    @property
    def openings(self) -> int:
        """How often the sealed test set was looked at."""
        return journal_file.count_openings(self.file)

    def steps(self) -> list[Step]:
        """All of them, the first one first, undone ones and what undid them too."""
        with self._lock:
            self._refresh()
            return list(self._steps)

    def corrections(self, step: int) -> list[Correction]:
        """Of one step; of UNDO and REDO what they changed."""
        return [correction for correction, _ in self._corrections(step)]

    def _corrections(self, step: int) -> list[tuple[Correction, str | None]]:
        """Each with what the journal said of the photo before: a label, EXCLUDED, or OWN."""
        rows = journal_file.read(self.file, step - 1, step)
        found = rows.corrections if rows else []
        return [(Correction(digest, path, was, becomes), before) for _, digest, path, was, becomes, before in found]

    def _again(self, state: LabelState, kind: str, step: Step) -> _Made:
        rows = []
        for each, before in self._corrections(step.id):
            was, becomes = (each.becomes, before) if kind == UNDO else (each.was, each.becomes)
            rows.append((replace(each, was=was, becomes=becomes), each.becomes if kind == UNDO else before))
        return self._step(state, kind, len(rows), step.into, step.classes, of=step.id), rows

    def _step(
        self, state: LabelState, kind: str, photos: int, into: str, classes: tuple[str, ...], of: int | None = None
    ) -> Step:
        return Step(state.step + 1, _now(), self.by, kind, photos, into, classes, of)

    def _append(self, make: Callable[[LabelState], _Made | None]) -> Step | None:
        """Append what is made of the last state, of which nobody can write another meanwhile."""

        def rows_of(rows: journal_file.Rows) -> journal_file.Made | None:
            self._take(rows)
            made = make(self._state)
            return _as_rows(*made) if made else None

        with self._lock:
            self._refresh()
            if make(self._state) is None or not journal_file.append(self.file, self._state.step, rows_of):
                return None
            self._refresh()
            return self._steps[-1]

    def _refresh(self) -> None:
        rows = journal_file.read(self.file, self._state.step)
        if rows is None:
            self._name, self._steps, self._state = "", [], NOTHING
        else:
            self._take(rows)

    def _take(self, rows: journal_file.Rows) -> None:
        """Read on; or from the start, where the file is another one now."""
        if self._state.step and (rows.name != self._name or rows.last < self._state.step):
            self._steps, self._state = [], NOTHING
            rows = journal_file.read(self.file) or rows
        self._name = rows.name
        steps, self._state = _after(self._state, rows)
        self._steps += steps


def _after(state: LabelState, rows: journal_file.Rows) -> tuple[list[Step], LabelState]:
    """The steps in some rows, and the state after these. rows: all that follow the steps of `state`."""
    if not rows.steps:
        return [], state
    photos = Counter(row[0] for row in rows.corrections)
    steps = [
        Step(number, at, by, kind, photos[number], into, tuple(json.loads(classes)), of)
        for number, at, by, kind, into, classes, of in rows.steps
    ]
    done, undone, confirming, unconfirming = list(state.done), list(state.undone), set(), set()
    for step in steps:
        if step.kind == UNDO:
            undone.append(done.pop())
            unconfirming |= {step.id} if undone[-1].kind == CONFIRM else set()
        elif step.kind == REDO:
            done.append(undone.pop())
            confirming |= {step.id} if done[-1].kind == CONFIRM else set()
        else:
            done.append(step)
            undone.clear()
            confirming |= {step.id} if step.kind == CONFIRM else set()
    labels, seen = dict(state.labels), dict(state.seen)
    for number, digest, _, _, becomes, _ in rows.corrections:
        if becomes == OWN:
            labels.pop(digest, None)
        else:
            labels[digest] = becomes
        if number in confirming:
            seen[digest] = becomes
        elif number in unconfirming:
            seen.pop(digest, None)
    return steps, LabelState(steps[-1].id, labels, _made(done), tuple(done), tuple(undone), seen)


def _made(steps: Iterable[Step]) -> frozenset[str]:
    """The classes that steps make, by their present names."""
    names: set[str] = set()
    for step in steps:
        if step.kind == NEW_CLASS:
            names.add(step.into)
        elif step.kind in OF_CLASSES and names.intersection(step.classes):
            names = (names - set(step.classes)) | {step.into}
    return frozenset(names)


def _without_idle(corrections: list[Correction], labels: Mapping[str, str | None]) -> list[Correction]:
    """Without photos that have their new labels already. Copies of one photo stay together: where one of them changes,
    the digest does."""

    def changes(each: Correction) -> bool:
        before = labels.get(each.digest, OWN)
        return each.becomes != before and not (before == OWN and each.becomes == each.was)

    changing = {each.digest for each in corrections if changes(each)}
    return [each for each in corrections if each.digest in changing]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(label: str | None) -> str | None:
    return checked_class_name(label) if label else label


def _as_rows(step: Step, photos: list[tuple[Correction, str | None]]) -> journal_file.Made:
    classes = json.dumps(step.classes, ensure_ascii=False)
    return (step.id, step.at, step.by, step.kind, step.into, classes, step.of), [
        (step.id, each.digest, _storable(each.path), each.was, each.becomes, before) for each, before in photos
    ]


def _storable(path: str) -> str:
    """SQLite stores text; names on old disks are not all text."""
    return path.encode("utf-8", "backslashreplace").decode()


def _user() -> str:
    try:
        return _storable(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        return ""
