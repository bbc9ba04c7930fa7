"""ONNX: of the package's network, or else written by Keras through tf2onnx; quantised and run by ONNX Runtime.

Not quantised by NNCF, as for OpenVINO: half of its activations are signed, and on x86 ONNX Runtime computes in 8 bits
with unsigned ones only, so the network would be no faster than in float32.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.classifier.others import OtherHead
from headstart.export import OUTPUTS
from headstart.export.formats.onnx_resizing import resize_inside
from headstart.export.onnx_nodes import Nodes, whole
from headstart.models.keras_to_onnx import write_onnx

if TYPE_CHECKING:
    from headstart.export.source import Source


def write(source: Source, file: Path, description: dict, *, precision: str, photos: Sequence[np.ndarray]) -> None:
    import onnx

    frozen = source.frozen_graph
    if frozen:
        onnx.save(_with_head(frozen, source), file)
    else:
        write_onnx(source.model, file)
    graph = _folded(file)
    if precision == "float16":
        _halve(graph)
    elif precision == "int8":
        graph = _quantized(graph, photos)
    if source.has_maps:
        from headstart.export.explained import explain  # which imports more than the names of formats need

        explain(graph, source)
    if not source.fixed_size:  # only now: it stays in float32
        resize_inside(graph, size=source.classifier.image_size, resizing=source.classifier.resizing)
    # metadata in ONNX are pairs of strings
    onnx.helper.set_model_props(graph, {key: _text(value) for key, value in description.items()})
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, file)


def _with_head(graph: Any, source: Source) -> Any:
    """The frozen network of the base, with the head and the probabilities behind it, and without feature maps, unless
    the source has them."""
    from onnx import TensorProto, helper, numpy_helper

    from headstart.models.packaged import output_name

    vectors = [each.name for each in graph.graph.output if each.name in (output_name(0), output_name(1))]
    kernel, bias = source.head
    constants = {
        "kernel": kernel,
        "bias": bias,
        "temperature": np.float32(source.temperature),
        "nothing": np.float32(0),
    }
    nodes = [
        helper.make_node("Concat", vectors, ["all_features"], axis=1),
        helper.make_node("Gemm", ["all_features", "kernel", "bias"], ["logits"]),
        helper.make_node("Mul", ["logits", "nothing"], ["zeros"]),
        helper.make_node("Concat", ["zeros", "logits"], ["two_sided"], axis=1),
        helper.make_node("Div", ["two_sided" if len(bias) == 1 else "logits", "temperature"], ["scaled"]),
        helper.make_node("Sigmoid", ["scaled"], ["probabilities"])
        if source.is_multi_label
        else helper.make_node("Softmax", ["scaled"], ["probabilities"], axis=1),
    ]
    graph.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items())
    graph.graph.node.extend(nodes if len(bias) == 1 else [*nodes[:2], *nodes[4:]])
    if source.classifier.other_head:
        _say_other(graph.graph, source.classifier.other_head)
    if not source.has_maps:
        del graph.graph.output[:]
    for name, (_, *shape) in source.output_shapes.items():
        graph.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]))
    (pixels,) = graph.graph.input
    kind = TensorProto.UINT8 if source.pixels == "uint8" else TensorProto.FLOAT
    pixels.CopyFrom(helper.make_tensor_value_info("pixels", kind, ["n", *source.square_shape[1:]]))
    return graph


def _say_other(graph: Any, head: OtherHead) -> None:
    """What `OtherHead.probabilities` does, from all features."""
    new, classes = Nodes(graph, "other"), head.weights.shape[1] - 1

    def columns(tensor: str, start: int, end: int) -> str:
        return new("Slice", tensor, whole(start), whole(end), whole(1))

    found = new("Gemm", "all_features", head.weights[:-1], head.weights[-1])
    known, other = columns(found, 0, classes), columns(found, classes, classes + 1)
    # ReduceLogSumExp is not the same in all versions of ONNX
    total = new("Sub", columns(known, 0, 1), columns(new("LogSoftmax", known, axis=1), 0, 1))
    odds = new("Div", new("Sub", other, total), np.float32(head.temperature))
    new("Squeeze", new("Sigmoid", odds), whole(1), output=OUTPUTS[-1])


def open_file(file: Path):
    """An `ExportedModel` in ONNX Runtime, on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    given = {each.name for each in session.get_outputs()}
    names = [name for name in OUTPUTS if name in given]

    def run(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(session.run(names, {"pixels": pixels}))

    return run


def _folded(file: Path) -> Any:
    """The same graph with BatchNormalization folded into the convolutions, as ONNX Runtime does when it opens a file.

    tf2onnx does not fold it into depthwise convolutions, so a quantiser would round in between.
    """
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors: it warns about constants that were folded and are no longer needed
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard ONNX only
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder, file.name))
        onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _quantized(graph: Any, photos: Sequence[np.ndarray]) -> Any:
    """8-bit weights and activations, except for what comes behind all convolutions: the statistics of the depths, of
    which 8 bits would leave little, and the head."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Inputs(CalibrationDataReader):
        left = iter(photos)

        def get_next(self) -> dict[str, np.ndarray] | None:
            photo = next(self.left, None)
            return None if photo is None else {"pixels": photo}

    add_pre_process_metadata(graph)  # `_folded` did what it would otherwise warn about
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "quantized.onnx")
        quantize_static(
            graph,
            file,
            Inputs(),
            per_channel=True,  # of weights
            activation_type=QuantType.QUInt8,  # on x86, signed ones stay in float32
            weight_type=QuantType.QInt8,
            reduce_range=True,  # of weights, to 7 bits: see `_safe_with_8_bits`
            nodes_to_exclude=_behind_all_convolutions(graph.graph),
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
    """The names of the weights of convolutions that can use all 8 bits.

    Without VNNI, the products of two neighbouring channels are added in 16 bits, which overflow if the weights use all
    8 bits and the activations lie in the middle of their range. Depthwise convolutions have no such neighbours, and
    after a ReLU most activations are at the lower end. MobileNetV2's logits are off by 0.7 with this rule, and by 1.6
    if all weights use 7 bits.
    """
    behind_relu = {output for node in graph.node if node.op_type in ("Clip", "Relu") for output in node.output}
    depthwise = {tensor.name for tensor in graph.initializer if _is_depthwise(tensor)}
    convolutions = [node.input for node in graph.node if node.op_type == "Conv"]
    return [names[1] for names in convolutions if names[0] in behind_relu or names[1] in depthwise]


def _behind_all_convolutions(graph: Any) -> list[str]:
    """The names of the nodes that no convolution depends on. Nodes are listed in the order in which they run."""
    needed: set[str] = set()
    names = []
    for node in reversed(graph.node):
        if node.op_type == "Conv" or needed & set(node.output):
            needed |= set(node.input)
        else:
            names.append(node.name)
    return names


def _shorten(graph: Any) -> None:
    """Replace the names of internal tensors by numbers: the long names are 4% of an int8 network."""
    short = {tensor.name: tensor.name for tensor in (*graph.input, *graph.output)}

    def shortened(name: str) -> str:
        return short.setdefault(name, str(len(short))) if name else name  # "": an optional input that is not given

    for node in graph.node:
        node.name = ""
        node.input[:], node.output[:] = map(shortened, node.input), map(shortened, node.output)
    for tensor in graph.initializer:
        tensor.name = shortened(tensor.name)
    del graph.value_info[:]  # shapes of internal tensors, which every runtime infers


def _halve(graph: Any) -> None:
    """Store weights in 16 bits, except those of depthwise convolutions."""
    from onnx import TensorProto, helper, numpy_helper

    for tensor in graph.graph.initializer:
        weights, name = numpy_helper.to_array(tensor), tensor.name
        if weights.dtype == np.float32 and weights.ndim >= 2 and not _is_depthwise(tensor):
            tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), f"{name}_float16"))
            cast = helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT)
            graph.graph.node.insert(0, cast)


def _is_depthwise(tensor: Any) -> bool:
    """Whether these are weights of a depthwise convolution: (channels, 1, height, width)."""
    return len(tensor.dims) == 4 and tensor.dims[1] == 1


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
