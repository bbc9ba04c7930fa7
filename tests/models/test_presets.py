"""Presets of KerasHub: each family, small and with random weights, is written once as a network in a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import headstart as hs
from headstart.engines.base import in_batches, run_all
from headstart.engines.openvino import OpenVINOEngine
from headstart.errors import MissingExtraError, ModelError, WeightsError
from headstart.models.at_hand import bases_at_hand, resolved
from headstart.models.depths import block_sizes
from headstart.models.network_files import presets
from headstart.models.network_files.base import FileBase
from headstart.models.network_files.frozen import write_frozen
from headstart.models.network_files.frozen_onnx import frozen_onnx
from headstart.models.network_files.input_format import IMAGENET as IMAGENET_PIXELS
from headstart.models.network_files.presets import network_of_preset, presets_at_hand
from headstart.training.config import TrainingConfig

SIDE = 32
VIT = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16}
HALF = {"scale": 1 / 127.5, "offset": -1.0}
IMAGENET = {"scale": [1 / 58.395, 1 / 57.12, 1 / 57.375], "offset": [-2.117904, -2.035714, -1.804444]}


def dinov2(hub: Any) -> Any:
    return hub.models.DINOV2Backbone(
        **VIT,
        intermediate_dim=32,
        num_register_tokens=4,
        image_shape=(SIDE, SIDE, 3),
        position_embedding_shape=(64, 64, 3),
    )


def resnet(hub: Any) -> Any:
    stem = {"input_conv_filters": [64], "input_conv_kernel_sizes": [3], "block_type": "basic_block"}
    stages = {"stackwise_num_filters": [64, 16], "stackwise_num_blocks": [2, 1], "stackwise_num_strides": [1, 2]}
    return hub.models.ResNetBackbone(**stem, **stages, image_shape=(SIDE, SIDE, 3))


def dinov3(hub: Any) -> Any:
    return hub.models.DINOV3Backbone(**VIT, intermediate_dim=32, num_register_tokens=4, image_shape=(SIDE, SIDE, 3))


def mobilenet_v3(hub: Any) -> Any:
    """Three stages of one or two blocks."""
    blocks = {
        "stackwise_expansion": [[16], [32, 32]],
        "stackwise_num_blocks": [1, 2],
        "stackwise_num_filters": [[16], [16, 16]],
        "stackwise_kernel_size": [[3], [5, 5]],
        "stackwise_num_strides": [[2], [2, 1]],
        "stackwise_se_ratio": [[None], [0.25, 0.25]],
        "stackwise_activation": [["relu"], ["hard_swish", "hard_swish"]],
        "stackwise_padding": [[1], [2, 2]],
    }
    ends = {"output_num_filters": 32, "depthwise_filters": 16, "last_layer_filter": 16}
    first = {"depthwise_stride": 1, "depthwise_residual": True}
    return hub.models.MobileNetBackbone(**blocks, **ends, **first, image_shape=(SIDE, SIDE, 3))


def mobilenet_v5(hub: Any) -> Any:
    """One edge residual and two universal inverted residuals."""
    blocks = {
        "stackwise_block_types": [["er"], ["uir", "uir"]],
        "stackwise_num_blocks": [1, 2],
        "stackwise_num_filters": [[16], [16, 16]],
        "stackwise_strides": [[2], [2, 1]],
        "stackwise_act_layers": [["gelu"], ["gelu", "gelu"]],
        "stackwise_exp_ratios": [[4.0], [4.0, 4.0]],
        "stackwise_se_ratios": [[0.0], [0.0, 0.0]],
        "stackwise_dw_kernel_sizes": [[0], [5, 5]],
        "stackwise_dw_start_kernel_sizes": [[0], [0, 0]],
        "stackwise_dw_end_kernel_sizes": [[0], [0, 0]],
        "stackwise_exp_kernel_sizes": [[3], [0, 0]],
        "stackwise_pw_kernel_sizes": [[1], [0, 0]],
        **{f"stackwise_{name}": [[0], [0, 0]] for name in ("num_heads", "key_dims", "value_dims", "kv_strides")},
        "stackwise_use_cpe": [[False], [False, False]],
    }
    return hub.models.MobileNetV5Backbone(**blocks, use_msfa=False, image_shape=(SIDE, SIDE, 3))


def vit(hub: Any) -> Any:
    return hub.models.ViTBackbone(**VIT, mlp_dim=32, image_shape=(SIDE, SIDE, 3))


def siglip(hub: Any) -> Any:
    encoder = hub.models.SigLIPVisionEncoder(**VIT, intermediate_dim=32, image_shape=(SIDE, SIDE, 3))
    text = hub.models.SigLIPTextEncoder(20, 16, 16, 1, 2, 32, max_sequence_length=8)
    return hub.models.SigLIPBackbone(encoder, text)


# family -> how it is built, how its converter scales pixels, and how many depths and places a side its last map has
FAMILIES: dict[str, tuple[Callable[[Any], Any], dict, int, int]] = {
    "DINOv2": (dinov2, IMAGENET, 5, 4),
    "DINOv3": (dinov3, IMAGENET, 5, 4),
    "MobileNetV3": (mobilenet_v3, HALF, 3, 4),
    "MobileNetV5": (mobilenet_v5, HALF, 2, 4),
    "ResNet": (resnet, IMAGENET, 3, 4),
    "ViT": (vit, HALF, 4, 4),
    "SigLIP": (siglip, HALF, 3, 4),
}


@pytest.fixture(scope="module")
def hub() -> Any:
    import keras_hub

    return keras_hub


def saved(hub: Any, family: str, folder: Path) -> str:
    """A preset with random weights, as its authors save one."""
    build, scaling, *_ = FAMILIES[family]
    build(hub).save_to_preset(str(folder))
    hub.layers.ImageConverter(image_size=(SIDE, SIDE), **scaling).save_to_preset(str(folder))
    return f"hub:{folder}"


@pytest.mark.backbones
@pytest.mark.parametrize("family", FAMILIES)
def test_each_family(family, hub, tmp_path):
    """Written once, with its scaling; its features are KerasHub's, in OpenVINO and in the ONNX of an export."""
    preset = saved(hub, family, tmp_path / family.lower())
    file = network_of_preset(preset, None)
    assert file.name == f"{family.lower()}.onnx"
    base = FileBase.read(file)
    _, scaling, depths, side = FAMILIES[family]
    assert (base.image_size, len(base.maps)) == (SIDE, depths)
    rows, columns, first = base.maps[-1].grid
    assert (rows, columns, base.maps[-1].channels) == (side, side, 16)
    np.testing.assert_allclose(1 / np.array(base.input.std), np.broadcast_to(scaling["scale"], 3), rtol=1e-6)
    means = -np.array(base.input.mean) / np.array(base.input.std)
    np.testing.assert_allclose(means, np.broadcast_to(scaling["offset"], 3), rtol=1e-6)
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    expected = last_map(hub, preset, pixels * scaling["scale"] + scaling["offset"])
    if first is not None:
        expected = expected[:, first : first + rows * columns].reshape(3, rows, columns, -1)
    sizes = block_sizes(str(file), depths=True)
    for features, statistics, *maps in (by_openvino(base, tmp_path, pixels), by_onnx(base, pixels)):
        np.testing.assert_allclose(maps[-1], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
        assert (features.shape[1], statistics.shape[1]) == (sizes[0], sum(sizes[1:])), "what a head reads"
    written = file.stat().st_mtime_ns
    assert network_of_preset(preset, None).stat().st_mtime_ns == written, "once"


def last_map(hub: Any, preset: str, given: np.ndarray) -> np.ndarray:
    """The last of all that KerasHub computes of images that has places or tokens."""
    import keras

    encoder = hub.models.Backbone.from_preset(preset.removeprefix("hub:"))
    encoder = getattr(encoder, "vision_encoder", encoder)
    outputs = [keras.tree.flatten(layer.output)[0] for layer in encoder.layers]
    network = keras.Model(encoder.inputs, [each for each in outputs if len(each.shape) > 2][-1])
    return np.asarray(network([given], training=False))


def by_openvino(base: FileBase, folder: Path, pixels: np.ndarray) -> list[np.ndarray]:
    write_frozen(base, folder / "frozen.xml", SIDE, depths=True)
    engine = OpenVINOEngine(folder / "frozen.xml")
    return run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))


