"""Predictor: the answers of the classifier without Keras, of one picture or any number, and what `predict` writes."""

import csv
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart import cli
from headstart.classifier.activation_map import class_map
from headstart.classifier.base import DECODED_AHEAD
from headstart.classifier.output_formats import SHOWN, percent, predict_files
from headstart.data.images import read_image
from headstart.engines import openvino
from headstart.errors import ImageError, ModelError, RunError
from headstart.models.network import Network
from headstart.storage.names import portable
from support.recording import Recorder as Listener
from support.tiny import FEATURES


@pytest.fixture(scope="module")
def predictor(run) -> hs.Predictor:
    listener = Listener()
    opened = hs.Predictor(run.folder, listener=listener)
    assert listener.lines == []
    return opened


@pytest.fixture(scope="module")
def odd(tmp_path_factory, cells) -> list[Path]:
    """Real pictures in many forms: grey, 16 bits, palette, transparent, CMYK, turned by EXIF, large, wide, high."""
    folder = tmp_path_factory.mktemp("odd")
    first, second = Image.open(cells["defective"][0]), Image.open(cells["functional"][0])
    colour = Image.merge("RGB", [first, second, first.transpose(Image.Transpose.ROTATE_90)])
    first.save(folder / "grey.png")
    Image.fromarray(np.asarray(first).astype(np.uint16) * 257).save(folder / "deep.png")
    colour.quantize(64).save(folder / "palette.gif")
    transparent = colour.copy()
    transparent.putalpha(second)
    transparent.save(folder / "transparent.png")
    colour.convert("CMYK").save(folder / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    colour.crop((0, 0, 300, 200)).save(folder / "turned.jpg", exif=exif)
    colour.resize((1600, 1200)).save(folder / "large.jpg")
    colour.resize((900, 200)).save(folder / "wide.webp")
    colour.resize((150, 700)).save(folder / "high.tif")
    return sorted(folder.iterdir())


def assert_alike(some, others) -> None:
    for one, other in zip(some, others, strict=True):
        assert (one.label, one.sure, one.familiar, one.candidates) == (
            other.label, other.sure, other.familiar, other.candidates,
        )  # fmt: skip
        for name, share in other.probabilities.items():
            assert one.probabilities[name] == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("resizing", ["stretch", "crop", "pad"])
def test_the_answers_are_those_of_the_classifier(run, odd, tmp_path, resizing):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    card = json.loads((folder / "classifier.json").read_text("utf-8"))
    (folder / "classifier.json").write_text(json.dumps(card | {"resizing": resizing}), "utf-8")
    classifier, predictor = hs.load(folder), hs.Predictor(folder)
    assert predictor.resizing == resizing
    assert_alike(predictor.predict(odd), classifier.predict(odd))
    for one, other in zip(predictor.predict(odd, coverage=0.9), classifier.predict(odd, coverage=0.9), strict=True):
        assert one.candidates == other.candidates


def test_probabilities_are_calibrated(tiny, tiny_run, cells, tmp_path):
    """Of half the temperature come twice the logits, whoever answers."""
    files = [*cells["defective"][:3], *cells["functional"][:3]]
    card = json.loads((tiny_run.folder / "classifier.json").read_text("utf-8"))
    logits = []
    for temperature in (1.5, 3.0):
        folder = shutil.copytree(tiny_run.folder, tmp_path / str(temperature))
        certainty = card["certainty"] | {"temperature": temperature}
        (folder / "classifier.json").write_text(json.dumps(card | {"certainty": certainty}), "utf-8")
        answers, plain = hs.Predictor(folder).predict(files), hs.load(folder).predict(files)
        assert_alike(answers, plain)
        shares = np.array([answer.probabilities["functional"] for answer in answers])
        logits.append(np.log(shares / (1 - shares)))
    np.testing.assert_allclose(logits[0], 2 * logits[1], rtol=1e-5)
    assert np.abs(logits[0]).max() > 0.1


def test_every_form_of_picture(predictor, cells):
    path = cells["functional"][-1]
    answer = predictor.predict(path)
    assert isinstance(answer, hs.Prediction)
    for form in (str(path), path.read_bytes(), Image.open(path), np.asarray(Image.open(path))):
        assert predictor.predict(form) == answer
    assert predictor.predict([path, path]) == [answer, answer]
    assert predictor.predict([]) == []
    with pytest.raises(ImageError, match="Image 2 of 2: is not an image"):
        predictor.predict([path, b"words"])


def test_several_classes_and_a_model_that_was_changed(cells, tiny, tmp_path):
    """Its head is that of the classifier; and what is saved answers as the model does, whatever became of its base."""
    network = Network.pretrained(tiny, 32, "pretrained", num_classes=3, dropout=0.0, seed=None)
    rng = np.random.default_rng(0)
    network.set_head(rng.normal(size=(FEATURES, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32))
    files = cells["defective"][:4]
    hs.Classifier(network, ("a", "b", "c"), tiny, 32, "fast").save(tmp_path / "first")
    loaded, opened = hs.load(tmp_path / "first"), hs.Predictor(tmp_path / "first")
    for part, other in zip(opened.head, network.head, strict=True):
        np.testing.assert_array_equal(part, other)
    before = opened.predict(files)
    assert_alike(before, loaded.predict(files))
    loaded.save(tmp_path / "again")
    assert hs.Predictor(tmp_path / "again").predict(files) == before
    base = loaded.network.base
    base.set_weights([1.2 * weights for weights in base.get_weights()])
    loaded.save(tmp_path / "changed")
    after = hs.Predictor(tmp_path / "changed").predict(files)
    assert_alike(after, loaded.predict(files))
    assert after != before


def test_a_fresh_process_imports_nothing_heavy_and_stays_small(run, classifier, photos):
    """One answer, then 800: the most memory that the process ever had grows by no more than a few pictures."""
    code = """
import json, re, resource, sys
import headstart as hs

def peak():
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024  # not the parent's, too

predictor, files = hs.Predictor(sys.argv[1]), sys.argv[2:]
answer, first = predictor.predict(files[0]), peak()
list(predictor.predict_each(files))
warm = peak()
many = sum(1 for found in predictor.predict_each(file for _ in range(10) for file in files))
heavy = ("keras", "tensorflow", "sklearn", "scipy", "matplotlib", "h5py", "rich", "openvino.tools.ovc")
print(json.dumps([answer.probabilities, many, first, warm, peak(), [name for name in heavy if name in sys.modules]]))
"""
    files = [str(file) for file in sorted(photos.rglob("*.png"))]
    command = [sys.executable, "-c", code, str(run.folder), *files]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    probabilities, many, first, warm, after, heavy = json.loads(result.stdout)
    assert heavy == []
    assert many == 800
    assert probabilities == pytest.approx(classifier.predict(files[0]).probabilities, abs=1e-4)
    assert first < 250, "megabytes"
    assert after - warm < 10


# Any number of pictures


def test_errors_stand_in_their_places(predictor, cells, tmp_path):
    good = cells["defective"][:3]
    (tmp_path / "words.jpg").write_text("words")
    pictures = [b"", good[0], tmp_path / "words.jpg", b"x", good[1], good[2], tmp_path / "missing.png"]
    found = list(predictor.predict_each(pictures))
    assert [isinstance(each, ImageError) for each in found] == [True, False, True, True, False, False, True]
    assert [each for each in found if not isinstance(each, ImageError)] == predictor.predict(good)
    assert "is empty" in str(found[0])
    assert "words.jpg' is not an image" in str(found[2])
    assert "missing.png' cannot be opened" in str(found[6])
    assert [str(each) for each in predictor.predict_each([b""] * 100)] == ["is empty (0 bytes)"] * 100


def test_pictures_are_taken_as_they_are_needed(predictor, cells):
    """A generator that never ends is answered, and not read further than a few ahead; in their order."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield cells["defective"][taken % 7]

    answers = predictor.predict_each(endless())
    found = [next(answers) for _ in range(40)]
    assert taken <= 40 + DECODED_AHEAD + 10
    expected = predictor.predict([cells["defective"][number % 7] for number in range(1, 41)])
    assert found == expected
    answers.close()


def test_threads_may_ask_at_the_same_time(predictor, cells):
    files = cells["defective"][:12]
    expected = predictor.predict(files)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda file: predictor.predict(file), files * 5)) == expected * 5


def test_promises_are_those_of_the_classifier(predictor, classifier, cells):
    files = cells["functional"][:10]
    for promise in ({"accuracy": 0.8}, {"coverage": 0.8}):
        assert_alike(predictor.predict(files, **promise), classifier.predict(files, **promise))
    for wrong in ({"accuracy": 2.0}, {"accuracy": 0.9, "coverage": 0.9}):
        with pytest.raises(ModelError, match=r"was given|were given"):
            predictor.predict_each(files, **wrong)


def test_where_an_answer_comes_from(predictor, classifier, cells):
    path = cells["defective"][0]
    found = predictor.explain(path)
    assert found.prediction == predictor.predict(path)
    look = classifier.network.forward(read_image(path, classifier.image_size)[None], maps=True)
    label = classifier.class_names.index(found.prediction.label)
    kernel, bias = classifier.network.head
    expected = class_map([each[0] for each in look.maps], kernel, bias, label)
    np.testing.assert_allclose(found.places, expected, atol=1e-3)
    np.testing.assert_allclose(classifier.explain(path).places, expected, atol=1e-3)
    with pytest.raises(ImageError):
        predictor.explain(b"words")


# Folders that are not whole, and those without an engine


def flip(file: Path) -> None:
    """One bit in its middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def spoil(folder: Path, **values: object) -> None:
    card = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps(card | values))


@pytest.mark.parametrize(("change", "message"), [
    (lambda f: (f / "engine" / "network.bin").unlink(), "network.bin' is missing. Copy the whole folder"),
    (lambda f: shutil.rmtree(f / "engine"), "network.* is missing. Copy the whole folder"),
    (lambda f: (f / "engine" / "network.xml").write_text("<net/>"), "network.xml' was changed after it was saved"),
    (lambda f: (f / "engine" / "network.bin").write_bytes(b"x"), "network.bin' was changed after it was saved"),
    (lambda f: (f / "classifier.json").unlink(), "holds no classifier.json"),
    (lambda f: (f / "known.npy").unlink(), "known.npy' is missing"),
    (lambda f: flip(f / "known.npy"), "known.npy' was changed after it was saved"),
    (lambda f: spoil(f, class_names=None), "classifier.json' is damaged: class_names is missing or of another kind"),
    (lambda f: spoil(f, image_size="64"), "classifier.json' is damaged: image_size is missing or of another kind"),
    (lambda f: spoil(f, hashes={}), "classifier.json' is damaged: hashes is missing or of another kind"),
    (lambda f: (f / "classifier.json").write_text("[1]"), "classifier.json' is damaged: schema, class_names, "),
])  # fmt: skip
def test_a_damaged_folder(run, tmp_path, change, message):
    folder = shutil.copytree(run.folder, tmp_path / "copy")
    change(folder)
    with pytest.raises(RunError, match=message):
        hs.Predictor(folder)


def test_who_writes_over_the_files_of_a_predictor_changes_nothing(run, cells, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "copy")
    predictor, file = hs.Predictor(folder), cells["functional"][3]
    before, (kernel, _) = predictor.explain(file), predictor.head
    was = kernel.copy()
    for path in (folder / "engine" / "network.bin", folder / "known.npy"):
        with path.open("r+b") as opened:
            opened.write(bytes(path.stat().st_size))
        os.truncate(path, 0)
    after = predictor.explain(file)
    assert after.prediction == before.prediction
    np.testing.assert_array_equal(after.places, before.places)
    np.testing.assert_array_equal(kernel, was)


def test_what_it_does_not_use_need_not_be_there(run, predictor, cells, tmp_path):
    for name in ("classifier.json", "known.npy"):
        shutil.copy(run.folder / name, tmp_path)
    shutil.copytree(run.folder / "engine", tmp_path / "engine")
    file = cells["functional"][3]
    assert hs.Predictor(tmp_path).predict(file) == predictor.predict(file)


def test_without_an_engine_keras_answers_and_one_line_says_so(tiny, tiny_run, cells, tmp_path, monkeypatch):
    files = cells["functional"][:5]
    classifier, predictor = hs.load(tiny_run.folder), hs.Predictor(tiny_run.folder)
    predictions, places = predictor.predict(files), predictor.explain(files[0]).places
    find_spec = openvino.importlib.util.find_spec
    monkeypatch.setattr(openvino.importlib.util, "find_spec", lambda name: None)
    classifier.save(tmp_path / "saved")
    assert not (tmp_path / "saved" / "engine").exists()
    said = []
    for folder in (tiny_run.folder, tmp_path / "saved"):
        listener = Listener()
        by_keras = hs.Predictor(folder, listener=listener)
        assert_alike(by_keras.predict(files), predictions)
        np.testing.assert_allclose(by_keras.explain(files[0]).places, places, atol=1e-3)
        said += listener.lines
    missing = "OpenVINO is not installed: pip install openvino. Keras predicts instead, more slowly."
    assert said == [missing, missing]
    monkeypatch.setattr(openvino.importlib.util, "find_spec", find_spec)
    card = json.loads((tmp_path / "saved" / "classifier.json").read_text("utf-8"))
    del card["no_engine"]  # as in the runs of earlier versions
    (tmp_path / "saved" / "classifier.json").write_text(json.dumps(card), "utf-8")
    listener = Listener()
    hs.Predictor(tmp_path / "saved", listener=listener)
    assert "was saved without an engine. Keras predicts instead, more slowly." in listener.lines[0]
    (tmp_path / "saved" / "model.keras").unlink()
    with pytest.raises(RunError, match=r"model\.keras' is missing"):
        hs.Predictor(tmp_path / "saved", listener=listener)


# The command


@pytest.fixture
def call(run, monkeypatch, capfd):
    """call("x.jpg", "--top", 2) runs `headstart predict RUN ...` and gives its status and what it wrote."""

    def predict(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["headstart", "predict", str(run.folder), *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return int(stopped.value.code or 0), *capfd.readouterr()

    return predict


@pytest.fixture
def mixed(photos, tmp_path) -> Path:
    """Two folders with photos of the same names, one of them unreadable."""
    for folder, source in (("a", "defective"), ("b", "functional")):
        (tmp_path / "mixed" / folder).mkdir(parents=True)
        for number, path in enumerate(sorted((photos / source).iterdir())[:2]):
            shutil.copy(path, tmp_path / "mixed" / folder / f"{number}.png")
    (tmp_path / "mixed" / "a" / "broken.jpg").write_text("words")
    return tmp_path / "mixed"


def test_csv(call, mixed, predictor):
    status, output, errors = call(mixed, "--format", "csv", "--top", 2)
    assert (status, errors) == (2, f"'{mixed / 'a' / 'broken.jpg'}' is not an image that headstart reads: "
                                   "it is text.\n")  # fmt: skip
    rows = list(csv.DictReader(output.splitlines()))
    assert [row["path"] for row in rows] == [
        str(mixed / name) for name in ("a/0.png", "a/1.png", "a/broken.jpg", "b/0.png", "b/1.png")
    ]
    assert ["is not an image" in row["error"] for row in rows] == [False, False, True, False, False]
    for row in rows:
        if not row["error"]:
            answer = predictor.predict(row["path"])
            labels = list(answer.probabilities)
            assert [row["label"], row["label_2"]] == labels
            assert float(row["probability"]) == pytest.approx(answer.probability, abs=1e-6)
            assert float(row["probability_2"]) == pytest.approx(1 - answer.probability, abs=1e-5)
            assert row["sure"] == str(answer.sure).lower()
            assert row["familiar"] == str(answer.familiar).lower()
    rows = list(csv.DictReader(call(mixed / "b", "--format", "csv", "--coverage", 0.9)[1].splitlines()))
    assert all(set(row["candidates"].split("|")) <= {"", *predictor.class_names} for row in rows)


def test_json_lines_into_a_file(call, mixed, predictor, tmp_path):
    out = tmp_path / "answers" / "found.jsonl"
    status, output, errors = call(mixed, "--out", out)
    assert (status, output) == (2, "")
    assert "broken.jpg' is not an image" in errors
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [sorted(row) for row in rows if "error" in row] == [["error", "path"]]
    for row in rows:
        if "error" not in row:
            assert row["probabilities"] == predictor.predict(row["path"]).probabilities
    status, _, errors = call(mixed / "b", "--out", out)
    assert status == 2
    assert "exists already" in errors
    assert len(out.read_text("utf-8").splitlines()) == 5, "it is left as it was"


def test_explanations_lie_in_a_new_folder(call, mixed, tmp_path):
    folder = tmp_path / "why"
    status, output, errors = call(mixed, "--explain", folder, "--format", "jsonl")
    assert status == 2
    assert "broken.jpg" in errors
    rows = [json.loads(line) for line in output.splitlines()]
    pictures = [Path(row["explanation"]) for row in rows if "error" not in row]
    assert [path.name for path in pictures] == ["1-0.jpg", "2-1.jpg", "4-0.jpg", "5-1.jpg"]
    assert sorted(folder.glob("*.jpg")) == pictures
    for picture, row in zip(pictures, (rows[0], rows[1], rows[3], rows[4]), strict=True):
        photo = Image.open(row["path"])
        shown = Image.open(picture)
        assert shown.size == photo.size, "smaller than it may be shown: in its own size and shape"
        assert max(shown.size) <= SHOWN
        assert np.asarray(shown).mean() < 0.95 * np.asarray(photo.convert("RGB")).mean(), "parts of it are dark"
    status, output, errors = call(mixed / "b", "--explain", folder)
    assert (status, output) == (2, "")
    assert "why' exists already" in errors


def test_patterns_that_the_shell_does_not_know(call, mixed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (mixed / "b" / "notes.txt").write_text("no photo")
    status, output, _ = call("mixed/**/*")
    assert status == 2, "the unreadable one ends like a photo; the notes do not"
    assert [line.split()[0] for line in output.splitlines()] == [
        str(Path("mixed", name)) for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png")
    ]
    status, output, _ = call("mixed/b/[0-9].png", "mixed/a/1.png")
    assert (status, len(output.splitlines())) == (0, 3)
    shutil.copy(mixed / "b" / "0.png", mixed / "b" / "odd[1].png")
    status, output, _ = call("mixed/b/odd[1].png")
    assert (status, output.split()[0]) == (0, "mixed/b/odd[1].png"), "a file of that very name"
    status, output, errors = call("mixed/**/*.bmp")
    assert (status, output) == (2, "")
    assert "No image matches 'mixed/**/*.bmp'" in errors


def test_what_the_command_refuses(call, mixed, tmp_path):
    for arguments, message in (
        (["--format", "xml"], "no format 'xml'. Choose one of: text, csv, jsonl, json"),
        (["--accuracy", 3, "--out", tmp_path / "out.csv", "--explain", tmp_path / "why"], "accuracy 3 was given"),
        (["--out", mixed / "a" / "0.png" / "out.csv"], "cannot be written"),
        (["--explain", mixed / "a" / "0.png" / "why"], "cannot be written"),
    ):
        status, output, errors = call(mixed / "b", *arguments)
        assert (status, output) == (2, ""), arguments
        assert message in errors
    assert [path.name for path in tmp_path.iterdir()] == ["mixed"]


def test_answers_come_one_by_one_with_a_line_of_progress(call, photos, monkeypatch):
    """Many photos into a pipe: progress on standard error alone."""
    monkeypatch.setattr("headstart.listeners.console.SECONDS_BETWEEN_LINES", 0.0)
    status, output, errors = call(photos)
    assert status == 0
    assert len(output.splitlines()) == 80
    assert "Predicting: 80 of 80" in errors
    assert "Predicting" not in call(next(photos.rglob("*.png")))[2]


def test_a_photo_that_vanishes_before_it_is_drawn_upon(run, mixed, tmp_path):
    class Forgetful(hs.Predictor):
        def explain_each(self, pictures, **promise):
            for number, found in enumerate(super().explain_each(pictures, **promise)):
                if number == 1:
                    Path(pictures[1]).unlink()
                yield found

    files = [str(shutil.copy(mixed / "b" / "0.png", tmp_path / f"{number}.png")) for number in range(3)]
    rows = list(predict_files(Forgetful(run.folder), files, explain=tmp_path / "why"))
    assert [isinstance(row.found, ImageError) for row in rows] == [False, True, False]
    assert "1.png' cannot be opened" in str(rows[1].found)
    assert [path.name for path in sorted((tmp_path / "why").glob("*.jpg"))] == ["1-0.jpg", "3-2.jpg"]


def test_pictures_of_explanations_have_names_that_every_system_allows(run, mixed, tmp_path):
    names = ["aux.png", "a:b?.png", "NUL.tar.png", "x" * 200 + ".png", "dot .png"]
    if sys.platform == "win32":
        names = names[3:4]
    files = [str(shutil.copy(mixed / "b" / "0.png", tmp_path / name)) for name in names]
    list(predict_files(hs.Predictor(run.folder), files, explain=tmp_path / "why"))
    pictures = [path.name for path in (tmp_path / "why").glob("*.jpg")]
    assert len(pictures) == len(names)
    assert all(portable(name) == name for name in pictures)


def test_a_path_that_is_no_text(call, mixed, tmp_path):
    """Linux allows any bytes in a name; one such photo among thousands must not stop the rest."""
    if sys.platform != "linux":
        return
    name = os.fsencode(mixed / "b") + b"/\xff.png"
    shutil.copy(os.fsencode(mixed / "b" / "0.png"), name)
    for form in ("text", "csv", "jsonl", "json"):
        status, output, errors = call(mixed / "b", "--format", form, "--explain", tmp_path / form)
        assert status == 0, errors
        assert "\\xff.png" in output
        status, _, errors = call(mixed / "b", "--format", form, "--out", tmp_path / f"answers.{form}")
        assert status == 0, errors
        assert "\\xff.png" in (tmp_path / f"answers.{form}").read_text("utf-8")


def test_what_is_not_certain_is_never_called_so():
    shares = (1.0, 0.99995, 0.9994, 0.5, 0.0006, 1e-9, 0.0)
    assert [*map(percent, shares)] == ["100.0%", "over 99.9%", "99.9%", "50.0%", "0.1%", "under 0.1%", "0.0%"]
