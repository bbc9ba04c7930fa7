"""A network that is written without Keras is the one that Keras would have written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.data.batches import Batches
from headstart.models import template
from headstart.models.network import Network
from support.tiny import FEATURES

SIZE = 32


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def made(num_classes: int = 3) -> Network:
    return Network.pretrained("tiny", SIZE, "pretrained", num_classes=num_classes, dropout=0.0, seed=None)


@pytest.fixture
def kept(tmp_path_factory, tiny):
    """A cache folder with the form of `made()`."""
    folder = tmp_path_factory.mktemp("kept") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(folder))
        made()
    return folder


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_form_is_filled_in(cache, tiny, tmp_path, num_classes):
    """The first network is built by Keras, the second is not; both are loaded by plain Keras, and are equal."""
    first, second = made(num_classes), made(num_classes)
    assert first.is_built
    assert not second.is_built
    assert second.summary == first.summary
    rng = np.random.default_rng(0)
    logits = 1 if num_classes == 2 else num_classes
    kernel, bias = rng.normal(size=(FEATURES, logits)).astype(np.float32), rng.normal(size=logits).astype(np.float32)
    for number, network in enumerate((first, second)):
        network.set_head(kernel, bias)
        network.write(tmp_path / f"{number}.keras")
        np.testing.assert_array_equal(network.head[0], kernel)
    assert not second.is_built
    one, other = (keras.models.load_model(tmp_path / f"{number}.keras") for number in (0, 1))
    for mine, plain in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, plain)
    images = rng.integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    np.testing.assert_allclose(one(images), other(images), atol=1e-5)
    np.testing.assert_allclose(second.model(images), other(images), atol=1e-5)


@pytest.mark.parametrize("damage", ["cut", "flip", "no facts", "other facts", "gone"])
def test_a_damaged_form_is_not_used(cache, kept, tmp_path, damage):
    shutil.copytree(kept, cache)
    (folder,) = (cache / "networks").iterdir()
    content = (folder / "model.keras").read_bytes()
    network = made()
    if damage == "cut":
        (folder / "model.keras").write_bytes(content[:-1000])
    elif damage == "flip":
        (folder / "model.keras").write_bytes(content[:20_000] + b"\xff\xff" + content[20_002:])
    elif damage == "no facts":
        (folder / "facts.json").unlink()
    elif damage == "other facts":
        (folder / "facts.json").write_text(json.dumps({"head": 3}))
    else:
        (folder / "model.keras").unlink()
    assert template.find(folder.name) is None
    network.set_head(np.ones((FEATURES, 3), np.float32), np.zeros(3, np.float32))
    network.write(tmp_path / "written.keras")  # it was opened before the damage
    kernel, _ = keras.models.load_model(tmp_path / "written.keras").get_layer("logits").get_weights()
    np.testing.assert_array_equal(kernel, 1)
    if damage == "flip":  # one of them all the way: it is made again, and is whole
        made()
        assert not made().is_built


def test_the_second_training_needs_no_keras(photos, cache, tmp_path):
    """On the default base, not even the first does."""
    code = (
        "import sys, headstart as hs\n"
        f"settings = {{'image_size': {SIZE}, 'views': 'original', 'listener': hs.Quiet()}}\n"
        "recipe = hs.RECIPES['fast'].without_fine_tuning()\n"
        "for backbone in (None, 'mobilenet_v2'):\n"
        f"    hs.make_run({str(photos)!r}, sys.argv[1] + str(backbone), backbone=backbone, recipe=recipe, **settings)\n"
        "    print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    commands = [[sys.executable, "-c", code, f"{tmp_path}/{number}-"] for number in (1, 2)]
    said = [subprocess.run(command, capture_output=True, text=True, check=True) for command in commands]
    assert [each.stdout.splitlines() for each in said] == [["[]", "['keras', 'tensorflow']"], ["[]", "[]"]]
    for backbone in (None, "mobilenet_v2"):
        check_equal(photos, tmp_path / f"1-{backbone}", tmp_path / f"2-{backbone}")


def check_equal(photos: Path, *folders: Path) -> None:
    one, other = map(hs.load, folders)
    images, _ = Batches(hs.load_dataset(photos, listener=hs.Quiet()).validation, SIZE).batch(0)
    np.testing.assert_allclose(one.logits([images]), other.logits([images]), atol=1e-4)
    first, second = (json.loads((folder / "metrics.json").read_text()) for folder in folders)
    for numbers in (first, second):
        numbers["seconds"] = numbers["phases"][0]["seconds"] = None
    assert first == second
    answers = [hs.Predictor(folder).predict(sorted(photos.rglob("*.png"))[:8]) for folder in folders]
    assert [answer.label for answer in answers[0]] == [answer.label for answer in answers[1]]
    for found, answer in zip(answers[0], answers[1], strict=True):
        assert found.probability == pytest.approx(answer.probability, abs=1e-4)
    assert (folders[0] / "summary.txt").read_text() == (folders[1] / "summary.txt").read_text()
