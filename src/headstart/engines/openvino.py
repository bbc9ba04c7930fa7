"""OpenVINOEngine: a network that OpenVINO compiled. It needs no Keras; writing a network from a Keras model does.

It runs OpenVINO's intermediate representation (XML and BIN) asynchronously, several batches at once, one on each
stream, which is its fastest way (benchmarks/LOG.md).
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from headstart.concurrency import available_cores, cpu_budget
from headstart.engines.base import CompileError, Compute, Pixels, filled
from headstart.engines.per_process import PerProcess
from headstart.errors import first_line

BATCH_SIZE = 4  # images in a request: at 160 pixels 400 images/s on two cores, 340 with 1, 350 with 8, 320 with 32
NETWORK = "network.xml"  # beside it network.bin, with the weights
ONNX_BEGINS = b"\x08"  # the field ir_version, the first of ModelProto (onnx.proto)
KERNEL, BIAS = "head/kernel", "head/bias"  # names of constants
CONVERTER = "openvino.tools.ovc"
# arguments: the file of a Keras model, and that of the network
CONVERSION = """
import sys
from pathlib import Path
from headstart.engines.openvino import write_network
from headstart.keras_backend import keras
write_network(keras.models.load_model(sys.argv[1], compile=False), Path(sys.argv[2]))
"""
CPU_FACTS = Path("/proc/cpuinfo")
HAVE_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # the last one on ARM
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}  # our names -> OpenVINO's
DEVICES = {"auto": "CPU", "cpu": "CPU", "gpu": "GPU"}


class OpenVINOEngine:
    """A network that OpenVINO compiled for a device of this computer. A forked process compiles it anew.

    head: kernel and bias of the network of a classifier, float32 (numbers, logits) and (logits,); None of others.
    """

    def __init__(
        self, file: Path, *, batch_size: int = BATCH_SIZE, compute: Compute | None = None, outputs: int | None = None
    ) -> None:
        """Compile the XML file that `write_network` or `add_head` wrote, for batches of that many images.

        outputs: how many are wanted, the first ones: what only the others need is not computed. None: all.

        Raises:
            CompileError: it is damaged, or OpenVINO is missing or fails.
        """
        compute = compute or Compute()
        self._network = PerProcess(partial(_Compiled, file.absolute(), batch_size, compute, outputs, _stamp(file)))
        opened = self._network.get()
        self.head = opened.head
        self.identity = identity(compute)
        self.batch_size = batch_size
        self.output_shapes = [tuple(int(side) for side in output.shape)[1:] for output in opened.model.outputs]

    def run(self, batches: Iterable[Pixels]) -> Iterator[list[np.ndarray]]:
        # No AsyncInferQueue with a callback: its threads may want the interpreter's lock after wait_all() has returned,
        # while who closes the network holds that lock and waits for them, for ever (seen with OpenVINO 2026.4.1).
        network = self._network.get()
        idle: list[Any] = []
        running: deque[tuple[Any, int]] = deque()

        def finish_the_oldest() -> list[np.ndarray]:
            request, count = running.popleft()
            request.wait()
            idle.append(request)
            return [tensor.data[:count] for tensor in request.output_tensors]

        try:
            for images in batches:
                count = len(images)
                if len(running) == network.requests:
                    yield finish_the_oldest()
                request = idle.pop() if idle else network.request()
                request.start_async({0: filled(images, self.batch_size)})
                running.append((request, count))
            while running:
                yield finish_the_oldest()
        finally:
            for request, _ in running:
                request.wait()
                idle.append(request)
            network.spare.extend(idle)


class _Compiled:
    """The network of a file, compiled in this process.

    requests: how many may run at the same time. spare: those that nobody uses; each has memory for what goes in and
    comes out.
    """

    def __init__(self, file: Path, batch_size: int, compute: Compute, outputs: int | None, stamp: object) -> None:
        """stamp: that of the file when it was opened first.

        Raises:
            CompileError: see `OpenVINOEngine`; or the file was changed since.
        """
        if _stamp(file) != stamp:
            raise CompileError(f"'{file}' was changed or removed after it was opened. Open it again in each process")
        try:
            core = _core()
            network = core.read_model(file)
            self.head = _head_of(network)
            if outputs:
                network = _cut_off(network, outputs)
            network.reshape([batch_size, *list(network.input().partial_shape)[1:]])
            self.model = core.compile_model(network, DEVICES[compute.device], _settings(compute))
        except RuntimeError as error:
            raise CompileError(f"OpenVINO cannot compile '{file}': {first_line(error)}") from None
        # one more than there are streams: it begins when one ends, before that one's results are copied
        self.requests = 1 + int(self.model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.spare: deque[Any] = deque()

    def request(self) -> Any:
        try:
            return self.spare.pop()
        except IndexError:
            return self.model.create_infer_request()


def _stamp(file: Path) -> list[tuple[int, int, int]]:
    """Changes when a network or its weights are replaced; empty where a file is missing."""
    with suppress(OSError):
        found = [each.stat() for each in (file, file.with_suffix(".bin"))]
        return [(each.st_ino, each.st_size, each.st_mtime_ns) for each in found]
    return []


def write_network(model: Any, file: Path) -> None:
    """A Keras model, raw pixels (n, size, size, 3) -> one or several tensors, into an XML file and a BIN beside it.

    The network takes uint8 batches of any number of images. Weights stay float32. OpenVINO converts models of Keras'
    TensorFlow backend: where that is another one, as on a GPU, a process of its own does it.

    Raises:
        CompileError: OpenVINO or TensorFlow is missing, or the model cannot be converted.
    """
    openvino = import_openvino()
    from openvino.preprocess import PrePostProcessor

    from headstart.keras_backend import keras

    if keras.backend.backend() != "tensorflow":
        _write_elsewhere(model, file, keras.backend.backend())
        return
    import tensorflow

    pixels = tensorflow.TensorSpec((None, *model.input.shape[1:]), tensorflow.float32)
    called = tensorflow.function(lambda images: model(images, training=False), autograph=False)
    try:
        network = openvino.convert_model(called.get_concrete_function(pixels))
        # some activations (SiLU) come with a gradient of their own, whose parts end up among the outputs as well
        names = ["Identity:0", *(f"Identity_{number}:0" for number in range(1, len(model.outputs)))]
        wanted = []
        for name in names:
            found = [output for output in network.outputs if name in output.get_names()]
            if not found:
                raise CompileError(f"OpenVINO loses outputs of '{model.name}' as it converts it")
            wanted.append(found[0])
        network = openvino.Model([output.node for output in wanted], network.get_parameters(), "network")
        steps = PrePostProcessor(network)
        steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        network = steps.build()
        openvino.save_model(network, file, compress_to_fp16=False)
    except _failures() as error:
        raise CompileError(f"OpenVINO cannot convert '{model.name}': {first_line(error)}") from None


def _write_elsewhere(model: Any, file: Path, backend: str) -> None:
    """`write_network` in a process whose backend is TensorFlow."""
    if importlib.util.find_spec("tensorflow") is None:
        raise CompileError(
            f"OpenVINO converts models of Keras' TensorFlow backend, not '{backend}', and TensorFlow is not installed: "
            f"pip install 'headstart[tune]'"
        )
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        saved = Path(folder, "model.keras")
        model.save(saved)
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, "-c", CONVERSION, str(saved), str(file)]
        found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if found.returncode:
        lines = found.stderr.strip().splitlines()
        raise CompileError(f"OpenVINO cannot convert '{model.name}': {lines[-1] if lines else found.returncode}")


def read_network(file: Path) -> Any:
    """The network in a file that OpenVINO reads, ONNX or its own XML.

    Raises:
        CompileError: OpenVINO is missing, or cannot read it.
    """
    core = _core()
    if file.suffix.lower() == ".onnx":
        with file.open("rb") as opened:  # or OpenVINO tries all formats that it knows, and says nothing of ONNX
            if opened.read(1) != ONNX_BEGINS:
                raise CompileError(f"'{file}' is no ONNX file")
    try:
        return core.read_model(file)
    except Exception as error:  # noqa: BLE001  each of OpenVINO's frontends has kinds of its own, derived from Exception
        raise CompileError(f"OpenVINO cannot read '{file}': {reason_of(error)}") from None


def reason_of(error: Exception) -> str:
    """What OpenVINO says of an error at last; before that it says in which lines of its own code that was."""
    last = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return "it is damaged or incomplete" if last.startswith("Unable to read") else last.strip(" -.")


def write_for_size(network: Path, file: Path, image_size: int) -> None:
    """A network of a file that OpenVINO reads, such as ONNX, for images of any size -> one for images of that size.

    network: takes uint8 (n, height, width, 3). file: XML file, with a BIN beside it.

    Raises:
        CompileError: OpenVINO is missing, or cannot read the network.
    """
    openvino = import_openvino()
    try:
        found = _core().read_model(network)
        found.reshape([-1, image_size, image_size, 3])
        openvino.save_model(found, file, compress_to_fp16=False)
    except RuntimeError as error:
        raise CompileError(f"OpenVINO cannot read '{network}': {first_line(error)}") from None


def add_head(body: Path, file: Path, kernel: np.ndarray, bias: np.ndarray) -> None:
    """A network that gives features (n, numbers), in one tensor or several, and then feature maps -> the network of a
    classifier, which gives logits (n, logits), all features in one tensor, and the feature maps. It needs no Keras.

    A head that the network has already is replaced.

    body, file: XML files, each with a BIN beside it.
    kernel, bias: float32 (numbers, logits) and (logits,).

    Raises:
        CompileError: OpenVINO is missing, or the network is damaged, or cannot be written.
    """
    openvino = import_openvino()
    from openvino import opset13 as operations

    try:
        network = _core().read_model(body)
        tensors = [output.get_node().input_value(0) for output in network.outputs]
        if _head_of(network):
            del tensors[0]  # the logits of the head that it has
        vectors, maps = ([each for each in tensors if len(each.partial_shape) == rank] for rank in (2, 4))
        features = operations.concat(vectors, 1).output(0) if vectors[1:] else vectors[0]
        product = operations.matmul(features, operations.constant(kernel, name=KERNEL), False, False)
        logits = operations.add(product, operations.constant(bias, name=BIAS)).output(0)
        network = openvino.Model([logits, features, *maps], network.get_parameters(), "classifier")
        openvino.save_model(network, file, compress_to_fp16=False)
    except RuntimeError as error:
        raise CompileError(f"OpenVINO cannot put a head on '{body}': {first_line(error)}") from None


def _cut_off(network: Any, outputs: int) -> Any:
    """The same network with its first outputs alone."""
    wanted = [output.get_node().input_value(0) for output in network.outputs[:outputs]]
    return import_openvino().Model(wanted, network.get_parameters(), network.get_friendly_name())


def _head_of(network: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Kernel and bias of a network that `add_head` wrote."""
    constants = {node.get_friendly_name(): node for node in network.get_ops()}
    if KERNEL not in constants:
        return None
    return constants[KERNEL].get_data().copy(), constants[BIAS].get_data().copy()


