"""A Keras model -> an ONNX file: written by Keras through tf2onnx, with what that leaves out."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import MissingExtraError

TO_THE_END = np.iinfo(np.int32).max  # of a slice, as TensorFlow has it


def write_onnx(network: Any, file: Path) -> None:
    """Write a Keras model with one input, of any number of images.

    Raises:
        MissingExtraError: tf2onnx is not installed.
        Exception: Keras, tf2onnx and TensorFlow raise some ten kinds, where they cannot.
    """
    if importlib.util.find_spec("tf2onnx") is None:
        raise MissingExtraError("ONNX of this base needs tf2onnx: pip install 'headstart[tune,export]'")
    import onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it lists the optimisations that it skips
    _teach_erfc()
    # the exporters' warnings are about themselves, and what they print would get into --json
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        with _plain_convolutions():
            network.export(str(file), format="onnx", input_signature=[network.input], verbose=False)
        model = onnx.load(file)
        _keep_constants(model.graph, network)
        _open_ends(model.graph)
        onnx.save(model, file)


def _teach_erfc() -> None:
    """Have tf2onnx write Erfc, of which TensorFlow's exact GELU consists and which its version 1.17 does not know."""
    from tf2onnx.handler import tf_op

    @tf_op("Erfc")
    class Erfc:
        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
            """1 - Erf."""
            given, (output,) = node.input[0], node.output
            facts = {"shapes": [ctx.get_shape(output)], "dtypes": [ctx.get_dtype(output)]}
            ctx.remove_node(node.name)
            one = ctx.make_const(f"{node.name}_one", np.ones((), np.float32))
            erf = ctx.make_node("Erf", [given], **facts)
            ctx.make_node("Sub", [one.output[0], erf.output[0]], outputs=[output], **facts)


@contextmanager
def _plain_convolutions() -> Iterator[None]:
    """Write grouped convolutions as TensorFlow's own: Keras has XLA compile them, which tf2onnx cannot read."""
    import tensorflow

    from headstart.keras_backend import keras

    usual = keras.layers.Conv2D.convolution_op

    def convolution_op(layer: Any, inputs: Any, kernel: Any) -> Any:
        if layer.groups == 1:
            return usual(layer, inputs, kernel)
        kernel, padding = keras.ops.convert_to_tensor(kernel), layer.padding.upper()
        return tensorflow.nn.convolution(inputs, kernel, layer.strides, padding, dilations=layer.dilation_rate)

    keras.layers.Conv2D.convolution_op = convolution_op
    try:
        yield
    finally:
        del keras.layers.Conv2D.convolution_op  # it is that of the class above


def _keep_constants(graph: Any, network: Any) -> None:
    """Restore constants that are not variables, as in a Normalization layer: tf2onnx makes them inputs of the graph."""
    import tensorflow
    from onnx import numpy_helper

    given = [entry for entry in graph.input if entry.name != "pixels"]
    if not given:
        return
    pixels = tensorflow.TensorSpec(network.input.shape, network.input.dtype)
    traced = tensorflow.function(lambda images: network(images, training=False)).get_concrete_function(pixels)
    values = {inside.name: value for value, inside in traced.graph.captures}
    for entry in given:
        graph.input.remove(entry)
        graph.initializer.append(numpy_helper.from_array(values[entry.name].numpy(), entry.name))


def _open_ends(graph: Any) -> None:
    """Let slices to the end of a dimension end at the largest int64, as ONNX recommends. tf2onnx writes TensorFlow's,
    the largest int32, which OpenVINO (2026.4) takes for the length of a dimension that it does not know: so the rotary
    positions of DINOv3 fitted no tokens."""
    from onnx import numpy_helper

    ends = {node.input[2] for node in graph.node if node.op_type == "Slice"}
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor) if tensor.name in ends else np.zeros(0)
        if values.dtype == np.int64 and (values == TO_THE_END).any():
            open_ends = np.where(values == TO_THE_END, np.iinfo(np.int64).max, values)
            tensor.CopyFrom(numpy_helper.from_array(open_ends, tensor.name))
