"""Write the frozen network of a packaged base, and the template of its classifiers, into the package.

    python tools/package_network.py efficientnet_lite0

With these, a head is trained without Keras: `<name>_depths.onnx` has what the engine runs, all depths and their
statistics, for images of any size; `<name>_depths.template.zip` has what `model.keras` consists of besides the weights
of the base, which are in the package anyway. Both follow from those weights; tests hold them equal to the Keras model.
Needs `headstart[tune,export]`. Run it again whenever `compose`, `statistics` or the base changes.
"""

import argparse
import importlib
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import onnx
import onnxruntime
import tensorflow
import tf2onnx

from headstart.features.cut import frozen_part
from headstart.keras_backend import keras
from headstart.models import composing, packaged
from headstart.models.backbones import get_backbone
from headstart.models.preprocessing import preprocess
from headstart.models.weights import load_base, packaged_file

OPSET = 18
SIDES, LOGITS = (224, 320), (5, 7)  # what is another number in two models depends on side or logits; halves never meet
HALVINGS = 6


def write_network(backbone: str, file: Path) -> None:
    """The frozen network as ONNX: uint8 (n, height, width, 3) -> features, statistics, feature maps."""
    network = frozen_part(_base_for_any_size(backbone), None, lambda pixels: preprocess(backbone, pixels), depths=True)
    run = tensorflow.function(lambda pixels: network(tensorflow.cast(pixels, tensorflow.float32), training=False))
    pixels = tensorflow.TensorSpec((None, None, None, 3), tensorflow.uint8, name="pixels")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "raw.onnx")
        tf2onnx.convert.from_function(run, [pixels], opset=OPSET, output_path=str(raw))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # standard ONNX only: BatchNormalization is folded into the convolutions
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder, "folded.onnx"))
        onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        graph = onnx.load(options.optimized_model_filepath)
    for number, output in enumerate(graph.graph.output):
        _rename(graph.graph, output.name, packaged.output_name(number))
    del graph.graph.value_info[:]
    onnx.checker.check_model(graph)
    onnx.save(graph, file)


def _base_for_any_size(backbone: str) -> Any:
    row = get_backbone(backbone)
    builder = getattr(importlib.import_module(row.module), row.builder)
    base = builder(input_shape=(None, None, 3), include_top=False, weights=None)
    assert row.packaged, f"the weights of '{backbone}' are not in the package"
    base.load_weights(packaged_file(row.packaged))
    return base


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]
    for output in graph.output:
        if output.name == old:
            output.name = new


def write_template(backbone: str, file: Path) -> None:
    """A zip: `config.json` and `facts.json`, with what depends on side and logits marked, and `metadata.json` and
    `model.weights.h5` without the weights of the base and of the head."""
    models = [_composed(backbone, side, logits) for side, logits in zip(SIDES, LOGITS, strict=True)]
    saved = []
    with tempfile.TemporaryDirectory() as folder:
        for number, model in enumerate(models):
            composing.save(model, Path(folder, f"{number}.keras"))
            saved.append(zipfile.ZipFile(Path(folder, f"{number}.keras")))
        configs = [json.loads(each.read("config.json")) for each in saved]
        facts = [_facts(model) for model in models]
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as template:
            template.writestr("config.json", json.dumps(marked(*configs)))
            template.writestr("facts.json", json.dumps(marked(*facts)))
            metadata = json.loads(saved[0].read("metadata.json"))
            template.writestr("metadata.json", json.dumps({"keras_version": metadata["keras_version"]}))
            template.writestr("model.weights.h5", _without_weights(saved[0].read("model.weights.h5")))


def _composed(backbone: str, side: int, logits: int) -> Any:
    keras.utils.clear_session()  # it counts the names that it gives
    base = load_base(backbone, side)
    base.trainable = False
    settings = {"num_classes": logits, "dropout": 0.0, "seed": 0, "depths": True}
    return composing.compose(base, backbone=backbone, image_size=side, **settings)


def _facts(model: Any) -> dict:
    """Of its summary, without Keras' tables; and a row for each layer."""
    summary = composing.summary_of(model)
    rows = [
        [layer.name, type(layer).__name__, list(layer.output.shape[1:]), layer.count_params()]
        for layer in composing.base_of(model).layers
    ]
    return {
        "base": summary.base,
        "base_layers": summary.base_layers,
        "base_parameters": summary.base_parameters,
        "shapes": [list(shape) for shape in summary.shapes],
        "layers": rows,
    }


def marked(one: Any, other: Any) -> Any:
    """What two trees of JSON have in common, with a mark in the place of what differs."""
    if isinstance(one, dict):
        return {key: one[key] if key == "shared_object_id" else marked(one[key], other[key]) for key in one}
    if isinstance(one, list):
        return [marked(*pair) for pair in zip(one, other, strict=True)]
    if one == other:
        return one
    if isinstance(one, str):
        text = re.sub(str(SIDES[0]), "{side}", one)
        assert text.format(side=SIDES[1]) == other, (one, other)
        return {packaged.MARK: "text", "value": text}
    if (one, other) == LOGITS:
        return {packaged.MARK: "logits"}
    for halvings in range(HALVINGS):
        if (one, other) == tuple(-(-side // 2**halvings) for side in SIDES):
            return {packaged.MARK: "side", "halvings": halvings}
    raise ValueError(f"{one} and {other}: they depend on something else than the image size and the logits")


def _without_weights(content: bytes) -> bytes:
    """A file of weights with its groups, but no arrays in the base and in the head."""
    empty = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as full, h5py.File(empty, "w", libver="latest") as skeleton:

        def copy(name: str, item: Any) -> None:
            if name.startswith(f"{packaged.BASE}/layers"):
                return
            if isinstance(item, h5py.Group):
                skeleton.require_group(name).attrs.update(item.attrs)
            elif not name.startswith(f"{packaged.HEAD}/"):
                skeleton[name] = item[()]

        full.visititems(copy)
    return empty.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backbone")
    backbone = parser.parse_args().backbone
    row = get_backbone(backbone)
    assert row.network, f"'{backbone}' is not to be packaged: see its row in BACKBONES"
    write_network(backbone, packaged_file(row.network))
    write_template(backbone, packaged_file(row.network).with_suffix(".template.zip"))


if __name__ == "__main__":
    main()
