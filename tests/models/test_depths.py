"""The depths of each base: how many, which, and that they are what comes out of its layers."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import headstart as hs
from headstart.data.images import read_image
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import BACKBONES
from headstart.models.depths import channels_of, find_depths, statistics
from headstart.models.weights import load_base
from support.bases import shared_base
from support.recording import Recorder

# of each base: how many depths, how many channels together, and the layers that the first and the last but one end
ENDS = {
    "mobilenet_v2": (18, 2784, "expanded_conv_project_BN", "block_16_project_BN"),
    "mobilenet_v2_050": (18, 2040, "expanded_conv_project_BN", "block_16_project_BN"),
    "mobilenet_v2_035": (18, 1824, "expanded_conv_project_BN", "block_16_project_BN"),
    "efficientnet_lite0": (17, 3088, "block0_project_bn", "block15_project_bn"),
    "efficientnet_lite1": (22, 3536, "block0_project_bn", "block20_project_bn"),
    "efficientnet_lite2": (22, 3736, "block0_project_bn", "block20_project_bn"),
    "mobilenet": (5, 1984, "conv_pw_1_relu", "conv_pw_11_relu"),
    "mobilenet_v3_small": (11, 1128, "expanded_conv_1_project_bn", "expanded_conv_10_add"),
    "mobilenet_v3_large": (16, 2168, "expanded_conv_add", "expanded_conv_14_add"),
    "efficientnet_b0": (17, 3088, "block1a_project_bn", "block7a_project_bn"),
    "efficientnet_v2_b0": (22, 3840, "block1a_project_activation", "block6h_add"),
    "efficientnet_v2_b1": (28, 4336, "block1a_project_activation", "block6i_add"),
    "efficientnet_v2_b2": (29, 4920, "block1a_project_activation", "block6j_add"),
    "efficientnet_v2_b3": (33, 6152, "block1a_project_activation", "block6l_add"),
    "efficientnet_v2_s": (41, 7824, "block1a_add", "block6o_add"),
    "convnext_tiny": (19, 7392, "add", "add_17"),
    "convnext_small": (37, 14304, "add", "add_35"),
    "resnet50": (16, 15104, "conv2_block1_out", "conv5_block2_out"),
    "resnet50_v2": (17, 17152, "conv2_block1_out", "conv5_block3_out"),
    "densenet121": (8, 4736, "conv2_block6_concat", "conv5_block16_concat"),
    "xception": (13, 10008, "add", "add_11"),
    "inception_v3": (11, 10048, "mixed0", "mixed9"),
    "nasnet_mobile": (5, 2926, "concatenate", "normal_concat_12"),
    "vgg16": (6, 1984, "block1_conv2", "block5_conv3"),
}


@pytest.mark.parametrize("name", BACKBONES)  # each of which must be in the table
def test_the_depths_of_a_backbone(name):
    base, (count, channels, first, last) = shared_base(name), ENDS[name]
    depths = find_depths(base)
    assert depths[-1] is base.output
    assert (len(depths), sum(tensor.shape[-1] for tensor in depths)) == (count, channels)
    assert channels_of(name) == tuple(tensor.shape[-1] for tensor in depths[:-1])
    found = [tensor._keras_history.operation.name for tensor in (depths[0], depths[-2])]
    # names that Keras gives count on from what was built before: add, add_12
    assert [each.partition("_")[0] for each in found] == [each.partition("_")[0] for each in (first, last)]
    if "_" in first:
        assert found == [first, last]
    sides = [tensor.shape[1] for tensor in depths]
    assert sides == sorted(sides, reverse=True), "from large maps to small ones"
    assert len({id(tensor) for tensor in depths}) == len(depths)


def residual(pixels: keras.KerasTensor, channels: int, activation: bool) -> keras.KerasTensor:
    x = keras.layers.Conv2D(channels, 3, padding="same")(pixels)
    x = keras.layers.add([keras.layers.Conv2D(channels, 1)(pixels), x])
    return keras.layers.ReLU()(x) if activation else x


@pytest.mark.parametrize("activation", [False, True])
def test_any_functional_base(activation):
    """The activation behind a sum belongs to its block; where nothing is joined, the resolution tells."""
    pixels = keras.Input((16, 16, 3))
    one = residual(pixels, 8, activation)
    two = residual(keras.layers.MaxPooling2D()(one), 12, activation)
    end = keras.layers.Conv2D(20, 1)(two)
    assert [tensor.shape[-1] for tensor in find_depths(keras.Model(pixels, end))] == [8, 12, 20]
    assert find_depths(keras.Model(pixels, end))[0] is one

    x = keras.layers.Conv2D(4, 3, padding="same")(pixels)
    chain = keras.Model(pixels, keras.layers.Conv2D(5, 3, 2)(keras.layers.ZeroPadding2D()(x)))
    assert find_depths(chain) == [x, chain.output]
    alone = keras.Model(pixels, x)
    assert find_depths(alone) == [x]


def test_they_are_what_the_layers_give():
    base = shared_base("mobilenet_v2")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    found = keras.Model(base.input, find_depths(base))(images, training=False)
    layers = ["expanded_conv_project_BN", "block_2_add", "out_relu"]
    expected = keras.Model(base.input, [base.get_layer(name).output for name in layers])(images, training=False)
    for one, other in zip([found[0], found[2], found[-1]], expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_statistics_are_means_and_deviations_and_never_less_than_nothing():
    """Also of channels that hardly vary around a large number, where the usual shortcut gives nonsense."""
    rng = np.random.default_rng(0)
    maps = [rng.normal(1_000, 1e-2, (4, 6, 6, 3)), rng.normal(0, 1, (4, 3, 3, 2)), np.full((4, 2, 2, 1), 7.0)]
    maps = [array.astype(np.float32) for array in maps]
    inputs = [keras.Input(array.shape[1:]) for array in maps]
    found = keras.Model(inputs, statistics(inputs))(maps).numpy()
    exact = [array.astype(np.float64) for array in maps]
    expected = [pair for array in exact for pair in (array.mean((1, 2)), array.std((1, 2)))]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=2e-3, atol=1e-6)
    np.testing.assert_allclose(found[:, -1], 1e-6, err_msg="one that is the same everywhere deviates by nothing")


def test_the_slope_of_a_deviation_is_finite_where_nothing_varies():
    """Fine-tuning goes through it: one channel that is 0 everywhere must not end all learning."""
    import tensorflow

    values = np.zeros((2, 4, 4, 3), np.float32)
    values[0, 0, 0, 0] = 1.0
    maps = tensorflow.constant(values)
    with tensorflow.GradientTape() as tape:
        tape.watch(maps)
        found = tensorflow.reduce_sum(statistics([maps]))
    slope = np.asarray(tape.gradient(found, maps))
    assert np.isfinite(slope).all()
    assert np.abs(slope[0, :, :, 0]).max() > 1 / 16, "where something varies, it counts"


@pytest.mark.backbones  # takes as long as one of them
def test_one_pass_gives_all_depths_and_the_last_layer_by_itself(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    images = hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 8))
    spec = FeatureSpec("mobilenet_v2", 64, depths=True)
    extractor = FeatureExtractor(spec, listener=hs.Quiet())
    features = extractor.features(images)
    last, inner = features.take(np.arange(len(images)))
    assert (last.shape, inner.shape) == ((10, 1280), (10, 3008))
    np.testing.assert_array_equal(features[:], last)
    alone = FeatureExtractor(replace(spec, depths=False), listener=hs.Quiet()).features(images)[:]
    np.testing.assert_allclose(last, alone, rtol=1e-3, atol=1e-3)

    base = load_base("mobilenet_v2", 64)
    pixels = np.stack([read_image(path, 64) for path in images.paths]).astype(np.float32)
    maps = [depth.numpy() for depth in keras.Model(base.input, find_depths(base)[:-1])(pixels / 127.5 - 1)]
    expected = np.concatenate([pair for depth in maps for pair in (depth.mean((1, 2)), depth.std((1, 2)))], axis=1)
    assert np.linalg.norm(inner - expected) <= 1e-3 * np.linalg.norm(expected)  # they are kept in 16 bits
    again = FeatureExtractor(spec, listener=(listener := Recorder())).features(images).take(np.arange(10))
    np.testing.assert_array_equal(again[1], inner)
    assert listener.events == [], "found without the base, whose shapes the table knows"
