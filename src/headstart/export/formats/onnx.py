"""ONNX: written by Keras through tf2onnx, quantised and run by ONNX Runtime.

Not by NNCF, which serves OpenVINO: half of its activations are signed, and ONNX Runtime on x86 calculates in 8 bits
with unsigned ones alone, so that the network is no faster than in float32.
"""

import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write(network: Any, file: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    import onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it tells which optimisations it leaves out
    network.export(str(file), format="onnx", input_signature=[network.input], verbose=False)
    _keep_constants(file, network)
    graph = _folded(file)
    if precision == "float16":
        _halve(graph)
    elif precision == "int8":
        graph = _quantized(graph, photos)
    # ONNX knows metadata as pairs of texts
    onnx.helper.set_model_props(graph, {key: _text(value) for key, value in description.items()})
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, file)


def open_file(file: Path):
    """`Run` in ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, shares = session.run(["logits", "probabilities"], {"pixels": pixels})
        return logits, shares

    return run


def _keep_constants(file: Path, network: Any) -> None:
    """tf2onnx takes constants that are no variables, as the means of a Normalization layer, for inputs of the graph."""
    import onnx
    import tensorflow

    graph = onnx.load(file)
    given = [entry for entry in graph.graph.input if entry.name != "pixels"]
    if not given:
        return
    pixels = tensorflow.TensorSpec(network.input.shape, network.input.dtype)
    traced = tensorflow.function(lambda images: network(images, training=False)).get_concrete_function(pixels)
    values = {inside.name: value for value, inside in traced.graph.captures}
    for entry in given:
        graph.graph.input.remove(entry)
        graph.graph.initializer.append(onnx.numpy_helper.from_array(values[entry.name].numpy(), entry.name))
    onnx.save(graph, file)


def _folded(file: Path) -> Any:
    """The same graph with its BatchNormalization folded into the convolutions, as ONNX Runtime does when it opens it.

    tf2onnx leaves that of depthwise convolutions, where a quantiser would put steps of rounding in between.
    """
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors: it warns of constants that were folded and are not needed any more
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard ONNX alone
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder, file.name))
        onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _quantized(graph: Any, photos: Sequence[np.ndarray]) -> Any:
    """8-bit weights and activations, but for what lies behind the logits, and the logits themselves."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Inputs(CalibrationDataReader):
        left = iter(photos)

        def get_next(self) -> dict[str, np.ndarray] | None:
            photo = next(self.left, None)
            return None if photo is None else {"pixels": photo}

    add_pre_process_metadata(graph)  # `_folded` did what it would warn of
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "quantized.onnx")
        quantize_static(
            graph,
            file,
            Inputs(),
            per_channel=True,  # of weights
            activation_type=QuantType.QUInt8,  # signed ones are left in float32 on x86
            weight_type=QuantType.QInt8,
            reduce_range=True,  # of weights, to 7 bits: see `_safe_with_8_bits`
            nodes_to_exclude=_behind(graph.graph, "logits"),
            extra_options={
                "OpTypesToExcludeOutputQuantization": ["Gemm", "MatMul"],
                "TensorQuantOverrides": {
                    name: [{"axis": 0, "quant_type": QuantType.QInt8, "reduce_range": False}]
                    for name in _safe_with_8_bits(graph.graph)
                },
            },
        )
        graph = onnx.load(file)
    _shorten(graph.graph)
    return graph


def _safe_with_8_bits(graph: Any) -> list[str]:
    """Names of the weights of convolutions that may use all 8 bits.

    Without VNNI, products of two neighbours are added up in 16 bits, which overflow where weights use all 8 and pixels
    lie around the middle of their range. Depthwise convolutions have no such neighbours, and behind a ReLU most pixels
    are at its lower end. MobileNetV2's logits are off by 0.7 with these, by 1.6 where all weights use 7 bits.
    """
    behind_relu = {output for node in graph.node if node.op_type in ("Clip", "Relu") for output in node.output}
    depthwise = {tensor.name for tensor in graph.initializer if _is_depthwise(tensor)}
    convolutions = [node.input for node in graph.node if node.op_type == "Conv"]
    return [names[1] for names in convolutions if names[0] in behind_relu or names[1] in depthwise]


def _behind(graph: Any, tensor: str) -> list[str]:
    """Names of the nodes that need a tensor. Nodes stand in the order in which they are run."""
    tensors, names = {tensor}, []
    for node in graph.node:
        if tensors & set(node.input):
            tensors |= set(node.output)
            names.append(node.name)
    return names


def _shorten(graph: Any) -> None:
    """Number the tensors that nobody asks for by name: their long names are 4% of an int8 network."""
    short = {tensor.name: tensor.name for tensor in (*graph.input, *graph.output)}

    def shortened(name: str) -> str:
        return short.setdefault(name, str(len(short))) if name else name  # "": an input that is left out

    for node in graph.node:
        node.name = ""
        node.input[:], node.output[:] = map(shortened, node.input), map(shortened, node.output)
    for tensor in graph.initializer:
        tensor.name = shortened(tensor.name)
    del graph.value_info[:]  # shapes in between, which every runtime finds by itself


def _halve(graph: Any) -> None:
    """Store weights in 16 bits, but for those of depthwise convolutions."""
    from onnx import TensorProto, helper, numpy_helper

    for tensor in graph.graph.initializer:
        weights, name = numpy_helper.to_array(tensor), tensor.name
        if weights.dtype == np.float32 and weights.ndim >= 2 and not _is_depthwise(tensor):
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
            cast = helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)
            graph.graph.node.insert(0, cast)


def _is_depthwise(tensor: Any) -> bool:
    """Are these the weights of a depthwise convolution: (channels, 1, height, width)?"""
    return len(tensor.dims) == 4 and tensor.dims[1] == 1


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
