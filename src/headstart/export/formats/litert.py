"""LiteRT (once TensorFlow Lite): written and quantised by TensorFlow's converter, run by `ai-edge-litert`."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.concurrency import cpu_budget
from headstart.export import OUTPUTS
from headstart.export.formats.litert_needs import needs
from headstart.export.formats.litert_resizing import resize_inside

if TYPE_CHECKING:
    from headstart.export.source import Source

SIGNATURE = "serving_default"
DESCRIPTION = "export.json"
TOGETHER = 10  # kMaxInputNum in tensorflow/lite/micro/kernels/concatenation.cc


def write(source: Source, file: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    import tensorflow as tf

    # without TensorFlow's own operators, which the runtime lacks
    settings = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
    source.model.export(str(file), format="litert", verbose=False, **settings)
    if precision == "float16":
        _halve(file)
    elif precision == "int8":
        _quantise(file, _name_of_base(source.classifier.model), photos)
    network = read_network(file)
    if source.fixed_size:
        _take_whole_numbers(network)
        _concatenate_by_tens(network)
    else:  # only now: it stays in float32
        resize_inside(network, size=source.classifier.image_size, resizing=source.classifier.resizing)
    if precision == "int8":
        _shrink(network)
    _save(network, file)
    # where such files always had their metadata: in a zip behind the network, which the runtime ignores
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(zipfile.ZipInfo(DESCRIPTION), json.dumps(description, ensure_ascii=False, indent=2))


def _name_of_base(classifier: Any) -> str:
    from headstart.models.composing import base_of

    return base_of(classifier).name


def _halve(file: Path) -> None:
    """Store weights in 16 bits, except those of depthwise convolutions. The converter itself would not except them."""
    from ai_edge_quantizer import qtyping, quantizer
    from ai_edge_quantizer.algorithm_manager import AlgorithmName

    operations = qtyping.TFLOperationName
    settings = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    work = quantizer.Quantizer(file.read_bytes())
    for operation in (operations.CONV_2D, operations.FULLY_CONNECTED):
        work.update_quantization_recipe(
            regex=".*", operation_name=operation, op_config=settings, algorithm_key=AlgorithmName.FLOAT_CASTING
        )
    file.write_bytes(work.quantize().quantized_model)


def _quantise(file: Path, base: str, photos: Sequence[np.ndarray]) -> None:
    """8-bit weights and activations of the base; not of what comes behind it, the statistics of the depths, of which 8
    bits would leave little, and the head. TensorFlow's converter itself would not except them."""
    from ai_edge_quantizer import qtyping, quantizer

    work = quantizer.Quantizer(file.read_bytes())
    inside = rf".*/{re.escape(base)}(_\d+)?/.*"  # names that the converter gives: classifier_1/mobilenet_1/add_1/Add
    work.add_static_config(inside, qtyping.TFLOperationName.ALL_SUPPORTED, 8, 8)
    with redirect_stdout(StringIO()):  # it prints how much smaller the file is
        ranges = work.calibrate({SIGNATURE: [{"pixels": photo} for photo in photos]}, num_threads=cpu_budget())
        file.write_bytes(work.quantize(ranges).quantized_model)


def read_network(file: Path) -> Any:
    """The content of a file, as a `ModelT` of the schema."""
    from ai_edge_litert import schema_py_generated as schema

    content = file.read_bytes()
    network = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for buffer in network.buffers:
        if buffer.offset > 1:  # it lies behind the network, as the quantiser writes it
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return network


def _save(network: Any, file: Path) -> None:
    import flatbuffers

    builder = flatbuffers.Builder(file.stat().st_size)
    builder.Finish(network.Pack(builder), b"TFL3")
    file.write_bytes(builder.Output())


