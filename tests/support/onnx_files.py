"""Networks in ONNX files, as other programs write them: small, with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

INPUT = "pixel_values"


class Graph:
    """Collects nodes and weights."""

    def __init__(self, seed: int = 0, dtype: type = np.float32) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.rng, self.dtype = np.random.default_rng(seed), dtype

    def node(self, kind: str, inputs: Sequence[str], output: str, **settings: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **settings))
        return output

    def constant(self, name: str, values: Any, dtype: type = np.int64) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weight(self, name: str, *shape: int) -> str:
        return self.constant(name, self.rng.normal(size=shape) * 0.3, self.dtype)

    def convolution(
        self, x: str, name: str, before: int, after: int, kernel: int = 3, stride: int = 1, *, pad: int | None = None
    ) -> str:
        """pad: pixels on each side; by default as many as keep the size."""
        weights = self.weight(f"{name}.weight", after, before, kernel, kernel), self.weight(f"{name}.bias", after)
        return self.node(
            "Conv", [x, *weights], name, strides=[stride] * 2, pads=[kernel // 2 if pad is None else pad] * 4
        )

    def save(self, file: Path, inputs: dict[str, Sequence], outputs: dict[str, Sequence], opset: int = 17) -> Path:
        """inputs, outputs: name -> shape."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        given, found = (
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in each.items()]
            for each in (inputs, outputs)
        )
        graph = helper.make_graph(self.nodes, "network", given, found, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
        model.ir_version = 9
        onnx.checker.check_model(model)
        onnx.save(model, file)
        return file


def residual_network(
    file: Path, *, batch: int | str = "n", side: int | str = "side", layout: str = "NCHW", dtype: type = np.float32,
    opset: int = 17, second_input: bool = False,
) -> Path:  # fmt: skip
    """A classifier of ten classes: three residual blocks, whose ends are "block0.relu" with 8 channels, "block1.relu"
    with 8 and "block2.relu" with 16."""
    graph, x = Graph(dtype=dtype), INPUT
    if layout == "NHWC":
        x = graph.node("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
    x = graph.node("Relu", [graph.convolution(x, "stem", 3, 4, stride=2)], "stem.relu")
    for number, (before, after, stride) in enumerate([(4, 8, 2), (8, 8, 1), (8, 16, 2)]):
        name = f"block{number}"
        y = graph.node("Relu", [graph.convolution(x, f"{name}.one", before, after, stride=stride)], f"{name}.one.relu")
        y = graph.convolution(y, f"{name}.two", after, after)
        past = x if before == after else graph.convolution(x, f"{name}.past", before, after, 1, stride)
        x = graph.node("Relu", [graph.node("Add", [y, past], f"{name}.sum")], f"{name}.relu")
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x], "pooled")], "flat", axis=1)
    if second_input:
        x = graph.node("Add", [x, "text"], "both")
    graph.node("Gemm", [x, graph.weight("top.weight", 16, 10), graph.weight("top.bias", 10)], "logits")
    shape = [batch, 3, side, side] if layout == "NCHW" else [batch, side, side, 3]
    inputs = {INPUT: shape} | ({"text": [batch, 16]} if second_input else {})
    return graph.save(file, inputs, {"logits": [batch, 10]}, opset)


def plain_network(file: Path, *, one_image: bool = False, channels: int = 3, flat: bool = False) -> Path:
    """Two convolutions, whose last output is what the network gives. one_image: made for a batch of one. flat: nothing
    but the mean of the pixels."""
    graph = Graph()
    x = graph.node("Relu", [graph.convolution(INPUT, "one", channels, 4, stride=2)], "one.relu")
    x = graph.node("Relu", [graph.convolution(x, "two", 4, 6, stride=2)], "two.relu")
    shape: list[int | str] = ["n", 6, 8, 8]
    if one_image:
        x, shape = graph.node("Reshape", [x, graph.constant("shape", [1, -1])], "given"), [1, "numbers"]
    if flat:
        graph.nodes.clear()
        x, shape = graph.node("ReduceMean", [INPUT], "given", axes=[2, 3], keepdims=0), ["n", channels]
    return graph.save(file, {INPUT: ["n", channels, 32, 32]}, {x: shape})


