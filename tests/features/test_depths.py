"""The depths of each base: how many, which, and that they are what comes out of its layers."""

import keras
import numpy as np
import pytest

from headstart.features.depths import find_depths
from headstart.models.backbones import BACKBONES
from support.bases import shared_base

# of each base: how many depths, how many channels together, and the layers that the first and the last but one end
DEPTHS = {
    "mobilenet_v2": (18, 2784, "expanded_conv_project_BN", "block_16_project_BN"),
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


def test_each_backbone_is_in_the_table():
    assert set(DEPTHS) == set(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_depths_of_a_backbone(name):
    base, (count, channels, first, last) = shared_base(name), DEPTHS[name]
    depths = find_depths(base)
    assert depths[-1] is base.output
    assert (len(depths), sum(tensor.shape[-1] for tensor in depths)) == (count, channels)
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
