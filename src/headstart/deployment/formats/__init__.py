"""The table FORMATS: how a network is written for each runtime, and how that runtime is asked.

A network is what `composing.with_probabilities` makes. A description is what a user of the file has to know of it, as
JSON: each writer puts it inside its file. Libraries are imported when they are used.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.deployment.formats import litert, onnx, openvino, saved_model
from headstart.errors import ExportError, MissingExtraError

Run = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # pixels (n, size, size, 3) -> logits, probabilities

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"


@dataclass(frozen=True)
class Format:
    """One way to write a network.

    suffix: of the file's name; "" where it is a folder.
    precisions: what its weights can be written as.
    packages: what has to be installed, as it is imported.
    quantizer: what has to be installed for int8 besides.
    write: (network, path, description, *, precision, photos): photos, for int8 alone, show the ranges of activations, each
        (1, size, size, 3) of the type of the network's pixels.
    open: path -> Run, in the format's own runtime.
    """

    suffix: str
    precisions: tuple[str, ...]
    packages: tuple[str, ...]
    quantizer: tuple[str, ...]
    write: Callable[..., None]
    open: Callable[[Path], Run]

    def check_precision(self, name: str, precision: str) -> None:
        """
        Raises:
            ExportError: the format has no such precision.
            MissingExtraError: a library that it needs is not installed.
        """
        if precision not in self.precisions:
            offered = ", ".join(self.precisions[1:])
            raise ExportError(
                f"The format '{name}' cannot be quantised to '{precision}'. "
                + (f"Choose one of: {offered}; or leave --quantize out." if offered else "Leave --quantize out.")
            )
        packages = (*self.packages, *(self.quantizer if precision == INT8 else ()))
        missing = [package for package in packages if importlib.util.find_spec(package) is None]
        if missing:
            raise MissingExtraError(
                f"An export to '{name}' needs {', '.join(missing)}, which is not installed: "
                f"pip install 'headstart[cpu,export]'"
            )


def get_format(name: str) -> Format:
    """The row of FORMATS.

    Raises:
        ExportError: there is none of that name.
    """
    if name not in FORMATS:
        raise ExportError(f"There is no format '{name}'. Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[name]


ALL = (FLOAT32, FLOAT16, INT8)
FORMATS = {
    "onnx": Format(".onnx", ALL, ("onnx", "onnxruntime", "tf2onnx"), ("nncf",), onnx.write, onnx.open_file),
    "litert": Format(".tflite", ALL, ("tensorflow", "ai_edge_litert"), (), litert.write, litert.open_file),
    "openvino": Format("", ALL, ("openvino",), ("nncf",), openvino.write, openvino.open_folder),
    "saved-model": Format("", (FLOAT32,), ("tensorflow",), (), saved_model.write, saved_model.open_folder),
}  # fmt: skip


def described(network: Any, facts: dict) -> dict:
    """What a user of the file has to know, with the shapes of the network; None stands for any number of images."""
    outputs = {name: list(tensor.shape) for name, tensor in zip(network.output_names, network.outputs, strict=True)}
    pixels = {"name": network.input.name, "type": network.input.dtype, "shape": list(network.input.shape)}
    return {**facts, "input": {**pixels, "values": "RGB, 0 to 255"}, "outputs": outputs}