def vision_transformer(file: Path, *, side: int = 32, patch: int = 8, prefix: int = 1, blocks: int = 2) -> Path:
    """As Hugging Face exports them: `last_hidden_state` (n, tokens, 8) and `pooler_output` (n, 8). prefix: how many
    tokens stand before those of the image, a class token and registers."""
    graph, width, heads = Graph(), 8, 2
    x = graph.convolution(INPUT, "patches", 3, width, patch, patch, pad=0)
    x = graph.node("Reshape", [x, graph.constant("flat", [0, width, -1])], "rows")
    x = graph.node("Transpose", [x], "tokens", perm=[0, 2, 1])
    if prefix:
        graph.node("Gather", [graph.node("Shape", [INPUT], "shape"), graph.constant("first", [0])], "batch", axis=0)
        wanted = graph.node("Concat", ["batch", graph.constant("rest", [prefix, width])], "wanted", axis=0)
        before = graph.node("Expand", [graph.weight("class_token", 1, prefix, width), wanted], "before")
        x = graph.node("Concat", [before, x], "all_tokens", axis=1)
    x = graph.node("Add", [x, graph.weight("positions", 1, (side // patch) ** 2 + prefix, width)], "embedded")
    graph.constant("apart", [0, 0, heads, width // heads])
    graph.constant("together", [0, 0, width])
    for number in range(blocks):
        x = _attention(graph, x, f"block{number}", width)
        y = _normalized(graph, x, f"block{number}.norm2", width)
        y = graph.node("MatMul", [y, graph.weight(f"block{number}.up", width, 2 * width)], f"block{number}.wide")
        y = graph.node("Relu", [y], f"block{number}.relu")
        y = graph.node("MatMul", [y, graph.weight(f"block{number}.down", 2 * width, width)], f"block{number}.narrow")
        x = graph.node("Add", [x, y], f"block{number}.end")
    x = _normalized(graph, x, "norm", width, output="last_hidden_state")
    graph.node("Gather", [x, graph.constant("zero", 0)], "pooler_output", axis=1)
    outputs = {"last_hidden_state": ["n", "tokens", width], "pooler_output": ["n", width]}
    return graph.save(file, {INPUT: ["n", 3, side, side]}, outputs)


def _attention(graph: Graph, x: str, name: str, width: int) -> str:
    y = _normalized(graph, x, f"{name}.norm1", width)
    apart = []
    for part in ("query", "key", "value"):
        z = graph.node("MatMul", [y, graph.weight(f"{name}.{part}.weight", width, width)], f"{name}.{part}")
        z = graph.node("Reshape", [z, "apart"], f"{name}.{part}.heads")
        order = [0, 2, 3, 1] if part == "key" else [0, 2, 1, 3]
        apart.append(graph.node("Transpose", [z], f"{name}.{part}.turned", perm=order))
    scores = graph.node("Softmax", [graph.node("MatMul", apart[:2], f"{name}.products")], f"{name}.scores", axis=-1)
    y = graph.node(
        "Transpose", [graph.node("MatMul", [scores, apart[2]], f"{name}.seen")], f"{name}.back", perm=[0, 2, 1, 3]
    )
    y = graph.node("Reshape", [y, "together"], f"{name}.joined")
    y = graph.node("MatMul", [y, graph.weight(f"{name}.out", width, width)], f"{name}.projected")
    return graph.node("Add", [x, y], f"{name}.half")


def _normalized(graph: Graph, x: str, name: str, width: int, output: str | None = None) -> str:
    scale, bias = graph.constant(f"{name}.scale", np.ones(width), np.float32), graph.weight(f"{name}.bias", width)
    return graph.node("LayerNormalization", [x, scale, bias], output or name, axis=-1)