def identity(compute: Compute) -> str:
    """See `Engine`; known before a network is opened."""
    return f"openvino-{_version()}-{DEVICES[compute.device].lower()}-{compute.precision}"


@cache
def _version() -> str:
    """Read once, from a file of which the whole is parsed."""
    return version("openvino")


def computes_in_bfloat16() -> bool:
    """Whether this computer's processor does: others imitate it, which is slower than float32."""
    if importlib.util.find_spec("openvino") is None or "BF16" not in _core().get_property(
        "CPU", "OPTIMIZATION_CAPABILITIES"
    ):
        return False
    try:
        flags = CPU_FACTS.read_text("utf-8").split()
    except OSError:  # not Linux: OpenVINO alone cannot tell
        return False
    return not HAVE_BFLOAT16.isdisjoint(flags)


def _settings(compute: Compute) -> dict[str, Any]:
    """As many threads as the process may use: OpenVINO knows its affinity, but no quota of a container."""
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": PRECISIONS[compute.precision],
    }
    budget = cpu_budget()
    if DEVICES[compute.device] == "CPU" and budget < available_cores():
        settings["INFERENCE_NUM_THREADS"] = str(budget)
        settings["ENABLE_CPU_PINNING"] = False  # each such process would bind its threads to the same first cores
    return settings


