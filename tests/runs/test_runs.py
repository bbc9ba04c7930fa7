"""Run folders: what is in them, and that they are complete or absent, whatever happens on the way."""

import csv
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

import headstart as hs
from headstart.classifier.calibration import Calibration
from headstart.commands.run_splits import copy_groups
from headstart.errors import RunError, RunInterruptedError
from headstart.evaluation.guarantees import measure_guarantees
from headstart.evaluation.metrics import measure
from headstart.statistics import Disagreement
from headstart.training import trainer
from headstart.training.config import TrainingConfig
from headstart.training.cross_validation import Gain
from support.planted import copies, jpeg, tiles
from support.recording import Recorder as Listener
from support.sizes import SMALL
from support.small_collections import split_of

FILES = {
    "README.md", "classifier.json", "engine", "history.csv", "known.npy", "metrics.json", "model.keras", "plots",
    "predictions.csv", "report.html", "splits.csv", "summary.txt",
}  # fmt: skip
PICTURES = {
    "augmentation.png", "confusion_matrix.png", "curves.png", "explanations.png", "learning_curves.png", "mistakes.png",
    "predictions.png", "reliability.png", "samples.png",
}  # fmt: skip


def history(folder: Path) -> list[dict[str, str]]:
    """history.csv without the seconds, which no seed fixes."""
    with (folder / "history.csv").open() as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def read_table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_what_a_run_leaves_behind(run):
    assert {path.name for path in run.folder.iterdir()} == FILES
    assert {path.name for path in (run.folder / "plots").iterdir()} == PICTURES
    assert not run.folder.with_name("cells.partial").exists()
    for path in (run.folder / "plots").iterdir():
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 150
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20, "not an empty page"


def test_metrics(run):
    numbers = json.loads((run.folder / "metrics.json").read_text())
    assert numbers == run.metrics
    assert list(numbers)[:9] == [
        "schema", "class_names", "backbone", "image_size", "recipe", "seed", "train", "validation", "test",
    ]  # fmt: skip
    assert numbers["schema"] == 1
    assert numbers["class_names"] == ["defective", "functional"]
    with (run.folder / "splits.csv").open() as file:
        rows = list(csv.DictReader(file))
    for split in ("train", "validation", "test"):
        accuracy = numbers[split]["accuracy"]
        assert accuracy["count"] == sum(row["split"] == split for row in rows)
        assert accuracy["value"] == accuracy["correct"] / accuracy["count"]
        assert accuracy["low"] < accuracy["value"] < accuracy["high"] or accuracy["value"] in (0, 1)
        assert np.trace(numbers[split]["confusion"]) == accuracy["correct"]
        assert np.sum(numbers[split]["confusion"]) == accuracy["count"]
    head, top = numbers["phases"]
    assert (head["name"], head["epochs"], head["parameters"]) == ("feature_extraction", 2, 2_259_265)
    assert (head["trainable_parameters"], head["trainable_variables"]) == (1_281, 2)
    assert (top["trainable_parameters"], top["trainable_variables"]) == (1_862_721, 56)
    assert top["validation"]["accuracy"]["count"] == numbers["validation"]["accuracy"]["count"]
    assert top["validation"]["accuracy"]["correct"] == numbers["validation"]["accuracy"]["correct"]
    assert numbers["seconds"]["total"] > numbers["seconds"]["epochs"] > 0


def test_history(run):
    assert list(history(run.folder)[0]) == [
        "phase", "epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy",
    ]  # fmt: skip
    assert [row["epoch"] for row in history(run.folder)] == ["1", "2", "3", "4"]


def test_splits_are_a_dataset(run, photos):
    """splits.csv says where each image is, with its hash, and can be trained on again."""
    import hashlib

    with (run.folder / "splits.csv").open() as file:
        for row in csv.DictReader(file):
            assert Path(row["path"]).parent == photos / row["label"]
            assert hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest() == row["hash"]
    dataset = hs.load_dataset(run.folder / "splits.csv", listener=hs.Quiet())
    assert len(dataset) == 80
    assert split_of(dataset) == {Path(row["path"]).name: row["split"] for row in read_table(run.folder / "splits.csv")}


