"""headstart where neither Keras nor TensorFlow is installed: all but what steps, and other bases."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import headstart as hs
from headstart.data.images import read_image

CODE = """
import json, sys
sys.modules["keras"] = sys.modules["tensorflow"] = None   # importing them fails from here on
import headstart as hs
from headstart import commands
from headstart.errors import HeadstartError

photos, out = sys.argv[1:3]
lines, said = [], {}

class Listener:
    def emit(self, event):
        lines.append(getattr(event, "text", ""))
    def cancelled(self):
        return False

settings = {"image_size": 64, "views": "original"}
run = hs.make_run(photos, out + "/run", seed=3, listener=Listener(), **settings)
files = sorted(str(path) for path in __import__("pathlib").Path(photos).rglob("*.png"))[:4]
said["lines"] = lines
said["heavy"] = [name for name in ("sklearn", "scipy.stats", "pandas", "matplotlib") if name in sys.modules]
said["predicted"] = [each.probabilities for each in hs.Predictor(run.folder).predict(files)]
said["by classifier"] = [each.probabilities for each in hs.load(run.folder).predict(files)]
dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
classifier = hs.train(dataset, listener=hs.Quiet(), **settings)
said["trained"] = classifier.explain(files[0]).places.shape
said["evaluated"] = commands.evaluate(run.folder, photos, listener=hs.Quiet()).evaluation.accuracy.count
said["inspected"] = hs.inspect(photos, image_size=64, listener=hs.Quiet()).images
said["backbones"] = commands.backbones(photos, image_size=64, listener=hs.Quiet()).to_json()
for name, settings in {
    "always": {"fine_tune": "always"}, "tutorial": {"recipe": "tutorial"}, "base": {"backbone": "mobilenet_v2"},
}.items():
    try:
        commands.train(photos, out + "/refused", image_size=64, listener=hs.Quiet(), **settings)
    except HeadstartError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(photos, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("without")
    command = [sys.executable, "-c", CODE, str(photos), str(folder)]
    # a cache of its own: with a base that Keras has built before, a head is trained without it, too
    environment = {**os.environ, "HEADSTART_CACHE": str(folder / "cache")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.strip().splitlines()[-1]) | {"folder": folder}


def test_a_head_is_trained_and_used(said, photos):
    assert "No fine-tuning: it needs Keras: pip install 'headstart[tune]'" in said["lines"]
    for one, other in zip(said["predicted"], said["by classifier"], strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert said["trained"] == [32, 32]
    assert said["evaluated"] > 0
    assert said["inspected"] == 80


def test_a_training_imports_nothing_that_takes_a_second(said):
    """scikit-learn, and with it SciPy's statistics, takes as long as all else together; pictures have their process."""
    assert said["heavy"] == []


def test_the_model_is_one_that_keras_loads(said, photos):
    """Here, where Keras is installed; it answers as the engine did there."""
    classifier = hs.load(said["folder"] / "run")
    files = sorted(photos.rglob("*.png"))[:4]
    pixels = np.stack([read_image(file, 64) for file in files])
    found = classifier.calibration.probabilities(np.asarray(classifier.model(pixels.astype("float32"))))
    expected = [[each[name] for name in classifier.class_names] for each in said["predicted"]]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["always", "tutorial", "base"])
def test_what_needs_keras_says_so_in_a_sentence(said, name):
    assert "pip install 'headstart[tune]'" in said[name]
    assert not list(said["folder"].glob("refused*")), "and leaves nothing"


def test_bases_that_need_keras_are_left_out_of_a_comparison(said):
    assert [row["backbone"] for row in said["backbones"]["candidates"]] == ["efficientnet_lite0"]
    assert "headstart[tune]" in said["backbones"]["left_out"]["mobilenet_v2"]
