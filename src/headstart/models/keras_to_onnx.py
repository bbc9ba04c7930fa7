"""A Keras model -> an ONNX file: written by Keras through tf2onnx, with what that leaves out."""

from __future__ import annotations

import importlib.util
import io
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import MissingExtraError


def write_onnx(network: Any, file: Path) -> None:
    """Write a Keras model with one input, of any number of images.

    Raises:
        MissingExtraError: tf2onnx is not installed.
        Exception: Keras, tf2onnx and TensorFlow raise some ten kinds, where they cannot.
    """
    if importlib.util.find_spec("tf2onnx") is None:
        raise MissingExtraError("ONNX of this base needs tf2onnx: pip install 'headstart[tune,export]'")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # it lists the optimisations that it skips
    _teach_erfc()
    # the exporters' warnings are about themselves, and what they print would get into --json
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        network.export(str(file), format="onnx", input_signature=[network.input], verbose=False)
        _keep_constants(file, network)


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


def _keep_constants(file: Path, network: Any) -> None:
    """Restore constants that are not variables, as in a Normalization layer: tf2onnx makes them inputs of the graph."""
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