def test_near_copies_are_on_one_side_of_the_splits(tmp_path):
    """30 photos, each in two to four nearly equal versions."""
    for number, image in enumerate(tiles()[:30]):
        folder = tmp_path / "photos" / ("a" if number % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(jpeg(image))
        for kind, content in list(copies(image).items())[: 1 + number % 3]:
            (folder / f"{number}-{kind}.jpg").write_bytes(content)
    listener = Listener()
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    run = hs.make_run(tmp_path / "photos", tmp_path / "run", recipe=recipe, image_size=160, listener=listener)
    sides: dict[str, set[str]] = {}
    for row in read_table(run.folder / "splits.csv"):
        sides.setdefault(Path(row["path"]).stem.partition("-")[0], set()).add(row["split"])
    # of a few of these enlarged tiles, compressing them anew leaves too little of the structure
    assert sum(len(side) == 1 for side in sides.values()) >= 26
    assert set.union(*sides.values()) == {"train", "validation", "test"}
    assert any(re.match(r"30 groups of copies, (8[5-9]|90) images in all", line) for line in listener.lines)


def test_report_is_one_page_that_needs_nothing_else(run):
    page = (run.folder / "report.html").read_text("utf-8")
    accuracy = run.metrics["test"]["accuracy"]
    assert f"{accuracy['correct']} of {accuracy['count']} test images are classified correctly" in page
    assert page.count("<img") == len(PICTURES)
    assert page.count('src="data:image/webp;base64,') == len(PICTURES)
    assert "http://" not in page
    assert "https://" not in page
    assert "1,862,721" in page
    assert len(page) < 2_500_000


def test_summary_lists_every_layer(run):
    text = (run.folder / "summary.txt").read_text("utf-8")
    for name in ("Conv1", "block_16_project_BN", "global_average_pooling2d", "2,259,265"):
        assert name in text


# Stopped and resumed


def start(photos: Path, out: Path, weights: Path, *more: str) -> subprocess.Popen:
    """`headstart train`, with the tiny base."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
    code += f"from support.tiny import main\nmain({str(weights)!r})"
    command = [sys.executable, "-c", code, "train", str(photos), "--out", str(out), "--backbone", "tiny"]
    command += ["--recipe", "tutorial", "--epochs", "2", "--image-size", "32", "--seed", "3", *more]
    # a job in a shell's background ignores SIGINT, and hands that on
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=listening)


def wait_for(path: Path, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.02)


@pytest.mark.process
def test_interrupted_killed_and_resumed(tiny, tiny_run, tiny_weights, photos, recipe, tmp_path):
    """Ctrl-C after an epoch, a kill after another, and the same history and weights as without either."""
    run, settings = tiny_run, {"recipe": recipe, "backbone": tiny, "image_size": 32}
    out, partial = tmp_path / "run", tmp_path / "run.partial"
    process = start(photos, out, tiny_weights)
    wait_for(partial / "checkpoints" / "epoch-001", process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert "Traceback" not in errors
    assert errors.rstrip().splitlines()[-1].startswith(f"Stopped. Kept in '{partial}': ")
    assert "--resume" in errors
    assert not out.exists()

    with pytest.raises(RunError, match=r"A partial run .* add --resume"):
        hs.make_run(photos, out, seed=3, listener=hs.Quiet(), **settings)
    with pytest.raises(RunError, match=r"other settings: seed was 3, now 4"):
        hs.make_run(photos, out, seed=4, resume=True, listener=hs.Quiet(), **settings)
    changed = {**settings, "resizing": "crop", "seed": 3}
    with pytest.raises(RunError, match=r"other settings: resizing was 'stretch', now 'crop'"):
        hs.make_run(photos, out, resume=True, listener=hs.Quiet(), **changed)

    process = start(photos, out, tiny_weights, "--resume")
    wait_for(partial / "checkpoints" / "epoch-003", process)
    process.kill()
    process.wait()  # not `communicate`: the process that draws outlives it for a while, and holds the other end
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    assert not out.exists()
    assert (partial / "splits.csv").read_text() == (run.folder / "splits.csv").read_text()

    resumed = hs.make_run(photos, out, seed=3, resume=True, listener=hs.Quiet(), **settings)
    assert history(resumed.folder) == history(run.folder)
    assert {path.name for path in out.iterdir()} == FILES
    assert not partial.exists()
    ours, theirs = hs.load(out).model.get_weights(), hs.load(run.folder).model.get_weights()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def settings_of(recipe: hs.Recipe) -> TrainingConfig:
    return TrainingConfig.of(
        recipe=recipe, backbone="tiny", image_size=32, resizing="stretch", weights="pretrained", seed=0,
        execution="cached", precision="float32",
    )  # fmt: skip


def trained(dataset: hs.Dataset, folder: Path | None, recipe: hs.Recipe) -> trainer.Trained:
    """Without the rest of a run."""
    return trainer.train_classifier(dataset, settings_of(recipe), checkpoint_folder=folder, listener=hs.Quiet())


@pytest.mark.parametrize("few", [False, True])
def test_fine_tuning_is_resumed(few, photos, tiny, tmp_path, monkeypatch):
    """The recipe `fast`, stopped in its fine-tuning: averages, best weights and views are found again. few: validation
    images, so that cross-validation has said before that it helps, which is not asked again."""
    asked, gain = [], Gain(0.5, 0.4, 0.01, Disagreement(1, 2, 1.0), 60)
    monkeypatch.setattr(trainer, "FEW", 10_000 if few else 0)
    monkeypatch.setattr(trainer, "gain_of", lambda *given: asked.append(1) or gain)
    recipe = hs.RECIPES["fast"].with_epochs(3)
    settings = {"recipe": recipe, "backbone": tiny, "image_size": 32}

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(RunInterruptedError, match=r"Kept in .* 2 epochs"):
        hs.make_run(photos, tmp_path / "stopped", listener=Watcher(3, stop), **settings)
    stopped = hs.make_run(photos, tmp_path / "stopped", listener=hs.Quiet(), resume=True, **settings)
    assert len(asked) == few
    dataset = hs.load_dataset(
        stopped.folder / "splits.csv",
        groups=lambda images, drawn: copy_groups(images, drawn, settings_of(recipe), hs.Quiet()),
        listener=hs.Quiet(),
    )
    whole = trained(dataset, None, recipe)
    rows = [{key: str(value) for key, value in row.items() if key != "seconds"} for row in whole.classifier.history]
    assert history(stopped.folder) == rows
    held_out = dataset.validation
    calibration = whole.classifier.calibration
    assert isinstance(calibration, Calibration)
    found = measure(whole.logits(held_out), held_out.labels, whole.classifier.class_names, calibration)
    assert stopped.metrics["validation"] == found.to_json() | {"promises": measure_guarantees(found).to_json()}
    judgement = whole.classifier.phases[1]["judgement"]
    assert stopped.metrics["phases"][1]["judgement"] == judgement
    assert (judgement is None) == few
    if judgement:
        assert f"<p>{escape(judgement['verdict'])}</p>" in (stopped.folder / "report.html").read_text("utf-8")


@pytest.mark.training
def test_a_training_that_is_stopped_at_its_very_end(photos, tiny, tmp_path):
    """What fine-tuning ends with are the averaged weights, not those of its last step: they are found again."""
    recipe = hs.RECIPES["fast"].always_fine_tuned().with_epochs(2)
    dataset = hs.load_dataset(photos, listener=hs.Quiet())
    first, again = (trained(dataset, tmp_path / "checkpoints", recipe) for _ in range(2))
    np.testing.assert_allclose(again.logits(dataset.validation), first.logits(dataset.validation), atol=1e-5)
    assert again.classifier.history == first.classifier.history


def test_images_that_changed_meanwhile(photos, recipe, tmp_path, monkeypatch):
    root = shutil.copytree(photos, tmp_path / "photos")

    def stop_after_an_epoch(*arguments, **settings):
        (settings["checkpoint_folder"] / "epoch-001").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "train_classifier", stop_after_an_epoch)
    settings = {"recipe": recipe, "image_size": SMALL, "listener": hs.Quiet()}
    with pytest.raises(RunInterruptedError, match=r"Kept in .* 1 epoch"):
        hs.make_run(root, tmp_path / "run", **settings)
    next(root.rglob("*.png")).unlink()
    with pytest.raises(RunError, match="The images or their labels have changed since the run"):
        hs.make_run(root, tmp_path / "run", resume=True, **settings)
    assert (tmp_path / "run.partial" / "checkpoints" / "epoch-001").exists()


class Watcher(hs.Quiet):
    """Does something when an epoch has ended, before it is kept, or when a step starts."""

    def __init__(self, awaited: int | hs.Step, action: Callable[[], None]) -> None:
        self.awaited, self.action = awaited, action

    def emit(self, event: hs.Event) -> None:
        if isinstance(event, hs.EpochEnded) and event.epoch == self.awaited:
            self.action()
        if isinstance(event, hs.StepStarted) and event.step == self.awaited:
            self.action()


def test_full_disk_is_said_and_loses_nothing(photos, tiny, tmp_path):
    """After the first epoch the kernel refuses to let a file grow past 5 kB, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    recipe = hs.RECIPES["tutorial"].with_epochs(2).without_fine_tuning()
    settings = {"recipe": recipe, "backbone": tiny, "image_size": 32}

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))

    after_the_first = Watcher(2, fill)
    try:
        with pytest.raises(RunError, match=r"File too large.* Check the free space .* 1 epoch\. Resume with"):
            hs.make_run(photos, tmp_path / "run", listener=after_the_first, **settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "run").exists()
    resumed = hs.make_run(photos, tmp_path / "run", resume=True, listener=hs.Quiet(), **settings)
    assert [row["epoch"] for row in history(resumed.folder)] == ["1", "2"]


