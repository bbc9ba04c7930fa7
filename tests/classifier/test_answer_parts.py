"""Parts of answers: each photo has exactly one answer, whenever the work was stopped, and whoever does a task twice."""

import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

import headstart as hs
from headstart.classifier import answer_folder
from headstart.classifier.answer_folder import CARD, AnswerFolder
from headstart.classifier.answer_parts import NAME, AnswerTask, answer_part
from headstart.classifier.answer_table import parquet, table
from headstart.classifier.answers import Answer, Question, answers
from headstart.classifier.packed import PackedClassifier
from headstart.errors import DatasetError, ImageError, ModelError, RunError
from headstart.storage.hashing import sha256, sha256_of_file

FACTS = {"classifier": "c" * 64, "class_names": ["cats", "dogs"]}
CATS = hs.Prediction("cats", 0.75, {"cats": 0.75, "dogs": 0.25}, candidates=("cats",))


def answered_by(task: AnswerTask) -> None:
    """Do a task without a network."""
    rows = [Answer(path, sha256(path.encode()), CATS) for path in task.paths]
    Path(task.out, task.name).write_bytes(parquet(table(rows, task.question, task.facts)))


def paths_in(folder: Path) -> list[str]:
    return sorted(path for part in folder.glob("part-*.parquet") for path in pq.read_table(part)["path"].to_pylist())


