"""The journal of corrected labels: steps, undone and redone, by several at once, by some who are killed."""

import random
import signal
import sqlite3
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.data import journal_file
from headstart.data.corrections import (
    CONFIRM,
    EXCLUDED,
    MERGE,
    OWN,
    RENAME,
    Correction,
    Journal,
)
from headstart.errors import DatasetError

OWN_LABELS = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "none": OWN}  # digest -> label, "" for none
CLASSES = ["a", "b", "c", "d"]
KILLS = 12


def to(label: str | None, *digests: str, was: str | None = "a") -> list[Correction]:
    return [Correction(digest, f"{digest}.jpg", was, label) for digest in digests]


@dataclass
class Model:
    """What a journal says, written as simply as can be: all states that can be gone back to, and forward to."""

    labels: dict[str, str | None] = field(default_factory=lambda: dict(OWN_LABELS))
    made: frozenset[str] = frozenset()
    before: list = field(default_factory=list)
    after: list = field(default_factory=list)

    def step(self, labels: dict[str, str | None], made: frozenset[str]) -> None:
        self.before.append((self.labels, self.made))
        self.labels, self.made, self.after = labels, made, []

    def go(self, source: list, target: list) -> None:
        if source:
            target.append((self.labels, self.made))
            self.labels, self.made = source.pop()


def seen(journal: Journal) -> dict[str, str | None]:
    return {digest: journal.labels.get(digest, own) for digest, own in OWN_LABELS.items()}


DIGESTS = st.sets(st.sampled_from(sorted(OWN_LABELS)), min_size=1)
LABELS = st.sampled_from(CLASSES)
STEPS = st.one_of(
    st.tuples(st.just("label"), DIGESTS, st.one_of(LABELS, st.just(EXCLUDED), st.just(OWN))),
    st.tuples(st.just("new"), LABELS),
    st.tuples(st.just("merge"), st.sets(LABELS, min_size=1, max_size=2), LABELS),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
    st.tuples(st.just("reopen")),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_any_steps_do_what_a_simple_model_does(tmp_path, steps):
    file = tmp_path / f"{uuid.uuid4()}.db"
    journal, model, states = Journal(file), Model(), {0: Model().labels}
    for name, *arguments in steps:
        if name == "label":
            apply_labels(journal, model, *arguments)
        elif name == "new":
            [made] = arguments
            journal.new_class(made)
            if made not in model.made:
                model.step(model.labels, model.made | {made})
        elif name == "merge":
            apply_merge(journal, model, *arguments)
        elif name == "undo":
            assert (journal.undo() is not None) == bool(model.before)
            model.go(model.before, model.after)
        elif name == "redo":
            assert (journal.redo() is not None) == bool(model.after)
            model.go(model.after, model.before)
        else:
            journal = Journal(file)
        states[journal.state().step] = dict(model.labels)
        assert seen(journal) == model.labels
        assert journal.state().made == model.made
        assert len(journal.state().done) == len(model.before)
        assert len(journal.state().undone) == len(model.after)
    assert [step.id for step in journal.steps()] == list(range(1, len(journal.steps()) + 1))
    for step, labels in states.items():
        there = journal.state(step).labels
        assert {digest: there.get(digest, own) for digest, own in OWN_LABELS.items()} == labels
    for step in journal.steps():
        assert len(journal.corrections(step.id)) == step.photos


def apply_labels(journal: Journal, model: Model, digests: set[str], label: str | None) -> None:
    step = journal.record([Correction(d, d, model.labels[d], label) for d in sorted(digests)])
    if step:  # a photo may get its own label by hand, which the model does not tell apart
        model.step(model.labels | {d: OWN_LABELS[d] if label == OWN else label for d in digests}, model.made)
    else:
        assert {model.labels[d] for d in digests} <= {label, *(OWN_LABELS[d] for d in digests)}


def apply_merge(journal: Journal, model: Model, classes: set[str], into: str) -> None:
    moved = {digest for digest, label in model.labels.items() if label in classes - {into}}
    step = journal.record(
        [Correction(d, d, model.labels[d], into) for d in sorted(moved)],
        kind=RENAME if len(classes) == 1 else MERGE, into=into, classes=sorted(classes),
    )  # fmt: skip
    if step:
        made = (model.made - classes) | {into} if model.made & classes else model.made
        model.step(model.labels | dict.fromkeys(moved, into), made)


def test_nothing_is_written_before_the_first_step(tmp_path):
    journal = Journal(tmp_path / "new" / "x.headstart.db")
    assert journal.labels == {}
    assert journal.undo() is None
    assert journal.steps() == []
    assert journal.record([]) is None
    assert list(tmp_path.rglob("*")) == []


def test_who_when_and_from_what_to_what(tmp_path):
    journal = Journal(tmp_path / "x.db", by="Eva")
    step = journal.record(to("dogs", "1", "2", was="cats"))
    assert step
    assert (step.by, step.photos, step.into, step.kind) == ("Eva", 2, "dogs", "label")
    assert step.at.endswith("+00:00")
    assert journal.corrections(1) == to("dogs", "1", "2", was="cats")


def test_what_changes_nothing_is_no_step_but_a_confirmation_is(tmp_path):
    journal = Journal(tmp_path / "x.db")
    assert journal.record(to("a", "1", was="a")) is None
    assert journal.record(to("a", "1", was="a"), kind=CONFIRM) is not None
    assert journal.labels == {"1": "a"}
    assert journal.record(to("a", "1", was="a")) is None


def test_a_confirmation_counts_as_long_as_the_label_is_that_one(tmp_path):
    journal = Journal(tmp_path / "x.db")
    journal.record(to("b", "2"))
    journal.record([*to("a", "1", was="a"), *to("b", "2", was="b")], kind=CONFIRM)
    assert journal.state().confirmed == {"1", "2"}
    journal.record(to("c", "1", was="a"))
    assert journal.state().confirmed == {"2"}
    journal.undo()
    assert journal.state().confirmed == {"1", "2"}
    journal.undo()
    assert journal.state().confirmed == set()
    assert journal.labels == {"2": "b"}
    journal.redo()
    assert journal.state().confirmed == Journal(tmp_path / "x.db").state().confirmed == {"1", "2"}


def test_openings_of_the_test_set_are_counted_and_cannot_be_undone(tmp_path):
    journal = Journal(tmp_path / "x.db")
    assert journal.openings == 0
    journal.open_test("")
    assert (journal.openings, journal.state().step, journal.undo()) == (1, 0, None)
    journal.record(to("b", "1"))
    journal.open_test("0123456789ab")
    journal.copy_to(tmp_path / "copy.db")
    assert Journal(tmp_path / "copy.db").openings == Journal(tmp_path / "x.db").openings == 2


def test_copies_of_one_photo_get_one_label_and_undo_gives_them_back_theirs(tmp_path):
    """Two files of equal bytes, one among the cats, one among the dogs."""
    journal = Journal(tmp_path / "x.db")
    journal.record([Correction("1", "cats/1.jpg", "cats", "cats"), Correction("1", "dogs/1.jpg", "dogs", "cats")])
    assert journal.labels == {"1": "cats"}
    journal.undo()
    assert journal.labels == {}


def test_labels_that_were_given_stay_as_they_were(tmp_path):
    journal = Journal(tmp_path / "x.db")
    journal.record(to("b", "1"))
    before = journal.labels
    journal.record(to("c", "1", was="b"))
    assert before == {"1": "b"}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201, "\ud800"])