def test_an_image_that_vanishes_during_training_is_named(photos, tiny, tmp_path):
    root = shutil.copytree(photos, tmp_path / "photos")
    recipe = hs.RECIPES["tutorial"].with_epochs(1).without_fine_tuning()
    dataset = hs.load_dataset(root, listener=hs.Quiet())
    lost = Path(dataset.train.paths[5])
    watcher = Watcher(hs.Step.TRAIN_HEAD, lost.unlink)
    with pytest.raises(hs.ImageError, match=rf"{lost.name}' cannot be opened: No such file.* was it changed or moved"):
        hs.make_run(root, tmp_path / "run", recipe=recipe, backbone=tiny, image_size=32, listener=watcher)
    assert not (tmp_path / "run.partial").exists()


def test_a_place_that_is_taken_meanwhile_costs_nothing(photos, tiny, tmp_path):
    recipe = hs.RECIPES["tutorial"].with_epochs(1).without_fine_tuning()

    def take() -> None:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "notes.txt").write_text("mine")

    settings = {"recipe": recipe, "backbone": tiny, "image_size": 32}
    with pytest.raises(RunError, match="appeared while the run was being made"):
        hs.make_run(photos, tmp_path / "run", listener=Watcher(1, take), **settings)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    (tmp_path / "run.partial" / "settings.json").rename(tmp_path / "settings.json")
    with pytest.raises(RunError, match=r"settings.json is missing or damaged. Remove it to start again"):
        hs.make_run(photos, tmp_path / "run", listener=hs.Quiet(), resume=True, **settings)
    (tmp_path / "settings.json").rename(tmp_path / "run.partial" / "settings.json")
    run = hs.make_run(photos, tmp_path / "run", listener=hs.Quiet(), resume=True, **settings)
    assert {path.name for path in run.folder.iterdir()} == FILES