def import_openvino() -> Any:
    """The package `openvino`, which sends no usage data. `import nncf` after it sends none either.

    Raises:
        CompileError: it is not installed.
    """
    if importlib.util.find_spec("openvino") is None:
        raise CompileError("OpenVINO is not installed: pip install openvino")
    # Its converter, and NNCF, report each operation that they convert to Google Analytics, unless the user has opted
    # out: a process is forked for each report, some 200 for a network, 7 of the 10 s that a ConvNeXt takes. Both do
    # without the package that sends.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" not in sys.modules:
        # The converter takes half of the time to import all of OpenVINO, which does without it; so it comes when it is
        # used.
        sys.modules[CONVERTER] = None  # type: ignore[assignment]
        try:
            import openvino
        finally:
            del sys.modules[CONVERTER]
        openvino.convert_model = _convert_model
    import openvino

    return openvino


def _failures() -> tuple[type[Exception], ...]:
    """What its conversion raises: for lack of an operator, for a graph that it does not understand, for a full disk."""
    frontend, converter = importlib.import_module("openvino.frontend"), importlib.import_module(f"{CONVERTER}.error")
    names = ("GeneralFailure", "InitializationFailure", "NotImplementedFailure", "OpConversionFailure",
             "OpValidationFailure")  # fmt: skip
    return RuntimeError, converter.BasicError, *(getattr(frontend, name) for name in names)


def _core() -> Any:
    """What reads networks from files and compiles them; nothing of a file is read later."""
    core = import_openvino().Core()
    # otherwise the weights stay in the file: who writes over it would change the answers, or crash the process
    core.set_property({"ENABLE_MMAP": False})
    return core


def _convert_model(*arguments: Any, **settings: Any) -> Any:
    """`openvino.convert_model`, imported on use."""
    return importlib.import_module(CONVERTER).convert_model(*arguments, **settings)
