"""The resizing inside exports makes the pixels that headstart itself makes, for any photo, in each runtime."""

from functools import cache

import cv2
import flatbuffers
import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import helper

from headstart.data.resizing import RESIZINGS, STRETCH, resize
from headstart.engines.openvino import import_openvino
from headstart.export.formats import litert_resizing, onnx_resizing, openvino_resizing
from headstart.export.formats.saved_model import TensorFlow
from headstart.export.reference import square_of
from headstart.export.resizing import squared
from support.planted import tiles

SIZES = [(1, 1), (1, 2000), (700, 1), (2, 3), (96, 96), (192, 192), (191, 97), (95, 385), (384, 288), (500, 375)]


@cache
def photo() -> np.ndarray:
    return np.asarray(tiles()[40].convert("RGB"))


def photo_of(height: int, width: int) -> np.ndarray:
    """A real picture in that size, with all of its detail."""
    return cv2.resize(photo(), (width, height), interpolation=cv2.INTER_CUBIC)


def noise_of(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def assert_same(found: np.ndarray, expected: np.ndarray, share: float = 0.01) -> None:
    """But for averages between two numbers, which OpenCV rounds by chance, in each of its two steps."""
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 2
    assert (difference > 1).mean() <= share / 10
    assert (difference > 0).mean() <= share


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    size=st.sampled_from([32, 33, 64, 96]),
    resizing=st.sampled_from(sorted(RESIZINGS)),
)
@example(height=476, width=12, size=32, resizing="pad")  # averaged by 6, which is no power of two
@example(height=1, width=2000, size=224, resizing="pad")
def test_the_pixels_are_those_of_the_decoder(height, width, size, resizing):
    for image in (photo_of(height, width), noise_of(height, width)):
        found = square_of(image, size, resizing)
        assert found.shape == (size, size, 3)
        assert_same(found, resize(image, size, resizing))


def test_a_resizing_that_is_only_almost_right_would_be_noticed():
    """What a runtime's own operator would do: bilinear, without averaging."""
    image = photo_of(500, 375)
    with pytest.raises(AssertionError):
        assert_same(cv2.resize(image, (96, 96)), resize(image, 96))


def in_onnx(pixels: str, size: int, resizing: str):
    """In front of a network that does nothing, as in all runtimes here."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(pixels))
    nodes = [helper.make_node("Identity", ["pixels"], ["square"])]
    ends = [helper.make_tensor_value_info(name, kind, ["n", size, size, 3]) for name in ("pixels", "square")]
    graph = helper.make_graph(nodes, "nothing", ends[:1], ends[1:])
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    onnx_resizing.resize_inside(network, size=size, resizing=resizing)
    onnx.checker.check_model(network, full_check=True)
    session = onnxruntime.InferenceSession(network.SerializeToString())
    return lambda images: session.run(None, {"pixels": images})[0]


def in_openvino(pixels: str, size: int, resizing: str):
    openvino = import_openvino()
    square = openvino.opset13.parameter([-1, size, size, 3], np.dtype(pixels))
    nothing = openvino.Model([openvino.opset13.result(square)], [square], "nothing")
    network = openvino_resizing.resize_inside(nothing, size=size, resizing=resizing)
    assert network.output(0).partial_shape.to_string() == f"[?,{size},{size},3]"
    compiled = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda images: compiled(images)[0]


def in_litert(pixels: str, size: int, resizing: str):
    graph, square = schema.SubGraphT(), schema.TensorT()
    square.shape, square.shapeSignature = [1, size, size, 3], [-1, size, size, 3]
    square.type = {"uint8": schema.TensorType.UINT8, "float32": schema.TensorType.FLOAT32}[pixels]
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [square], [0], [0], []
    network = schema.ModelT()
    network.version, network.subgraphs, network.operatorCodes = 3, [graph], []
    network.buffers, network.signatureDefs = [schema.BufferT()], []
    litert_resizing.resize_inside(network, size=size, resizing=resizing)
    builder = flatbuffers.Builder()
    builder.Finish(network.Pack(builder), b"TFL3")
    interpreter = Interpreter(model_content=bytes(builder.Output()))

    def run(images: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], images.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def in_tensorflow(pixels: str, size: int, resizing: str):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), pixels)])
    def run(images):
        return tf.cast(squared(images, TensorFlow(), size=size, resizing=resizing), pixels)

    return lambda images: run(images).numpy()


RUNTIMES = {"onnx": in_onnx, "openvino": in_openvino, "litert": in_litert, "tensorflow": in_tensorflow}


@pytest.mark.parametrize("resizing", RESIZINGS)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_runtime(runtime, resizing):
    """One after the other in the same session: nothing is left of the size before."""
    run = RUNTIMES[runtime]("uint8", 96, resizing)
    for height, width in SIZES:
        images = np.stack([photo_of(height, width), noise_of(height, width)])
        found = run(images)
        assert found.dtype == np.uint8
        for one, image in zip(found, images, strict=True):
            assert_same(one, square_of(image, 96, resizing), 1e-4)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_floats(runtime):
    image = photo_of(301, 222)
    found = RUNTIMES[runtime]("float32", 64, STRETCH)(image[None].astype(np.float32))
    assert found.dtype == np.float32
    assert_same(found[0], square_of(image, 64, STRETCH), 1e-4)