@pytest.fixture(scope="module")
def files(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six photos, and among them one that is none and one that is missing."""
    words = tmp_path_factory.mktemp("words") / "words.jpg"
    words.write_text("words")
    good = [str(path) for path in sorted(photos.rglob("*.png"))[:6]]
    return [str(words), *good[:3], str(words.with_name("gone.jpg")), *good[3:]]


def test_answers_are_those_of_the_predictor_with_the_digest_of_the_bytes(run, files):
    predictor = hs.Predictor(run.folder)
    found = list(answers(predictor, files, Question()))
    assert [each.path for each in found] == files
    for answer, expected in zip(found, predictor.predict_each(files), strict=True):
        if isinstance(expected, ImageError):
            assert str(answer.found) == str(expected)
        else:
            assert answer.found == expected
        assert answer.digest == (sha256_of_file(Path(answer.path)) if Path(answer.path).exists() else None)


def test_a_part_holds_a_row_for_each_photo(run, files, tmp_path):
    predictor = hs.Predictor(run.folder)
    task = AnswerTask(tuple(files), Question(coverage=0.5, top=1), FACTS, str(tmp_path))
    steps = []
    part = answer_part(lambda: predictor, task, advance=steps.append)  # pyright: ignore[reportArgumentType]
    assert (part.photos, part.unreadable, len(part.problems), sum(steps)) == (8, 2, 2, 8)
    assert Path(part.place) == tmp_path / task.name
    assert NAME.fullmatch(task.name)
    rows = pq.read_table(part.place).to_pylist()
    assert [row["path"] for row in rows] == files
    expected = predictor.predict(files[1], coverage=0.5)
    assert rows[1] == {
        "path": files[1],
        "digest": sha256_of_file(Path(files[1])),
        "label": expected.label,
        "probability": expected.probability,
        "probabilities": [(expected.label, expected.probability)],
        "sure": expected.sure,
        "familiar": expected.familiar,
        "candidates": list(expected.candidates),
        "remark": None,
        "error": None,
    }
    assert [row["path"] for row in rows if row["error"]] == [files[0], files[4]]
    assert all(row["label"] is None and row["probability"] is None for row in rows if row["error"])


def test_whoever_does_a_task_twice_writes_the_same_file(run, files, tmp_path):
    packed = PackedClassifier.of(run.folder)
    for folder in ("one", "two"):
        answer_part(packed.open, AnswerTask(tuple(files), Question(), FACTS, str(tmp_path / folder)))
    [one], [two] = (tmp_path / "one").iterdir(), (tmp_path / "two").iterdir()
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())


def test_names_depend_on_all_that_answers_follow_from():
    task = AnswerTask(("a", "b"), Question(), FACTS, "out")
    others = [
        AnswerTask(("a",), Question(), FACTS, "out"),
        AnswerTask(("a", "b"), Question(top=1), FACTS, "out"),
        AnswerTask(("a", "b"), Question(), FACTS | {"classifier": "d" * 64}, "out"),
    ]
    assert len({each.name for each in [task, *others]}) == 4
    assert AnswerTask(("a", "b"), Question(), dict(FACTS), "elsewhere", far_away=True).name == task.name


def test_a_packed_classifier_holds_what_prediction_needs_and_opens_without_its_folder(run, files):
    packed = PackedClassifier.of(run.folder)
    assert len(packed.content) < sum(each.stat().st_size for each in run.folder.rglob("*") if each.is_file())
    opened = packed.open()
    assert packed.open() is opened, "a process opens it once"
    assert not opened.folder.is_relative_to(run.folder)
    assert opened.predict(files[1]) == hs.Predictor(run.folder).predict(files[1])
    assert len(repr(packed)) < 100


@settings(max_examples=40)
@given(st.data())
def test_each_photo_has_exactly_one_answer_after_any_number_of_stops(data: st.DataObject):
    """The work is stopped after any of its tasks, which end in any order. In between photos come and go; or else
    workers of earlier starts may still be at work, and put their parts into place at the very end."""
    everything = [f"/photos/{number}.jpg" for number in range(data.draw(st.integers(1, 23)))]
    is_same, late = data.draw(st.booleans()), []
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setattr(answer_folder, "PART", 4)
        out = Path(temporary)
        for _ in range(data.draw(st.integers(0, 4))):
            listed = everything if is_same else [path for path in everything if data.draw(st.booleans())]
            tasks = list(AnswerFolder(str(out), Question(), FACTS).tasks(listed))
            done = data.draw(st.lists(st.sampled_from(tasks), unique_by=lambda task: task.name)) if tasks else []
            for task in done:
                answered_by(task)
            late += [task for task in tasks if is_same and task not in done]
        last = AnswerFolder(str(out), Question(), FACTS)
        for task in [*last.tasks(everything), *late]:
            answered_by(task)
        assert paths_in(out) == sorted(everything)
        again = AnswerFolder(str(out), Question(), FACTS)
        assert list(again.tasks(everything)) == []
        assert again.answered == len(everything)
        new = [*everything, "/photos/new.jpg"]
        assert [path for task in again.tasks(new) for path in task.paths] == ["/photos/new.jpg"]


def test_other_answers_and_other_files_are_left_alone(tmp_path):
    out = tmp_path / "answers"
    AnswerFolder(str(out), Question(), FACTS)
    AnswerFolder(f"{out}/", Question(), FACTS)  # as before
    with pytest.raises(RunError, match="another kind: they differ in accuracy"):
        AnswerFolder(str(out), Question(accuracy=0.9), FACTS)
    with pytest.raises(RunError, match="another kind: they differ in classifier"):
        AnswerFolder(str(out), Question(), FACTS | {"classifier": "d" * 64})
    assert [path.name for path in out.iterdir()] == [CARD]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match=r"something else, such as 'letter.txt'.*choose another"):
        AnswerFolder(str(tmp_path / "mine"), Question(), FACTS)


def test_a_damaged_part_is_named(tmp_path):
    AnswerFolder(str(tmp_path), Question(), FACTS)
    [task] = AnswerFolder(str(tmp_path), Question(), FACTS).tasks(["a.jpg"])
    answered_by(task)
    part = tmp_path / task.name
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(RunError, match=rf"{task.name}' cannot be read: .*Remove it"):
        AnswerFolder(str(tmp_path), Question(), FACTS)


def test_a_place_that_cannot_be_written_keeps_what_is_there(run, files, tmp_path):
    (tmp_path / "file").write_text("no folder")
    task = AnswerTask((files[1],), Question(), FACTS, str(tmp_path / "file"))
    with pytest.raises(RunError, match=r"cannot be written: .*The parts that are written stay.*the same command again"):
        answer_part(lambda: hs.Predictor(run.folder), task)


def test_a_machine_that_sees_none_of_the_photos_writes_no_errors(run, tmp_path):
    task = AnswerTask(("/nowhere/1.jpg", "/nowhere/2.jpg"), Question(), FACTS, str(tmp_path), far_away=True)
    with pytest.raises(DatasetError, match=r"cannot read any of 2 photos: '/nowhere/1.jpg' cannot be opened"):
        answer_part(lambda: hs.Predictor(run.folder), task)
    assert list(tmp_path.iterdir()) == []


def test_a_guarantee_that_cannot_be_given_is_said(run, files):
    with pytest.raises(ModelError):
        list(answers(hs.Predictor(run.folder), files, Question(accuracy=0.99999)))


def test_paths_that_are_no_text_can_be_written():
    path = os.fsdecode(b"/photos/caf\xe9.jpg")
    row = Answer(path, None, ImageError(f"'{path}' is missing."))
    written = pq.read_table(pa.BufferReader(parquet(table([row], Question(), FACTS)))).to_pylist()
    assert written[0]["path"] == r"/photos/caf\xe9.jpg"
