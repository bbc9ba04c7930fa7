"""Bases in ONNX and OpenVINO files: what is read of them, and that their features are what another runtime gives."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from headstart.engines.base import in_batches, run_all
from headstart.engines.openvino import OpenVINOEngine, read_network
from headstart.errors import HeadstartError, ModelError, WeightsError
from headstart.models.backbones import LITE0_NETWORK, get_backbone, name_of
from headstart.models.depths import block_sizes, channels_of
from headstart.models.network_files.base import FileBase
from headstart.models.network_files.frozen import write_frozen
from headstart.models.network_files.frozen_onnx import frozen_onnx
from headstart.models.network_files.graph import Grid
from headstart.models.network_files.input_format import BGR, CLIP, HALVES, IMAGENET, InputFormat, read_input_format
from headstart.models.weights import files_at_hand, identity, load_base, packaged_file
from support.onnx_files import INPUT, Graph, plain_network, residual_network, vision_transformer

SIDE = 32
RESIDUAL = ["block0.relu", "block1.relu", "block2.relu"]
TOKENS = ["block0.end", "block1.end", "last_hidden_state", "last_hidden_state"]
WRITTEN = {
    "of any size": (residual_network, {}, RESIDUAL),
    "of one size and one image": (residual_network, {"batch": 1, "side": SIDE}, RESIDUAL),
    "channels last": (residual_network, {"layout": "NHWC"}, RESIDUAL),
    "float16": (residual_network, {"dtype": np.float16}, RESIDUAL),
    "opset 11": (residual_network, {"opset": 11}, RESIDUAL),
    "a plain chain": (plain_network, {}, ["one.relu", "two.relu"]),
    "a transformer": (vision_transformer, {}, TOKENS),
    "a transformer with registers": (vision_transformer, {"prefix": 5}, TOKENS),
    "a transformer without a class token": (vision_transformer, {"prefix": 0}, [*TOKENS[:2], TOKENS[-1]]),
}


def asked(file: Path, names: list[str], pixels: np.ndarray) -> list[np.ndarray]:
    """What ONNX Runtime gives for tensors of a file, one image at a time."""
    model = onnx.load(file)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    values = ((pixels / 255 - IMAGENET[0]) / IMAGENET[1]).astype(np.float16 if "16" in given.type else np.float32)
    values = values if given.shape[-1] == 3 else values.transpose(0, 3, 1, 2)
    each = [session.run(names, {INPUT: values[n : n + 1]}) for n in range(len(values))]
    return [np.concatenate(parts).astype(np.float32) for parts in zip(*each, strict=True)]


@pytest.mark.parametrize("kind", WRITTEN)
def test_its_features_are_those_of_another_runtime(kind, tmp_path):
    make, settings, names = WRITTEN[kind]
    file = make(tmp_path / "network.onnx", **settings)
    base = FileBase.read(file)
    assert [each.tensor for each in base.maps] == names
    pixels = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)
    write_frozen(base, tmp_path / "frozen.xml", SIDE, depths=True)
    engine = OpenVINOEngine(tmp_path / "frozen.xml")
    features, statistics, *maps = run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))
    expected = []
    for said, found in zip(base.opened(SIDE)[1], asked(file, names, pixels), strict=True):
        rows, columns, first = said.grid
        if first is None:
            expected.append(found.transpose(0, 2, 3, 1))
        else:
            expected.append(found[:, first : first + rows * columns].reshape(len(pixels), rows, columns, -1))
    close = (
        {"rtol": 2e-2, "atol": 2e-2 * float(np.abs(expected[-1]).max())}
        if kind == "float16"
        else {"rtol": 1e-3, "atol": 1e-4}
    )
    for found, right in zip(maps, expected, strict=True):
        np.testing.assert_allclose(found, right, **close)
    of_each = [part for each in maps[:-1] for part in (each.mean((1, 2)), np.maximum(each.std((1, 2)), 1e-6))]
    np.testing.assert_allclose(statistics, np.concatenate(of_each, axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(features, maps[-1].mean((1, 2)), rtol=1e-4, atol=1e-4)
    in_onnx = onnxruntime.InferenceSession(
        frozen_onnx(base, SIDE, depths=True).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for found, right in zip(in_onnx.run(None, {"pixels": pixels}), [features, statistics, *maps], strict=True):
        np.testing.assert_allclose(found, right, **close)
    sizes = block_sizes(str(file), depths=True)
    assert (sizes[0], sum(sizes[1:])) == (features.shape[1], statistics.shape[1])


def test_tokens_are_a_square_behind_those_of_no_place(tmp_path):
    base = FileBase.read(vision_transformer(tmp_path / "vit.onnx", prefix=5))
    assert [each.grid for each in base.maps] == [Grid(4, 4, 5), Grid(4, 4, 5), Grid(1, 1, 0), Grid(4, 4, 5)]
    assert [each.of_class_token for each in base.maps] == [False, False, True, False]


def test_an_openvino_file(tmp_path):
    import openvino

    file = residual_network(tmp_path / "network.onnx")
    openvino.save_model(read_network(file), tmp_path / "network.xml", compress_to_fp16=False)
    base, same = FileBase.read(file), FileBase.read(tmp_path / "network.xml")
    assert [(each.tensor, each.shape) for each in same.maps] == [(each.tensor, each.shape) for each in base.maps]
    assert same.kind == "an OpenVINO file"
    assert files_at_hand(str(same.path)) == [same.path]
    (tmp_path / "network.bin").unlink()
    with pytest.raises(WeightsError, match=r"network\.bin' is not there: it has the weights of 'network\.xml'"):
        FileBase.read(tmp_path / "network.xml")


def test_its_depths_are_those_that_the_table_has_of_it():
    """The packaged network gives all its feature maps, too, in an order of its own."""
    base = FileBase.read(packaged_file(LITE0_NETWORK))
    assert tuple(each.channels for each in base.maps) == (*channels_of("efficientnet_lite0"), 1280)
    assert base.input.is_raw


def test_its_row_and_its_identity(tmp_path):
    file = residual_network(tmp_path / "network.onnx")
    row = get_backbone(str(file))
    assert (row.features, row.channels, row.image_size, row.is_keras) == (16, (8, 8), 224, False)
    assert name_of(str(file)) == "network.onnx"
    before = identity(str(file), "pretrained")
    (tmp_path / "other").mkdir()
    elsewhere = tmp_path / "other" / "renamed.onnx"
    elsewhere.write_bytes(file.read_bytes())
    assert identity(str(elsewhere), "pretrained") == before, "what is in it counts, not where it lies"
    (tmp_path / "network.onnx.json").write_text('{"preprocessing": "half"}', "utf-8")
    assert identity(str(file), "pretrained") != before, "how it sees pixels counts"
    with pytest.raises(
        ModelError, match=r"'network\.onnx' is an ONNX file.*no fine-tuning, no model\.keras and no GPU"
    ):
        load_base(str(file), 64)


def test_weights_that_lie_outside_of_the_file_are_part_of_it(tmp_path):
    file = residual_network(tmp_path / "network.onnx")
    inside = FileBase.read(file)
    onnx.save(onnx.load(file), file, save_as_external_data=True, location="network.onnx.data", size_threshold=0)
    base = FileBase.read(file)
    assert [each.name for each in base.files] == ["network.onnx", "network.onnx.data"]
    assert base.maps == inside.maps
    before = base.identity
    data = tmp_path / "network.onnx.data"
    data.write_bytes(data.read_bytes()[::-1])
    assert FileBase.read(file).identity != before


REFUSED = {
    "two inputs": (lambda file: residual_network(file, second_input=True), "takes 2 inputs .*'text'.* expected one"),
    "a batch of one": (lambda file: plain_network(file, one_image=True), "cannot be made to take any number of images"),
    "grey": (lambda file: plain_network(file, channels=1), "expected 3 channels"),
    "no feature maps": (lambda file: plain_network(file, flat=True), "no feature maps for a head to read"),
    "no network": (lambda file: file.write_text("version https://git-lfs.github.com/spec/v1"), "is no ONNX file"),
    "half a file": (
        lambda file: file.write_bytes(residual_network(file).read_bytes()[:300]),
        "it is damaged or incomplete",
    ),
    "a folder": (lambda file: file.mkdir(), "is a folder. Give an ONNX file"),
    "nothing": (lambda file: None, "is not there. Give an ONNX file"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used(what, tmp_path):
    make, message = REFUSED[what]
    make(tmp_path / "network.onnx")
    with pytest.raises(ModelError, match=message):
        FileBase.read(tmp_path / "network.onnx")


def test_another_size_than_its_own(tmp_path):
    any_size, one_size = residual_network(tmp_path / "any.onnx"), vision_transformer(tmp_path / "vit.onnx")
    assert FileBase.read(any_size).opened(64)[1][0].places == (16, 16)
    with pytest.raises(
        ModelError, match=r"takes the shape .*32.*cannot be made to take .* 64 x 64 pixels .*inconsistent"
    ):
        FileBase.read(one_size).opened(64)


SAID = {
    "nothing": ({}, InputFormat()),
    "ours": ({"network.onnx.json": {
        "mean": HALVES, "std": [0.25] * 3, "channels": "bgr", "layout": "NHWC", "size": 96}},
        InputFormat(HALVES, (0.25,) * 3, 1 / 255, BGR, "NHWC", 96)),
    "ours, by name": ({"network.onnx.json": {"preprocessing": "clip", "size": 96}}, InputFormat(*CLIP, size=96)),
    "Hugging Face": ({"preprocessor_config.json": {
        "image_mean": CLIP[0], "image_std": CLIP[1], "rescale_factor": 1 / 255, "do_center_crop": True,
        "crop_size": {"height": 96, "width": 96}, "size": {"shortest_edge": 110}}}, InputFormat(*CLIP, size=96)),
    "Hugging Face, without a mean": ({"preprocessor_config.json": {
        "do_normalize": False, "do_rescale": False, "image_mean": CLIP[0], "size": 96}},
        InputFormat((0.0,) * 3, (1.0,) * 3, 1.0, size=96)),
    "timm": ({"config.json": {"pretrained_cfg": {"mean": HALVES, "std": HALVES, "input_size": [3, 96, 96]}}},
             InputFormat(HALVES, HALVES, size=96)),
    "ours before others": ({"network.onnx.json": {"preprocessing": "raw"}, "config.json": {"mean": HALVES}},
                           InputFormat((0.0,) * 3, (1.0,) * 3, 1.0)),
    "another program's config": ({"config.json": {"architectures": ["ViTModel"]}}, InputFormat()),
}  # fmt: skip


@pytest.mark.parametrize("who", SAID)
def test_how_it_sees_pixels(who, tmp_path):
    files, expected = SAID[who]
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), "utf-8")
    found = read_input_format(tmp_path / "network.onnx")
    assert found.to_json() == expected.to_json()
    assert found.said_by == (f"as '{next(iter(files))}' says" if found != InputFormat() else InputFormat().said_by)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "holds list, expected a JSON object"),
        ('{"name": "x"}', "says nothing of how the network sees pixels: expected some of channels, "),
        ('{"mean": [0.5, 0.5]}', r"has mean \[0.5, 0.5\], expected a number for each of three channels"),
        ('{"std": [0, 1, 1]}', "has a std of 0"),
        ('{"layout": "CHWN"}', "has layout 'CHWN'. Choose one of: NCHW, NHWC"),
        ('{"preprocessing": "mine"}', "names the preprocessing 'mine'. Choose one of: imagenet, clip"),
        ('{"size": [224, 192]}', "expected one side in pixels, as images are squares"),
        ('{"size": "large"}', "has the size 'large'"),
    ],
)
def test_what_cannot_be_said_of_it(text, message, tmp_path):
    (tmp_path / "network.onnx.json").write_text(text, "utf-8")
    with pytest.raises(ModelError, match=message):
        read_input_format(tmp_path / "network.onnx")


def test_pixels_as_bytes_need_no_preprocessing(tmp_path):
    graph = Graph(dtype=np.uint8)
    x = graph.node("Cast", [INPUT], "floats", to=onnx.TensorProto.FLOAT)
    graph.dtype = np.float32
    x = graph.convolution(x, "one", 3, 4)
    graph.node("Cast", [graph.node("Relu", [x], "relu")], "given", to=onnx.TensorProto.UINT8)
    graph.dtype = np.uint8
    base = FileBase.read(graph.save(tmp_path / "network.onnx", {INPUT: ["n", 3, 16, 16]}, {"given": ["n", 4, 16, 16]}))
    assert base.input.is_raw
    assert "pixels as RGB from 0 to 255 (it takes bytes)" in str(base)


def test_every_message_is_one_of_ours(tmp_path):
    """Whatever bytes a file holds."""
    rng = np.random.default_rng(0)
    whole = residual_network(tmp_path / "whole.onnx").read_bytes()
    for number in range(20):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            damaged[place] = rng.integers(0, 256)
        file = tmp_path / f"{number}.onnx"
        file.write_bytes(damaged)
        with suppress(HeadstartError):
            FileBase.read(file)
