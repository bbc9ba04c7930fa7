"""ONNX: written by Keras through tf2onnx, quantised by NNCF, run by ONNX Runtime."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write(network: Any, file: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    import onnx

    network.export(str(file), format="onnx", input_signature=[network.input], verbose=False)
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


def _folded(file: Path) -> Any:
    """The same graph with its BatchNormalization folded into the convolutions, as ONNX Runtime does when it opens it.

    tf2onnx leaves that of depthwise convolutions, where a quantiser would put steps of rounding in between.
    """
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard ONNX alone
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder, file.name))
        onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _quantized(graph: Any, photos: Sequence[np.ndarray]) -> Any:
    from nncf.quantization.advanced_parameters import OverflowFix, QuantizationParameters

    from headstart.deployment.formats.quantization import quantized

    return quantized(
        graph,
        [{"pixels": photo} for photo in photos],
        # ONNX Runtime calculates in 8 bits only where all channels have one scale; else half as fast as float32
        activations_quantization_params=QuantizationParameters(per_channel=False),
        # on a processor without VNNI it adds products of 8 bits up in 16, which overflow where weights use all 8
        overflow_fix=OverflowFix.ENABLE,
    )


def _halve(graph: Any) -> None:
    """Store weights in 16 bits, but for those of depthwise convolutions: (channels, 1, height, width)."""
    from onnx import TensorProto, helper, numpy_helper

    for tensor in graph.graph.initializer:
        weights, name = numpy_helper.to_array(tensor), tensor.name
        if weights.dtype == np.float32 and weights.ndim >= 2 and weights.shape[1] > 1:
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
            cast = helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)
            graph.graph.node.insert(0, cast)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