def test_a_class_needs_a_name_that_can_be_read(tmp_path, name):
    journal = Journal(tmp_path / "x.db")
    with pytest.raises(DatasetError, match=r"[Tt]ype|characters"):
        journal.new_class(name)
    if name:
        with pytest.raises(DatasetError):
            journal.record(to(name, "1"))
    assert journal.steps() == []


def test_accents_and_spaces_have_one_form(tmp_path):
    journal = Journal(tmp_path / "x.db")
    journal.record(to(" cafe\u0301 ", "1"))
    assert journal.labels == {"1": "caf\u00e9"}


def test_a_journal_notices_what_others_do(tmp_path):
    file, other_file = tmp_path / "x.db", tmp_path / "y.db"
    one, other = Journal(file), Journal(file)
    one.record(to("b", "1"))
    assert other.labels == {"1": "b"}
    other.undo()
    assert one.labels == {}
    one.record(to("b", "1"))
    file.unlink()
    assert one.labels == {}
    assert other.record(to("c", "2"))
    assert one.labels == {"2": "c"}
    longer = Journal(other_file)
    for label in "bcd":
        longer.record(to(label, "3", was="?"))
    other_file.replace(file)
    assert one.labels == {"3": "d"}
    assert one.record(to("d", "4")).id == 4  # pyright: ignore[reportOptionalMemberAccess]


def test_an_older_copy_of_the_file_that_was_put_back_is_noticed(tmp_path):
    file = tmp_path / "x.db"
    journal = Journal(file)
    journal.record(to("b", "1"))
    backup = file.read_bytes()
    journal.record(to("b", "2"))
    file.write_bytes(backup)
    assert journal.labels == {"1": "b"}
    assert journal.record(to("c", "3")).id == 2  # pyright: ignore[reportOptionalMemberAccess]


def test_a_copy_stays_as_it_was(tmp_path):
    journal = Journal(tmp_path / "x.db")
    journal.copy_to(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    journal.record(to("b", "1"))
    journal.copy_to(tmp_path / "job" / "copy.db")
    journal.record(to("c", "1", was="b"))
    assert Journal(tmp_path / "job" / "copy.db").labels == {"1": "b"}


def test_threads_share_a_journal(tmp_path):
    journal = Journal(tmp_path / "x.db")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: journal.record(to("b", str(number))), range(40)))
    assert set(journal.labels) == set(map(str, range(40)))
    assert len(journal.steps()) == 40


