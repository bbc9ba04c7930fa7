"""A compiled network: batches of uint8 images -> float32 arrays. Knows neither files nor labels.

`Engine` runs OpenVINO's intermediate representation (XML and BIN) on the CPU: asynchronously, several batches at once,
one on each stream, which is its fastest way (benchmarks/LOG.md). It needs no Keras. `KerasEngine` does the same with a
Keras model, more slowly, where OpenVINO is missing or cannot compile a network.
"""

import importlib.util
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from headstart.errors import HeadstartError, ModelError

BATCH = 4  # images in a request: at 160 pixels 400 images/s on two cores, 340 with 1, 350 with 8, 320 with 32
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}  # our names -> OpenVINO's


class CompileError(HeadstartError):
    """OpenVINO is not installed, or cannot read or compile a network."""


class Runs(Protocol):
    """What turns images into the tensors at the end of a network."""

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Of each output, for one image."""
        ...

    def fill(self, batches: Iterable[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        """Run uint8 batches (up to BATCH, size, size, 3), taken one by one, and write what comes out.

        outputs: for each output of the network, or for the first ones, an array (all images, *its shape), of a floating
            type.
        """
        ...


class Engine:
    """A network that OpenVINO compiled for this processor."""

    def __init__(self, file: Path, *, precision: str = "float32") -> None:
        """Compile the XML file that `write_network` wrote.

        Raises:
            CompileError: it is damaged, or OpenVINO is missing or fails.
        """
        openvino = _openvino()
        try:
            core = openvino.Core()
            network = core.read_model(file)
            settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
            self._compiled = core.compile_model(network, "CPU", settings)
        except RuntimeError as error:
            raise CompileError(f"OpenVINO cannot compile '{file}': {_first_line(error)}") from None
        # one more than there are streams: it begins when one ends, before that one's results are copied
        self._requests = 1 + int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.shapes = [tuple(int(side) for side in output.shape)[1:] for output in self._compiled.outputs]

    def fill(self, batches: Iterable[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        # No AsyncInferQueue with a callback: its threads may want the interpreter's lock after wait_all() has returned,
        # while who closes the network holds that lock and waits for them, for ever (seen with OpenVINO 2026.4.1).
        idle = [self._compiled.create_infer_request() for _ in range(self._requests)]
        running: deque[tuple[Any, int, int]] = deque()

        def finish_the_oldest() -> None:
            request, start, stop = running.popleft()
            request.wait()
            for number, output in enumerate(outputs):
                output[start:stop] = request.get_output_tensor(number).data[: stop - start]
            idle.append(request)

        start = 0
        try:
            for images in batches:
                stop = start + len(images)
                if len(images) < BATCH:
                    images = np.concatenate([images, np.zeros((BATCH - len(images), *images.shape[1:]), np.uint8)])
                if not idle:
                    finish_the_oldest()
                request = idle.pop()
                request.start_async({0: images})
                running.append((request, start, stop))
                start = stop
        finally:
            while running:
                finish_the_oldest()


class KerasEngine:
    """A Keras model in the place of an engine: slower, and it always works."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.shapes = [tuple(output.shape[1:]) for output in model.outputs]

    def fill(self, batches: Iterable[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        start = 0
        for images in batches:
            found = self._model.predict_on_batch(images)
            found = found if isinstance(found, (list, tuple)) else [found]
            for output, values in zip(outputs, found, strict=False):
                output[start : start + len(images)] = values
            start += len(images)


def write_network(model: Any, file: Path) -> None:
    """A Keras model, raw pixels (n, size, size, 3) -> one or several tensors, into an XML file and a BIN beside it.

    The network takes uint8 batches of BATCH images. Weights stay float32.

    Raises:
        CompileError: OpenVINO is missing, or cannot convert the model.
    """
    openvino = _openvino()
    from openvino.preprocess import PrePostProcessor

    from headstart.models.keras_backend import keras

    if keras.backend.backend() != "tensorflow":
        raise CompileError(f"OpenVINO converts models of Keras' TensorFlow backend, not '{keras.backend.backend()}'")
    import tensorflow

    pixels = tensorflow.TensorSpec((BATCH, *model.input.shape[1:]), tensorflow.float32)
    called = tensorflow.function(lambda images: model(images, training=False), autograph=False)
    try:
        network = openvino.convert_model(called.get_concrete_function(pixels))
        # some activations (SiLU) come with a gradient of their own, whose parts end up among the outputs as well
        names = ["Identity:0", *(f"Identity_{number}:0" for number in range(1, len(model.outputs)))]
        wanted = [next(output for output in network.outputs if name in output.get_names()) for name in names]
        network = openvino.Model([output.node for output in wanted], network.get_parameters(), "network")
        steps = PrePostProcessor(network)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        network = steps.build()
        openvino.save_model(network, file, compress_to_fp16=False)
    except RuntimeError as error:  # openvino's own errors are of this type, for lack of operators as for a full disk
        raise CompileError(f"OpenVINO cannot convert '{model.name}': {_first_line(error)}") from None


def check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ModelError(f"There is no precision '{precision}'. Choose one of: {', '.join(PRECISIONS)}.")


def _openvino() -> Any:
    if importlib.util.find_spec("openvino") is None:
        raise CompileError("OpenVINO is not installed: pip install 'headstart[cpu]'")
    import openvino

    return openvino


def _first_line(error: Exception) -> str:
    with suppress(StopIteration):
        return next(line.strip() for line in str(error).splitlines() if line.strip())
    return type(error).__name__
