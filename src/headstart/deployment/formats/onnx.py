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
        from onnxruntime.transformers.float16 import convert_float_to_float16

        graph = convert_float_to_float16(graph, keep_io_types=True)
    elif precision == "int8":
        from headstart.deployment.formats.quantization import quantized

        graph = quantized(graph, [{"pixels": photo} for photo in photos])
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


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
