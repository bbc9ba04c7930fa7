"""Every backbone of the table: its shapes, its preprocessing, and the model that is saved of it.

Each is built once, for these tests and for those of the cut, at the smallest image size that it allows and with random
weights: neither changes what is tested.
"""

import hashlib
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np
import pytest

from headstart.errors import ModelError, WeightsError
from headstart.models.backbones import BACKBONES, DEFAULT, KERAS, Backbone, get_backbone
from headstart.models.composing import compose
from headstart.models.preprocessing import preprocess
from headstart.models.weights import layer_index, load_base
from headstart.training.recipes import RECIPES
from support.bases import shared_base, smallest

# The module of keras.applications whose preprocess_input goes with a builder.
MODULES = {
    "MobileNetV2": "mobilenet_v2", "MobileNet": "mobilenet", "MobileNetV3Small": "mobilenet_v3",
    "MobileNetV3Large": "mobilenet_v3", "EfficientNetB0": "efficientnet", "EfficientNetV2B0": "efficientnet_v2",
    "EfficientNetV2B1": "efficientnet_v2", "EfficientNetV2B2": "efficientnet_v2", "EfficientNetV2B3": "efficientnet_v2",
    "EfficientNetV2S": "efficientnet_v2", "ConvNeXtTiny": "convnext", "ConvNeXtSmall": "convnext",
    "ResNet50": "resnet", "ResNet50V2": "resnet_v2", "DenseNet121": "densenet", "Xception": "xception",
    "InceptionV3": "inception_v3", "NASNetMobile": "nasnet", "VGG16": "vgg16",
}  # fmt: skip
BUILDERS = {row.builder for row in BACKBONES.values() if row.module == KERAS}  # before any fixture adds a row


def published_preprocessing(row: Backbone, images: np.ndarray) -> np.ndarray:
    if row.preprocessing == "lite":
        return (images - 127) / 128
    return getattr(keras.applications, MODULES[row.builder]).preprocess_input(images)


@pytest.mark.parametrize("name", BACKBONES)
def test_backbone(name, tmp_path):
    row, size, base = BACKBONES[name], smallest(name), shared_base(name)
    assert base.output.shape == (None, *base.output.shape[1:3], row.features)
    start = layer_index(base, row.fine_tune_from)
    assert 0 < start < len(base.layers)
    trained = sum(layer.count_params() for layer in base.layers[start:])
    assert 0.2 < trained / base.count_params() < 0.9, "fine-tuning trains the top, not all and not nothing"

    images = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("float32")
    pixels = keras.Input((size, size, 3))
    prepared = preprocess(name, pixels)
    if prepared is not pixels:
        expected = published_preprocessing(row, images.copy())
        np.testing.assert_allclose(keras.Model(pixels, prepared)(images).numpy(), expected, atol=2e-4)
    else:
        same = published_preprocessing(row, images.copy())
        np.testing.assert_array_equal(same, images, err_msg="Keras does it outside of the base after all")
        assert any(isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) for layer in base.layers)

    model = compose(base, backbone=name, image_size=size, num_classes=3, dropout=0.2, seed=0)
    logits = model(images, training=False).numpy()  # not predict: it would compile each of them
    assert logits.shape == (2, 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(images, training=False).numpy(), logits, rtol=1e-5, atol=1e-5)


def test_the_table_covers_what_keras_has():
    assert len(BACKBONES) >= 16
    assert set(MODULES) == BUILDERS
    assert DEFAULT == "efficientnet_lite0"
    assert get_backbone(DEFAULT).packaged
    assert RECIPES["tutorial"].backbone == "mobilenet_v2"


def test_unknown_backbone_and_small_images():
    with pytest.raises(ModelError, match=r"no backbone 'resnet'. Choose one of: mobilenet_v2"):
        load_base("resnet", 160)
    with pytest.raises(ModelError, match="31 x 31 pixels are too small for 'mobilenet_v2': it needs at least 32"):
        load_base("mobilenet_v2", 31)
    with pytest.raises(ModelError, match="needs at least 75"):
        load_base("inception_v3", 74, "random")


@pytest.mark.parametrize("name", [name for name, row in BACKBONES.items() if row.packaged])
def test_packaged_weights_are_the_published_ones(name):
    """The file whose provenance is in NOTICE, whatever the image size."""
    content = files("headstart.models").joinpath("files", str(BACKBONES[name].packaged)).read_bytes()
    notice = Path(__file__).parents[2].joinpath("NOTICE").read_text("utf-8")
    assert hashlib.sha256(content).hexdigest() in notice
    base = load_base(name, 96)
    assert f"{base.count_params():,} numbers" in notice
    again = load_base(name, 128)
    for one, other in zip(base.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    random = load_base(name, 96, "random")
    assert not np.allclose(base.get_weights()[0], random.get_weights()[0])


def test_weights_that_nobody_offers_are_asked_for():
    with pytest.raises(WeightsError, match=r"'efficientnet_lite2' are not part of headstart.*--weights FILE"):
        load_base("efficientnet_lite2", 64)


@pytest.mark.backbones
def test_weights_from_a_file(tmp_path):
    base = load_base("mobilenet_v3_small", 64, "random")
    for ending in (".weights.h5", ".h5"):
        file = tmp_path / f"mine{ending}"
        base.save_weights(file) if ending == ".weights.h5" else base.save(file)
        loaded = load_base("mobilenet_v3_small", 64, file)
        np.testing.assert_array_equal(loaded.get_weights()[0], base.get_weights()[0])
        with pytest.raises(WeightsError, match=r"does not fit 'mobilenet_v2' \(2,257,984 parameters"):
            load_base("mobilenet_v2", 64, file)
    (tmp_path / "words.h5").write_text("no weights")
    with pytest.raises(WeightsError, match="does not fit"):
        load_base("mobilenet_v2", 64, tmp_path / "words.h5")
    with pytest.raises(WeightsError, match="is not there"):
        load_base("mobilenet_v2", 64, tmp_path / "missing.h5")


def test_layer_index():
    base = shared_base("mobilenet_v2")
    assert layer_index(base, 100) == 100
    assert layer_index(base, "block_11_expand") == 98
    for wrong in (154, -1, "nonsense"):
        with pytest.raises(ModelError, match="it has 154, from 0"):
            layer_index(base, wrong)
