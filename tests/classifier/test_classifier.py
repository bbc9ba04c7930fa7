"""Classifier: the same answer for the same picture however it comes, saved, loaded, and loaded without headstart."""

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart.errors import ImageError, RunError
from headstart.evaluation.metrics import Evaluation

FILES = ["classifier.json", "engine", "known.npy", "model.keras"]


@pytest.fixture(scope="module")
def files(cells) -> list[Path]:
    return [cells["functional"][-1], cells["defective"][-1], cells["defective"][-2]]


def test_one_picture_in_every_form(classifier, files):
    path = files[0]
    answer = classifier.predict(path)
    assert isinstance(answer, hs.Prediction)
    image = Image.open(path)
    forms = [str(path), path.read_bytes(), image, np.asarray(image), np.asarray(image.convert("RGB")).astype("float32")]
    for form in forms:
        assert classifier.predict(form).probability == pytest.approx(answer.probability, abs=1e-6)
    assert answer.probability == max(answer.probabilities.values())
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.label in classifier.class_names


def test_several_pictures(classifier, files):
    together = classifier.predict(files * 15)
    assert len(together) == 45
    alone = [classifier.predict(file) for file in files]
    for one, other in zip(together, alone * 15, strict=True):
        assert one.label == other.label
        assert one.probability == pytest.approx(other.probability, abs=1e-5)
    stacked = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    assert [a.label for a in classifier.predict(stacked)] == [a.label for a in alone]
    assert classifier.predict([]) == []
    assert len(classifier.predict(tuple(files))) == 3


def test_what_is_no_picture_is_named(classifier, files, tmp_path):
    (tmp_path / "words.jpg").write_text("words")
    with pytest.raises(ImageError, match=r"words.jpg' is not an image that headstart reads"):
        classifier.predict([files[0], tmp_path / "words.jpg"])
    with pytest.raises(ImageError, match=r"missing.jpg' cannot be opened"):
        classifier.predict(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="Image 1 of 1: is not an image"):
        classifier.predict(b"words")
    with pytest.raises(ImageError, match="Image 2 of 2: An array of shape"):
        classifier.predict([files[0], np.zeros(3)])


def test_a_large_jpeg_as_file_and_as_picture(classifier, files, tmp_path):
    """A file is decoded at a fraction of its size, a picture in memory is averaged: near, if not bit by bit equal."""
    path = tmp_path / "large.jpg"
    Image.open(files[1]).convert("RGB").resize((1280, 960)).save(path, quality=95)
    from_file = classifier.predict(path)
    assert classifier.predict(path.read_bytes()) == from_file
    assert classifier.predict(Image.open(path)).probability == pytest.approx(from_file.probability, abs=0.03)


def test_save_and_load_in_this_process(classifier, files, tmp_path):
    classifier.save(tmp_path / "a" / "saved")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["saved"]
    assert sorted(path.name for path in (tmp_path / "a" / "saved").iterdir()) == FILES
    again = hs.load(tmp_path / "a" / "saved")
    for file in files:
        assert again.predict(file) == classifier.predict(file)
    assert (again.class_names, again.backbone, again.image_size, again.recipe) == (
        classifier.class_names, classifier.backbone, classifier.image_size, classifier.recipe,
    )  # fmt: skip
    with pytest.raises(RunError, match="exists already"):
        classifier.save(tmp_path / "a" / "saved")


def test_model_keras_needs_no_headstart(run, classifier, files, plain_keras):
    """In a process that cannot import headstart: raw RGB 0..255, as uint8 or float, to the same logits."""
    from headstart.data.images import read_image

    pixels = np.stack([read_image(file, classifier.image_size) for file in files])
    said = plain_keras.loaded(run.folder / "model.keras", pixels)
    assert said["headstart"] == []
    assert not any("random" in name for name in said["layers"])
    for kind in ("uint8", "float32"):
        np.testing.assert_allclose(said[kind], classifier.logits([pixels]), rtol=1e-4, atol=1e-4)
    assert said["optimizer"] is None, "no optimizer state in the file"


def test_evaluate_takes_the_classes_by_name(classifier, run, photos, tmp_path, make_folder):
    dataset = hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet())
    evaluation = hs.evaluate(classifier, dataset.test)
    assert evaluation.accuracy.correct == run.metrics["test"]["accuracy"]["correct"]
    assert evaluation.loss == pytest.approx(run.metrics["test"]["loss"], rel=1e-3)  # kept features are float16
    only, _ = hs.load_images(make_folder(tmp_path / "one", {"functional": 3}, skip=100), listener=hs.Quiet())
    alone = hs.evaluate(classifier, only)
    assert isinstance(alone, Evaluation)
    assert alone.confusion[0].sum() == 0, "'functional' is the classifier's second class, though the only one here"
    assert alone.confusion[1].sum() == 3
    other, _ = hs.load_images(make_folder(tmp_path / "two", {"birds": 2, "functional": 2}), listener=hs.Quiet())
    with pytest.raises(
        hs.DatasetError, match=r"are of 'birds', which the classifier does not know; it knows 'defective'"
    ):
        hs.evaluate(classifier, other)
    with pytest.raises(hs.DatasetError, match="no images to evaluate on"):
        hs.evaluate(classifier, only.take([]))