def test_a_failure_before_the_first_epoch_leaves_nothing(photos, tmp_path):
    with pytest.raises(hs.WeightsError):
        hs.make_run(photos, tmp_path / "run", weights=tmp_path / "missing.h5", listener=hs.Quiet())
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_exists_is_left_alone(run, photos, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    for resume in (False, True):
        with pytest.raises(RunError, match="exists already"):
            hs.make_run(photos, run.folder, resume=resume, listener=hs.Quiet())
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="exists already"):
        hs.make_run(photos, tmp_path / "file", listener=hs.Quiet())


def test_a_place_that_cannot_be_written(photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written: Not a directory"):
        hs.make_run(photos, tmp_path / "file" / "run", listener=hs.Quiet())
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(RunError, match="cannot be written: Permission denied"):
            hs.make_run(photos, tmp_path / "locked" / "run", listener=hs.Quiet())
    else:
        with pytest.raises(RunError, match="cannot be written"):
            hs.make_run(photos, "/proc/headstart/run", listener=hs.Quiet())


def test_many_classes_with_long_names_and_odd_shapes(tmp_path, cells, tiny):
    """Twenty classes, photos from 10:1 to 1:10, one file that is no image: everything is drawn and written."""
    source = Image.open(cells["defective"][0])
    for number in range(20):
        folder = tmp_path / "photos" / f"A rather long name of the species number {number} (with $ signs & <b>)"
        folder.mkdir(parents=True)
        for index, size in enumerate([(300, 30), (30, 300), (50, 50), (200, 150)]):
            source.rotate(number * 18 + index).resize(size).save(folder / f"{index}.png")
    (tmp_path / "photos" / "A rather long name of the species number 3 (with $ signs & <b>)" / "broken.jpg").touch()
    recipe = hs.RECIPES["tutorial"].with_epochs(1).without_fine_tuning()
    out = tmp_path / "run"
    run = hs.make_run(tmp_path / "photos", out, recipe=recipe, backbone=tiny, image_size=32, listener=hs.Quiet())
    assert len(run.metrics["class_names"]) == 20
    assert len(run.pictures) == 8  # one epoch has no curve
    page = (out / "report.html").read_text("utf-8")
    assert "&lt;b&gt;" in page
    assert "(with $ signs & <b>)" not in page, "names are escaped"
    with (out / "unreadable.csv").open() as file:
        assert [Path(row["path"]).name for row in csv.DictReader(file)] == ["broken.jpg"]
    assert "broken.jpg" in page