def by_onnx(base: FileBase, pixels: np.ndarray) -> list[np.ndarray]:
    graph = frozen_onnx(base, SIDE, depths=True).SerializeToString()
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"pixels": pixels})


@pytest.mark.backbones
def test_a_run_on_a_preset(hub, photos, tmp_path):
    preset = saved(hub, "ViT", tmp_path / "small_vit")
    assert TrainingConfig.of(backbone=preset).backbone == resolved(preset, None)
    run = hs.make_run(photos, tmp_path / "run", backbone=preset, seed=3, listener=hs.Quiet())
    assert (run.metrics["backbone"], run.metrics["image_size"]) == ("small_vit.onnx", SIDE)
    assert hs.Predictor(run.folder).predict(next(photos.rglob("*.png"))).probability > 0
    with pytest.raises(ModelError, match="cannot see images of 48 x 48 pixels"):
        network_of_preset(preset, 48)


@pytest.mark.backbones
def test_without_an_image_converter_pixels_are_as_for_most_networks(hub, tmp_path):
    preset = saved(hub, "ViT", tmp_path / "vit")
    (tmp_path / "vit" / presets.CONVERTER).unlink()
    assert FileBase.read(network_of_preset(preset, None)).input.mean == IMAGENET_PIXELS[0]


CONVERTERS = {
    "damaged": '{"module": ',
    "of an unknown class": '{"module": "elsewhere", "class_name": "X", "registered_name": "x>X", "config": {}}',
    "empty": "",
}