def test_evaluate_names_the_images_without_an_answer(classifier, photos, monkeypatch):
    """A network that overflows for one of them."""
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    logits = classifier.logits

    def overflowing(batches) -> np.ndarray:
        found = logits(batches)
        found[2] = np.inf
        return found

    monkeypatch.setattr(type(classifier), "logits", lambda self, batches: overflowing(batches))
    with pytest.raises(hs.ModelError, match=rf"for 1 of {len(dataset.test)} images: '{dataset.test.paths[2]}'"):
        hs.evaluate(classifier, dataset.test)


@pytest.mark.parametrize("count", [1, 3])
def test_evaluate_one_image_and_images_of_one_class(classifier, tmp_path, make_folder, count):
    only, _ = hs.load_images(make_folder(tmp_path / "only", {"defective": count}), listener=hs.Quiet())
    evaluation = hs.evaluate(classifier, only)
    assert isinstance(evaluation, Evaluation)
    assert evaluation.confusion.sum() == evaluation.confusion[0].sum() == evaluation.accuracy.count == count
    assert [row["roc_area"] for row in evaluation.per_class] == [None, None]
    json.dumps(evaluation.to_json(), allow_nan=False)
    assert f"of {count})" in str(evaluation)


def replaced(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


def broken(file: Path) -> Path:
    records = np.load(file)
    records["direction"][0, 0] = np.nan
    np.save(file, records)
    return file


def unnamed(file: Path) -> None:
    """Its card is one of before, which had no hash of it."""
    card = json.loads((file.parent / "classifier.json").read_text())
    del card["hashes"][file.name]
    (file.parent / "classifier.json").write_text(json.dumps(card))


@pytest.mark.parametrize(("change", "message"), [
    (lambda f: shutil.rmtree(f), "does not exist; expected the folder of a run"),
    (lambda f: (f / "classifier.json").unlink(), "holds no classifier.json"),
    (lambda f: (f / "classifier.json").write_text("{"), "is damaged"),
    (lambda f: (f / "classifier.json").write_text("[]"), "is damaged"),
    (lambda f: (f / "classifier.json").write_text('{"schema": 1}'), "is damaged: class_names, backbone, "),
    (lambda f: (f / "model.keras").unlink(), "model.keras' is missing"),
    (lambda f: shutil.rmtree(f / "engine"), "network.* is missing. Copy the whole folder"),
    (lambda f: (f / "known.npy").unlink(), "known.npy' is missing. Copy the whole folder"),
    (lambda f: broken(f / "known.npy"), "known.npy' was changed after it was saved"),
    (lambda f: unnamed(broken(f / "known.npy")), "damaged .it holds features that are not finite"),
    (lambda f: replaced(f / "classifier.json", '"temperature": ', '"temperature": -'), "its certainty is unreadable"),
    (lambda f: (f / "model.keras").write_bytes(b"x"), "was changed after it was saved"),
    (
        lambda f: replaced(f / "classifier.json", '"schema": 1', '"schema": 9'),
        "has schema 9, this headstart reads 1. Install the headstart that wrote it: 0.1.0",
    ),
    (
        lambda f: replaced(f / "classifier.json", '"resizing": "stretch"', '"resizing": "squash"'),
        "has the resizing 'squash', this headstart knows stretch, crop, pad, resize-crop. Install the",
    ),
    (lambda f: replaced(f / "classifier.json", '"resizing": "stretch"', '"resizing": []'), "the resizing \\[\\],"),
])  # fmt: skip
def test_damaged_folder(run, tmp_path, change, message):
    folder = shutil.copytree(run.folder, tmp_path / "copy")
    change(folder)
    with pytest.raises(RunError, match=message):
        hs.load(folder)


def test_a_folder_that_cannot_be_looked_at(tmp_path, monkeypatch):
    with pytest.raises(RunError, match=r"cannot be read: File name too long|does not exist"):
        hs.load(tmp_path / ("x" * 300))
    (tmp_path / "classifier.json").write_text("{}")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # who runs the tests as root may read everything

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(RunError, match=r"classifier.json' cannot be read: Permission denied. Let its owner allow it"):
        hs.load(tmp_path)
