"""A classifier whose head reads every depth is a plain Keras model, one engine, and explains itself."""

import json

import numpy as np
import pytest

import headstart as hs
from headstart.classifier.activation_map import FINEST
from headstart.commands import predict
from headstart.data.images import read_image
from headstart.data.views import VIEWS
from headstart.errors import RunError
from headstart.features.blocks import Blocks
from headstart.models.depths import block_sizes
from support.recording import Recorder

SIZE = 64


@pytest.fixture(scope="module")
def deep(tmp_path_factory, photos) -> hs.Run:
    """A run of the recipe `fast`, on the default base, with the mirrored view."""
    folder = tmp_path_factory.mktemp("deep") / "run"
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    listener = Recorder()
    run = hs.make_run(photos, folder, recipe=recipe, image_size=SIZE, seed=3, views="mirrored", listener=listener)
    assert "Views of each training image: original, mirrored." in listener.lines
    return run


@pytest.fixture(scope="module")
def classifier(deep) -> hs.Classifier:
    return hs.load(deep.folder)


@pytest.fixture(scope="module")
def files(cells) -> list:
    return [*cells["defective"][-3:], *cells["functional"][-3:]]


@pytest.fixture(scope="module")
def pixels(files) -> np.ndarray:
    return np.stack([read_image(file, SIZE) for file in files])


def test_its_head_reads_all_of_them(deep, classifier):
    kernel, bias = classifier.head
    assert kernel.shape == (sum(block_sizes("efficientnet_lite0", depths=True)), 1)
    (phase,) = deep.metrics["phases"]
    assert 0 <= phase["depth_weight"] <= 1
    assert phase["trainable_parameters"] == kernel.size + bias.size
    report = (deep.folder / "report.html").read_text("utf-8")
    assert "The head reads the mean of each channel of the base's last layer" in " ".join(report.split())


def test_its_model_needs_no_headstart(deep, classifier, pixels, plain_keras):
    found = plain_keras.loaded(deep.folder / "model.keras", pixels)["uint8"]
    np.testing.assert_allclose(found, classifier.logits([pixels]), rtol=1e-4, atol=1e-3)


def test_the_engine_answers_as_the_model_does(deep, classifier, files, pixels):
    predictor = hs.Predictor(deep.folder)
    for one, other in zip(predictor.predict(files), classifier.predict(files), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
        assert one.familiar == other.familiar
    for file in files[:2]:
        one, other = predictor.explain(file), classifier.explain(file)
        assert one.places.shape == (SIZE // 2, SIZE // 2)
        assert max(one.places.shape) <= FINEST
        np.testing.assert_allclose(one.places, other.places, atol=2e-2 * np.abs(other.places).max())


def test_it_is_saved_again_with_another_head(deep, files, tmp_path, monkeypatch):
    """The compiled network that it was loaded with is taken, and its head replaced; Keras need not convert it."""

    def never(*arguments) -> None:
        raise AssertionError("converted anew")

    monkeypatch.setattr("headstart.models.network.write_network", never)
    loaded = hs.load(deep.folder)
    kernel, bias = loaded.head
    loaded.network.set_head(-kernel, -bias)
    loaded.save(tmp_path / "again")
    before, after = hs.Predictor(deep.folder).predict(files), hs.Predictor(tmp_path / "again").predict(files)
    for one, other in zip(before, after, strict=True):
        first, second = loaded.class_names
        assert one.probabilities[first] == pytest.approx(other.probabilities[second], abs=1e-5)


def test_answers_averaged_over_views(deep, classifier, files, pixels, tmp_path):
    """The mean of the logits, of the original and of the mirrored photo; whoever runs the network."""
    assert classifier.views == ("original", "mirrored")
    logits = [classifier.logits([np.stack([VIEWS[view](image) for image in pixels])]) for view in classifier.views]
    expected = classifier.calibration.probabilities(np.mean(logits, axis=0))
    for predictor in (classifier, hs.Predictor(deep.folder)):
        found = predictor.predict(files, views=True)
        np.testing.assert_allclose(
            [[each.probabilities[name] for name in predictor.class_names] for each in found], expected, atol=1e-4
        )
        mirrored = [image[:, ::-1] for image in pixels]
        again = predictor.predict(mirrored, views=True)
        for one, other in zip(found, again, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4), "a mirrored photo is the same"
    answers = predict(deep.folder, files, views=True, listener=hs.Quiet())
    answers.write(tmp_path / "answers.json")
    written = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    assert len(written["predictions"] if isinstance(written, dict) else written) == len(files)


def test_what_averaging_brings_is_measured(deep):
    views, alone = deep.metrics["views"], deep.metrics["test"]["accuracy"]
    assert views["names"] == ["original", "mirrored"]
    assert views["accuracy"]["count"] == alone["count"]
    assert views["accuracy"]["correct"] - alone["correct"] == views["mended"] - views["spoiled"]
    assert "Averaged over 2 views" in (deep.folder / "report.html").read_text("utf-8")


def test_a_classifier_of_one_view_says_so(run, files):
    listener = Recorder()
    predict(run.folder, files[:1], views=True, listener=listener)
    assert any("no other views to average over" in line for line in listener.lines)


def test_views_that_nobody_knows(deep, tmp_path):
    import shutil

    copy = shutil.copytree(deep.folder, tmp_path / "copy")
    card = json.loads((copy / "classifier.json").read_text("utf-8"))
    (copy / "classifier.json").write_text(json.dumps(card | {"views": ["original", "sideways"]}), "utf-8")
    with pytest.raises(RunError, match="this headstart knows original, mirrored"):
        hs.Predictor(copy)
    del card["views"]
    (copy / "classifier.json").write_text(json.dumps(card), "utf-8")
    assert hs.Predictor(copy).views == ("original",), "as runs of headstart 0.1 have it"


def test_blocks_are_the_layers_numbers():
    sizes = block_sizes("efficientnet_lite0", depths=True)
    features = np.random.default_rng(0).normal(size=(12, sum(sizes))).astype(np.float32)
    factors = Blocks.of([features], sizes).weighed(0.85)
    variance = (features * factors).var(axis=0)
    assert variance[: sizes[0]].sum() == pytest.approx(0.15 * sizes[0], rel=1e-2)
    assert variance[sizes[0] :].sum() == pytest.approx(0.85 * sizes[0], rel=1e-2)
