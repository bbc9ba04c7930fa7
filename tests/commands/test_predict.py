"""`headstart.commands.predict`: answers that come one by one, or are written; what goes wrong is told."""

import json

import pytest

import headstart as hs
from headstart import commands
from headstart.errors import ImageError, ModelError, RunError
from support.recording import Recorder


def test_answers_are_those_of_the_predictor(run, photos):
    files = sorted(photos.rglob("*.png"))[:3]
    listener = Recorder()
    found = commands.predict(run.folder, files, listener=listener)
    assert found.files == list(map(str, files))
    answers = list(found)
    expected = hs.Predictor(run.folder).predict(files)
    assert [answer.path for answer in answers] == found.files
    assert [answer.found for answer in answers] == expected
    assert [(event.done, event.total) for event in listener.progress][-1] == (3, 3)


def test_one_image_a_folder_and_a_pattern(run, photos, monkeypatch):
    [image, *_] = sorted(photos.rglob("*.png"))
    assert len(commands.predict(run.folder, image)) == 1
    assert len(commands.predict(run.folder, str(photos))) == 80
    monkeypatch.chdir(photos)
    assert len(commands.predict(run.folder, "defective/*.png")) == 40


def test_images_that_cannot_be_read_are_answers_too(run, photos, tmp_path):
    (tmp_path / "words.jpg").write_text("words")
    found = commands.predict(run.folder, [tmp_path / "words.jpg", next(photos.rglob("*.png"))])
    first, second = found
    assert isinstance(first.found, ImageError)
    assert isinstance(second.found, hs.Prediction)
    assert found.unreadable == [first.found]


@pytest.mark.parametrize(("name", "format", "is_json"), [
    ("answers.json", None, True), ("answers.txt", None, False), ("answers.txt", "json", True),
])  # fmt: skip
def test_the_file_is_written_as_it_ends_or_as_is_said(run, photos, tmp_path, name, format, is_json):
    out = tmp_path / name
    commands.predict(run.folder, next(photos.rglob("*.png"))).write(out, format=format)
    text = out.read_text("utf-8")
    if is_json:
        assert len(json.loads(text)["predictions"]) == 1
    else:
        assert text.count("\n") == 1
    with pytest.raises(RunError, match="exists already"):
        commands.predict(run.folder, next(photos.rglob("*.png"))).write(out)


def test_an_unknown_format_writes_nothing(run, photos, tmp_path):
    with pytest.raises(ModelError, match=r"no format 'xml'\. Choose one of: text, csv, jsonl, json"):
        commands.predict(run.folder, next(photos.rglob("*.png"))).write(tmp_path / "answers", format="xml")
    assert list(tmp_path.iterdir()) == []
