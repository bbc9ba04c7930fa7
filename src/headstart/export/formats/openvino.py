"""OpenVINO's intermediate representation: a folder with model.xml and model.bin, quantised by NNCF."""

import json
import logging
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.engines.openvino import import_openvino

FILE = "model.xml"
OUTPUTS = {"logits", "probabilities"}


def write(network: Any, folder: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    openvino = import_openvino()
    with tempfile.TemporaryDirectory() as temporary:
        file = str(Path(temporary, FILE))
        network.export(file, format="openvino", verbose=False)
        graph = openvino.Core().read_model(file).clone()  # the clone holds its weights in memory
    # some activations (SiLU) have a custom gradient, whose parts end up among the outputs
    for result in graph.get_results():
        if not result.get_output_tensor(0).get_names() & OUTPUTS:
            graph.remove_result(result)
    if precision == "int8":
        graph = _quantized(graph, photos)
    elif precision == "float16":
        _halve(graph)
    graph.set_rt_info(json.dumps(description, ensure_ascii=False), "headstart")
    openvino.save_model(graph, folder / FILE, compress_to_fp16=precision == "int8")  # for what is not in 8 bits
    _unindent(folder / FILE)


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

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = compiled(pixels)
        return found["logits"], found["probabilities"]

    return run
