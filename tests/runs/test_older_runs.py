"""A run that the first version wrote: every command opens it. (Of its cache, see features/test_store.py.)

The run of the tests is taken back to what that version knew: its files lack what came later.
"""

import json
import shutil
from pathlib import Path

import pytest

import headstart as hs
from headstart import commands
from headstart.errors import RunError
from headstart.runs.folder import METRICS, RunFolder
from headstart.serving.served import ServedModel

CARD = "classifier.json"
LATER = ("value_range", "known_values", "views", "frozen_network")  # keys of the card
LATER_METRICS = ("shortcuts", "cross_validated", "views", "precision", "training_precision")
LATER_OF_SPLITS = ("baseline", "balanced_accuracy")


@pytest.fixture(scope="module")
def older(run: hs.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("older") / "run"
    shutil.copytree(run.folder, folder)
    card = json.loads((folder / CARD).read_text("utf-8"))
    (folder / CARD).write_text(json.dumps({key: card[key] for key in card if key not in LATER}), "utf-8")
    metrics = json.loads((folder / METRICS).read_text("utf-8"))
    for split in ("train", "validation", "test"):
        metrics[split] = {key: metrics[split][key] for key in metrics[split] if key not in LATER_OF_SPLITS}
    kept = {key: metrics[key] for key in metrics if key not in LATER_METRICS}
    (folder / METRICS).write_text(json.dumps(kept), "utf-8")
    return folder


def test_its_answers_are_the_same(run, older, photos):
    files = sorted(photos.rglob("*.png"))[:6]
    assert hs.Predictor(older).predict(files) == hs.Predictor(run.folder).predict(files)
    assert hs.load(older).predict(files[0]).label == hs.load(run.folder).predict(files[0]).label
    assert hs.Predictor(older).known_values is None


def test_every_command_opens_it(run, older, photos, tmp_path):
    now, then = (commands.evaluate(each, photos, listener=hs.Quiet()) for each in (run.folder, older))
    assert then.evaluation.accuracy == now.evaluation.accuracy
    assert then.images == now.images
    assert commands.compare(older, run.folder).comparison.between.p == 1.0
    exported = tmp_path / "exported"
    commands.export(older, format="openvino", out=exported, data=photos, listener=hs.Quiet())
    assert (exported / "model.xml").is_file()
    served = ServedModel.open("older", older, show_training_images=False)
    assert served.description["metrics"]["test"]["accuracy"] == run.metrics["test"]["accuracy"]
    assert RunFolder(older).groups == {}


def test_a_run_of_a_version_to_come_says_what_to_do(older, tmp_path):
    shutil.copytree(older, tmp_path / "run")
    card = json.loads((older / CARD).read_text("utf-8"))
    (tmp_path / "run" / CARD).write_text(json.dumps(card | {"schema": 2}), "utf-8")
    with pytest.raises(RunError, match=r"has schema 2, this headstart reads 1\. Install the headstart that wrote it"):
        hs.Predictor(tmp_path / "run")