@pytest.mark.backbones
@pytest.mark.parametrize("what", CONVERTERS)
def test_an_image_converter_that_cannot_be_read_is_no_missing_one(what, hub, tmp_path):
    """The classifier would be worse, and nobody would know why."""
    preset = saved(hub, "ViT", tmp_path / "vit")
    (tmp_path / "vit" / presets.CONVERTER).write_text(CONVERTERS[what], "utf-8")
    with pytest.raises(ModelError, match=r"cannot be read from its 'image_converter\.json': .*Get that file"):
        network_of_preset(preset, None)


def test_a_preset_that_is_not_there(hub, tmp_path, monkeypatch):
    with pytest.raises(WeightsError, match=r"The preset 'nowhere' of KerasHub cannot be loaded"):
        network_of_preset("hub:nowhere", None)


def test_without_kerashub(monkeypatch):
    monkeypatch.setattr(presets, "NEEDED", ("keras_hub_that_is_missing",))
    with pytest.raises(MissingExtraError, match=r"'hub:dinov2_small' needs .*pip install 'headstart\[hub\]'"):
        TrainingConfig.of(backbone="hub:dinov2_small")
    assert presets_at_hand() == []


def test_what_was_downloaded_is_at_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "NEEDED", ())
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    for preset, file in (("dinov2_small", presets.CONVERTER), ("gemma_2b_en", "tokenizer.json")):
        folder = tmp_path / "models" / "keras" / preset.partition("_")[0] / "keras" / preset / "1"
        folder.mkdir(parents=True)
        (folder / file).write_text(json.dumps({}), "utf-8")
    assert presets_at_hand() == ["hub:dinov2_small"]
    assert "hub:dinov2_small" in bases_at_hand()
