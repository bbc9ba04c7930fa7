"""What lies in the package in the place of Keras is what Keras gives."""

import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headstart as hs
from headstart.engines.base import Compute, in_batches, run_all
from headstart.engines.opening import open_engine
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import BACKBONES
from headstart.models.composing import compose, summary_of
from headstart.models.network import Network
from headstart.models.packaged import CONFIG, PackagedTemplate
from headstart.models.weights import load_base
from headstart.numerics import num_logits

NAMES = [name for name, row in BACKBONES.items() if row.network]


def composed(name: str, size: int, classes: int) -> keras.Model:
    base = load_base(name, size)
    base.trainable = False
    settings = {"num_classes": classes, "dropout": 0.0, "seed": 0, "depths": True}
    return compose(base, backbone=name, image_size=size, **settings)


@pytest.mark.parametrize("size", [224, 160, 99])
@pytest.mark.parametrize("name", NAMES)
def test_the_frozen_network_gives_what_keras_gives(name, size, tmp_path, monkeypatch):
    """All features and all feature maps, at the usual size, at a smaller one and at an odd one."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    spec = FeatureSpec(name, size, depths=True)
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 3), dtype=np.uint8)

    def never():
        raise AssertionError("Keras was asked for")

    engine = open_engine(never, Compute(), key=spec.network_key, write=spec.write_frozen, listener=hs.Quiet())
    found = run_all(engine, in_batches(images, engine.batch_size), len(images))
    expected = spec.frozen_network(load_base(name, size))(images.astype(np.float32), training=False)
    assert len(found) == len(expected)
    for one, other in zip(found, map(np.asarray, expected), strict=True):
        assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(other)


@pytest.mark.parametrize(("size", "classes"), [(224, 2), (160, 3), (99, 12)])
@pytest.mark.parametrize("name", NAMES)
def test_a_filled_template_is_the_model_that_keras_would_have_saved(name, size, classes, tmp_path):
    logits = num_logits(classes)
    network = Network.pretrained(name, size, "pretrained", num_classes=classes, dropout=0.0, seed=None, depths=True)
    model = composed(name, size, classes)
    expected = summary_of(model)
    found = network.summary
    for fact in ("base_layers", "base_parameters", "shapes", "parameters", "trainable_parameters"):
        assert getattr(found, fact) == getattr(expected, fact)
    rng = np.random.default_rng(0)
    numbers = expected.shapes[-2][0]
    kernel, bias = rng.normal(size=(numbers, logits)).astype(np.float32), rng.normal(size=logits).astype(np.float32)
    network.set_head(kernel, bias)
    network.write(tmp_path / "written.keras")
    assert not network.is_built, "Keras was not asked for"
    loaded = keras.models.load_model(tmp_path / "written.keras")
    model.get_layer("logits").set_weights([kernel, bias])
    model.save(tmp_path / "plain.keras")
    for mine, plain in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, plain)
    images = rng.integers(0, 256, (2, size, size, 3)).astype(np.float32)
    np.testing.assert_allclose(loaded(images), model(images), rtol=1e-5, atol=1e-4)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert shapes_in(tmp_path / "written.keras") == shapes_in(tmp_path / "plain.keras")


def shapes_in(file) -> list:
    """All shapes that a config names, in their order."""
    found = []

    def look(tree) -> None:
        if isinstance(tree, dict):
            for key, value in tree.items():
                found.append(value) if key in ("shape", "batch_shape", "input_shape", "units") else look(value)
        elif isinstance(tree, list):
            for value in tree:
                look(value)

    with zipfile.ZipFile(file) as archive:
        look(json.loads(archive.read(CONFIG)))
    return found


@given(st.integers(32, 600), st.integers(2, 2_000))
def test_the_table_of_layers(size, classes):
    template = PackagedTemplate.find(
        "efficientnet_lite0", size, "pretrained", logits=num_logits(classes), dropout=0.0, depths=True
    )
    assert template
    lines = template.summary.nested_table.splitlines()
    assert len(lines) == template.summary.base_layers + 3
    assert len(set(map(len, lines))) == 1
    assert f"{size} x {size} x 3" in lines[1]


def test_other_weights_and_other_heads_are_not_packaged(tmp_path):

    def found(name="efficientnet_lite0", weights="pretrained", dropout=0.0, depths=True):
        return PackagedTemplate.find(name, 224, weights, logits=1, dropout=dropout, depths=depths)

    assert found()
    assert not any((found(dropout=0.2), found(depths=False), found(weights=tmp_path / "w"), found("mobilenet_v2")))
    spec = FeatureSpec("efficientnet_lite0", 224, depths=True)
    assert spec.packaged_network
    for other in (replace(spec, depths=False), replace(spec, cut="fine_tuning"), replace(spec, weights=tmp_path / "w")):
        assert other.packaged_network is None