WRITER = """
import sys
import uuid
from headstart.data.corrections import Correction, Journal
journal, name, count, photos = Journal(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    digests = [f"{name}-{number}-{photo}" for photo in range(photos)]
    journal.record([Correction(digest, digest, "a", name) for digest in digests])
    print(number, flush=True)
"""


def writer(file: Path, name: str, count: int, photos: int) -> subprocess.Popen:
    arguments = [sys.executable, "-c", WRITER, str(file), name, str(count), str(photos)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def start(process: subprocess.Popen) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.process
def test_two_processes_write_at_once(tmp_path):
    file = tmp_path / "x.db"
    processes = [writer(file, name, 30, 3) for name in ("one", "two")]
    for process in processes:
        start(process)
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    journal = Journal(file)
    assert [step.id for step in journal.steps()] == list(range(1, 61))
    assert len(journal.labels) == 2 * 30 * 3
    assert all(len({each.becomes for each in journal.corrections(step)}) == 1 for step in (1, 30, 60))


@pytest.mark.process
def test_who_is_killed_loses_no_step_that_was_recorded(tmp_path):
    """At random moments, in the middle of writing, too: the steps are large."""
    file, chance, known = tmp_path / "x.db", random.Random(0), 0
    journal = Journal(file)
    for kill in range(KILLS):
        process = writer(file, f"w{kill}", 10_000, 3_000)
        start(process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.02, 0.25))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        told = len(output.splitlines())
        steps = journal.steps()
        assert len(steps) - known in (told, told + 1), "a step that was told is lost, or one is there in parts"
        assert all(step.photos == 3_000 for step in steps)
        assert len(journal.labels) == 3_000 * len(steps)
        known = len(steps)
        with sqlite3.connect(file) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.close()
    assert known, "no step was ever recorded: the test has tried nothing"
    assert journal.undo()


def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path):
    words, other, newer = tmp_path / "words.db", tmp_path / "other.db", tmp_path / "newer.db"
    words.write_text("no database at all, but some words" * 100)
    with sqlite3.connect(other) as connection:
        connection.execute("create table notes (text)")
    connection.close()
    Journal(newer).record(to("b", "1"))
    with sqlite3.connect(newer) as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    for file, message in ((words, "damaged, or no file"), (other, "not of corrected labels"), (newer, "newer")):
        before = file.read_bytes()
        for act in (lambda journal: journal.labels, lambda journal: journal.record(to("b", "1"))):
            with pytest.raises(DatasetError, match=message):
                act(Journal(file))
        assert file.read_bytes() == before


def test_an_empty_file_is_an_empty_journal(tmp_path):
    """As where somebody was killed before the first step was on the disk."""
    file = tmp_path / "x.db"
    file.touch()
    assert Journal(file).labels == {}
    assert Journal(file).record(to("b", "1"))
    assert Journal(file).labels == {"1": "b"}


def test_a_damaged_file_is_refused(tmp_path):
    file = tmp_path / "x.db"
    Journal(file).record(to("b", *map(str, range(2000))))
    content = bytearray(file.read_bytes())
    content[5000:-5000] = b"\xa5" * (len(content) - 10000)
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"damaged.*--no-corrections"):
        _ = Journal(file).labels


def test_where_nothing_can_be_written_the_message_names_another_place(tmp_path):
    (tmp_path / "file").touch()
    for file in (Path("/proc/x.headstart.db"), tmp_path / "file" / "x.db"):
        with pytest.raises(DatasetError, match=r"cannot be written.*--corrections FILE"):
            Journal(file).record(to("b", "1"))
    with pytest.raises(DatasetError, match="cannot be read"):
        Journal(tmp_path).record(to("b", "1"))


def test_who_waits_too_long_for_another_program_is_told(tmp_path, monkeypatch):
    file = tmp_path / "x.db"
    journal = Journal(file)
    journal.record(to("b", "1"))
    monkeypatch.setattr(journal_file, "WAIT", 0.05)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("begin immediate")
    assert journal.labels == {"1": "b"}, "who reads need not wait"
    with pytest.raises(DatasetError, match="another program"):
        journal.record(to("c", "1"))
    other.execute("rollback")
    other.close()
    assert journal.record(to("c", "1"))


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    file = tmp_path / "x.db"
    journal = Journal(file)
    journal.record(to("b", "1"))
    real = journal_file._connect

    def small(file: Path, mode: str) -> sqlite3.Connection:
        connection = real(file, mode)
        connection.execute("pragma max_page_count = 10")
        return connection

    monkeypatch.setattr(journal_file, "_connect", small)
    with pytest.raises(DatasetError, match="disk is full"):
        journal.record(to("c", *map(str, range(5000))))
    assert journal.labels == {"1": "b"}
    monkeypatch.undo()
    assert journal.record(to("c", "1"))
    assert Journal(file).labels == {"1": "c"}