def _take_whole_numbers(network: Any) -> None:
    """Let the pixels of 8 bits become floats by DEQUANTIZE: TensorFlow Lite Micro has no CAST for them."""
    from ai_edge_litert import schema_py_generated as schema

    graph, codes = network.subgraphs[0], network.operatorCodes
    pixels = graph.tensors[graph.inputs[0]]
    for node in graph.operators:
        is_cast = codes[node.opcodeIndex].builtinCode == schema.BuiltinOperator.CAST
        if is_cast and list(node.inputs) == list(graph.inputs) and pixels.type == schema.TensorType.UINT8:
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
            code.version = 1
            codes.append(code)
            node.opcodeIndex, node.builtinOptions = len(codes) - 1, schema.DequantizeOptionsT()
            node.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
            pixels.quantization = schema.QuantizationParametersT()
            pixels.quantization.scale, pixels.quantization.zeroPoint = [1.0], [0]


def _concatenate_by_tens(network: Any) -> None:
    """Divide the concatenation of all depths: TensorFlow Lite Micro concatenates no more tensors than that at once."""
    from ai_edge_litert import schema_py_generated as schema

    graph, nodes = network.subgraphs[0], []
    for node in graph.operators:
        is_joined = network.operatorCodes[node.opcodeIndex].builtinCode == schema.BuiltinOperator.CONCATENATION
        while is_joined and len(node.inputs) > TOGETHER:
            first, rest = list(node.inputs[:TOGETHER]), list(node.inputs[TOGETHER:])
            part, whole = schema.OperatorT(), schema.TensorT()
            given = graph.tensors[first[0]]
            whole.type, whole.quantization = given.type, given.quantization
            whole.shape = [*given.shape[:-1], sum(int(graph.tensors[each].shape[-1]) for each in first)]
            whole.shapeSignature = None if given.shapeSignature is None else [-1, *whole.shape[1:]]
            graph.tensors.append(whole)
            part.opcodeIndex, part.inputs, part.outputs = node.opcodeIndex, first, [len(graph.tensors) - 1]
            part.builtinOptionsType, part.builtinOptions = node.builtinOptionsType, node.builtinOptions
            nodes.append(part)
            node.inputs = [len(graph.tensors) - 1, *rest]
        nodes.append(node)
    graph.operators = nodes


def _shrink(network: Any) -> None:
    """Write equal zero points once, and no names of tensors: they are a tenth of an int8 network.

    A zero point has 8 bytes for each channel of each tensor, and those of weights are all 0.
    """
    from ai_edge_litert import schema_py_generated as schema

    shared: dict[tuple[int, ...], int] = {}

    class Shared(schema.QuantizationParametersT):
        def Pack(self, builder: Any) -> int:  # noqa: N802 - the name in flatbuffers
            zeros = tuple(self.zeroPoint)
            if zeros not in shared:
                shared[zeros] = builder.CreateNumpyVector(np.array(zeros, np.int64))
            scales = builder.CreateNumpyVector(np.array(self.scale, np.float32))
            schema.QuantizationParametersStart(builder)
            schema.QuantizationParametersAddScale(builder, scales)
            schema.QuantizationParametersAddZeroPoint(builder, shared[zeros])
            schema.QuantizationParametersAddQuantizedDimension(builder, self.quantizedDimension)
            return schema.QuantizationParametersEnd(builder)

    for graph in network.subgraphs:
        for tensor in graph.tensors:
            tensor.name = None
            if tensor.quantization and tensor.quantization.scale is not None:
                tensor.quantization.__class__ = Shared


def open_file(file: Path):
    """An `ExportedModel` in LiteRT, on the CPU."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(file), num_threads=2).get_signature_runner(SIGNATURE)

    def run(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        found = runner(pixels=pixels)
        return tuple(found[name] for name in OUTPUTS if name in found)

    return run


def needs_of(file: Path, square: np.ndarray) -> dict[str, Any]:
    """What a small device has to have, see `litert_needs.py`. square: a photo, of the type of the file's input."""
    return needs(read_network(file), file, open_file(file), square)
