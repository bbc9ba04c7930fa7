"""OpenVINO's intermediate representation: a folder with model.xml and model.bin, quantised by NNCF."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.classifier.others import OtherHead
from headstart.engines.openvino import import_openvino
from headstart.export import OUTPUTS
from headstart.export.formats.openvino_resizing import resize_inside

if TYPE_CHECKING:
    from headstart.export.source import Source

FILE = "model.xml"


def write(source: Source, folder: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    openvino = import_openvino()
    graph = _of_engine(source) if source.engine else _by_keras(source)
    if precision == "int8":
        graph = _quantized(graph, photos)
    elif precision == "float16":
        _halve(graph)
    if not source.fixed_size:  # only now: it stays in float32
        graph = resize_inside(graph, size=source.classifier.image_size, resizing=source.classifier.resizing)
    graph.set_rt_info(json.dumps(description, ensure_ascii=False), "headstart")
    openvino.save_model(graph, folder / FILE, compress_to_fp16=precision == "int8")  # for what is not in 8 bits
    _unindent(folder / FILE)


def _of_engine(source: Source) -> Any:
    """The engine's network, with probabilities behind its logits and features, and without feature maps."""
    openvino = import_openvino()
    from openvino import opset13 as operations

    graph = openvino.Core().read_model(source.engine).clone()  # the clone holds its weights in memory
    logits, features = (output.get_node().input_value(0) for output in graph.outputs[:2])
    two_sided = logits
    if source.output_shapes["logits"][1] == 1:
        two_sided = operations.concat([operations.multiply(logits, np.float32(0)), logits], 1).output(0)
    scaled = operations.divide(two_sided, np.float32(source.temperature))
    shares = (operations.sigmoid(scaled) if source.is_multi_label else operations.softmax(scaled, 1)).output(0)
    found = [logits, shares]
    if source.classifier.other_head:
        found.append(_other(features, source.classifier.other_head))
    results = [operations.result(each) for each in found]
    (pixels,) = graph.get_parameters()
    if source.pixels == "float32":
        # they are floats at once; where they are converted, in the engine, nothing is left to do
        pixels.set_element_type(openvino.Type.f32)
    exported = openvino.Model(results, [pixels], "exported")
    exported.inputs[0].set_names({"pixels"})
    for output, name in zip(exported.outputs, source.output_shapes, strict=True):
        output.set_names({name})
    exported.validate_nodes_and_infer_types()
    return exported


def _other(features: Any, head: OtherHead) -> Any:
    """What `OtherHead.probabilities` does."""
    from openvino import opset13 as operations

    found = operations.add(operations.matmul(features, head.weights[:-1], False, False), head.weights[-1])
    known, other = operations.variadic_split(found, 1, [head.weights.shape[1] - 1, 1]).outputs()
    largest = operations.reduce_max(known, [1], True)
    total = operations.reduce_sum(operations.exp(operations.subtract(known, largest)), [1], True)
    odds = operations.subtract(other, operations.add(largest, operations.log(total)))
    scaled = operations.divide(odds, np.float32(head.temperature))
    return operations.squeeze(operations.sigmoid(scaled), [1]).output(0)


def _by_keras(source: Source) -> Any:
    with tempfile.TemporaryDirectory() as temporary:
        file = str(Path(temporary, FILE))
        source.model.export(file, format="openvino", verbose=False)
        graph = import_openvino().Core().read_model(file).clone()  # the clone holds its weights in memory
    # some activations (SiLU) have a custom gradient, whose parts end up among the outputs
    for result in graph.get_results():
        if not result.get_output_tensor(0).get_names() & source.output_shapes.keys():
            graph.remove_result(result)
    return graph


def _quantized(graph: Any, photos: Sequence[np.ndarray]) -> Any:
    """8-bit weights and activations, except for what comes behind all convolutions: the statistics of the depths, of
    which 8 bits would leave little, and the head, whose range on these photos must not limit the probabilities."""
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf.quantize(
        graph,
        nncf.Dataset(photos),
        subset_size=len(photos),
        preset=nncf.QuantizationPreset.MIXED,  # asymmetric activations, as in most of these networks
        ignored_scope=nncf.IgnoredScope(names=_behind_all_convolutions(graph), validate=False),
    )


def _behind_all_convolutions(graph: Any) -> list[str]:
    """The names of the nodes that no convolution depends on."""
    needed: set[str] = set()
    for node in reversed(graph.get_ordered_ops()):
        if "Convolution" in node.get_type_name() or node.get_friendly_name() in needed:
            sources = (entry.get_source_output().get_node().get_friendly_name() for entry in node.inputs())
            needed |= {node.get_friendly_name(), *sources}
    return [name for node in graph.get_ordered_ops() if (name := node.get_friendly_name()) not in needed]


def _halve(graph: Any) -> None:
    """Store weights in 16 bits, except those of depthwise convolutions, which have five dimensions here."""
    from openvino import opset13

    for node in graph.get_ops():
        is_weights = node.get_type_name() == "Constant" and node.get_element_type().to_dtype() == np.float32
        if is_weights and len(node.shape) in (2, 4) and min(node.shape[:2]) > 1:
            stored = opset13.constant(node.data.astype(np.float16))
            node.output(0).replace(opset13.convert(stored, "f32").output(0))


def _unindent(file: Path) -> None:
    """Whitespace between elements is a third of the XML; without it an int8 network is 4% smaller."""
    file.write_text(re.sub(r">\s+<", "><", file.read_text("utf-8")), "utf-8")


def open_folder(folder: Path):
    """An `ExportedModel` in OpenVINO, on the CPU."""
    compiled = import_openvino().Core().compile_model(folder / FILE, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    given = {name for output in compiled.outputs for name in output.get_names()}

    def run(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        found = compiled(pixels)
        return tuple(found[name] for name in OUTPUTS if name in given)

    return run
