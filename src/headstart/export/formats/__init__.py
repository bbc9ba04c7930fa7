"""The table FORMATS: how a network is written for each runtime, and run there.

What is written is a `Source`. A description is what a user of the file has to know, as
JSON; each writer puts it inside its file. Libraries are imported when they are used.

float16 means: weights are stored in 16 bits, and computation is in 32. The weights of depthwise convolutions stay in 32
bits: they are few (3% of MobileNetV2's), but rounding them does most of the harm. It moves logits by up to 0.21, and
rounding all others by 0.04.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.array_types import Float, Num
from headstart.errors import ExportError, MissingExtraError
from headstart.export.formats import litert, onnx, openvino, saved_model, web

# An exported file, opened in its runtime: pixels -> what it gives of OUTPUTS: logits, probabilities, perhaps others.
ExportedModel = Callable[[Num[np.ndarray, "n size size 3"]], tuple[Float[np.ndarray, "n ..."], ...]]

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"


@dataclass(frozen=True)
class Format:
    """One way to write a network.

    suffix: of the file's name; "" for a folder.
    packages: each precision that it can be written in -> the modules that this needs.
    write: (source, path, description, *, precision, photos). Only int8 needs photos, to find the ranges of
        activations; each is (1, size, size, 3), of the type of the network's input.
    open: path -> ExportedModel, in the format's own runtime.
    needs: (path, square) -> what a small device has to have, see `litert_needs.py`; None where it is not known.
    """

    suffix: str
    packages: Mapping[str, tuple[str, ...]]
    write: Callable[..., None]
    open: Callable[[Path], ExportedModel]
    needs: Callable[[Path, np.ndarray], dict] | None = None


def get_format(name: str, precision: str) -> Format:
    """The row of FORMATS.

    Raises:
        ExportError: there is no such format, or it has no such precision.
        MissingExtraError: a library that it needs is not installed.
    """
    if name not in FORMATS:
        raise ExportError(f"There is no format '{name}'. Choose one of: {', '.join(FORMATS)}.")
    found = FORMATS[name]
    if precision not in found.packages:
        offered = [each for each in found.packages if each != FLOAT32]
        choice = f"Choose one of: {', '.join(offered)}; or leave --quantize out" if offered else "Leave --quantize out"
        raise ExportError(f"The format '{name}' cannot be quantised to '{precision}'. {choice}.")
    missing = [package for package in found.packages[precision] if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"An export to {name}, {precision}, needs {', '.join(missing)}: pip install 'headstart[tune,export]'"
        )
    return found


_ONNX = ("onnx", "onnxruntime")
_LITERT = ("tensorflow", "ai_edge_litert")
_QUANTISED = (*_LITERT, "ai_edge_quantizer")
FORMATS = {
    "onnx": Format(".onnx", {FLOAT32: _ONNX, FLOAT16: _ONNX, INT8: _ONNX}, onnx.write, onnx.open_file),
    "litert": Format(
        ".tflite",
        {FLOAT32: _LITERT, FLOAT16: _QUANTISED, INT8: _QUANTISED},
        litert.write,
        litert.open_file,
        litert.needs_of,
    ),
    "openvino": Format(
        "",
        {FLOAT32: ("openvino",), FLOAT16: ("openvino",), INT8: ("openvino", "nncf")},
        openvino.write,
        openvino.open_folder,
    ),
    "saved-model": Format("", {FLOAT32: ("tensorflow",)}, saved_model.write, saved_model.open_folder),
    # not in int8, which moves probabilities: the page would break the promise that its thresholds keep
    "web": Format("", {FLOAT32: _ONNX, FLOAT16: _ONNX}, web.write, web.open_folder),
}
