"""The resizing inside exports makes the pixels that headstart itself makes, for any photo, in each runtime."""

import cv2
import numpy as np
import onnxruntime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headstart.data.resizing import RESIZINGS, STRETCH, resize
from headstart.engines.openvino import import_openvino
from headstart.export.formats.onnx_resizing import resizing_as_onnx
from headstart.export.resizing import squared
from support.planted import tiles

SIZES = [(1, 1), (1, 2000), (700, 1), (2, 3), (96, 96), (192, 192), (191, 97), (95, 385), (384, 288), (500, 375)]


class OfNumpy:
    """`Operations` of NumPy."""

    least, greatest, where = staticmethod(np.minimum), staticmethod(np.maximum), staticmethod(np.where)
    floor, round = staticmethod(np.floor), staticmethod(np.round)

    def sides(self, pixels):
        return np.array([pixels.shape[1]]), np.array([pixels.shape[2]])

    def whole(self, *values):
        return np.array(values)

    def count(self, end):
        return np.arange(end[0])

    def column(self, vector, ones=1):
        return vector.reshape(-1, *[1] * ones)

    def real(self, tensor):
        return tensor.astype(np.float32)

    def index(self, tensor):
        return tensor.astype(int)

    def take(self, images, rows):
        return np.take(images, rows, axis=1)

    def weighted(self, taps, weights):
        return np.einsum("nrtwc,rt->nrwc", taps, weights)

    def turned(self, images):
        return images.swapaxes(1, 2)

    def maximum(self, vector):
        return vector.max(keepdims=True)


def photo_of(height: int, width: int) -> np.ndarray:
    """A real picture in that size, with all of its detail."""
    return cv2.resize(np.asarray(tiles()[40].convert("RGB")), (width, height), interpolation=cv2.INTER_CUBIC)


def noise_of(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """But for what is exactly between two values: OpenCV rounds it as its order of adding floats falls."""
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.005


@settings(max_examples=60, deadline=None)
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
        found = squared(image[None], OfNumpy(), size=size, resizing=resizing)
        assert found.dtype == np.float32
        assert found.shape == (1, size, size, 3)
        assert_same(found[0], resize(image, size, resizing))


def test_a_resizing_that_is_only_almost_right_would_be_noticed():
    """What a runtime's own operator would do: bilinear, without averaging."""
    image = photo_of(500, 375)
    with pytest.raises(AssertionError):
        assert_same(cv2.resize(image, (96, 96)), resize(image, 96))


def in_onnx(pixels: str, size: int, resizing: str):
    session = onnxruntime.InferenceSession(resizing_as_onnx(pixels, size=size, resizing=resizing))
    return lambda images: session.run(None, {"pixels": images})[0]


def in_openvino(pixels: str, size: int, resizing: str):
    openvino = import_openvino()
    network = openvino.Core().read_model(resizing_as_onnx(pixels, size=size, resizing=resizing))
    compiled = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda images: compiled(images)[0]


RUNTIMES = {"onnx": in_onnx, "openvino": in_openvino}


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
            assert_same(one, resize(image, 96, resizing))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_floats(runtime):
    image = photo_of(301, 222)
    found = RUNTIMES[runtime]("float32", 64, STRETCH)(image[None].astype(np.float32))
    assert found.dtype == np.float32
    assert_same(found[0], resize(image, 64))
