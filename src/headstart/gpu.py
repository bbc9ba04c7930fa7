"""An NVIDIA GPU, and the library by which Keras computes on it. Knows no networks; imports a library only to ask it."""

# PyTorch and JAX come with headstart[gpu], or by hand
# pyright: reportMissingImports=false

import importlib.util
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from headstart.errors import MissingExtraError, ModelError, first_line

NAMES = {"torch": "PyTorch", "jax": "JAX", "tensorflow": "TensorFlow"}  # Keras' backends
TRIED = ("torch", "jax")  # in this order, where KERAS_BACKEND names none: XLA compiles for long before JAX begins
INSTALL = "pip install 'headstart[gpu]'"
ELSE = "Or leave --device out: the processor then does the work."
QUERY = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]


@dataclass(frozen=True)
class Gpu:
    """name: such as "NVIDIA H100 80GB HBM3". memory: bytes. driver: its version."""

    name: str
    memory: int
    driver: str


@dataclass(frozen=True)
class Library:
    """What a library that Keras can compute with has to say.

    version: None: it is not installed. problem: why it cannot use a GPU; None: it can.
    """

    name: str
    version: str | None
    problem: str | None

    @property
    def sees_gpu(self) -> bool:
        return self.problem is None

    def __str__(self) -> str:
        return " ".join([self.name, *([self.version] if self.version else []), self.problem or "can use a GPU"])


def use_gpu() -> str:
    """Have Keras compute on a GPU: by the backend that KERAS_BACKEND names, or else by the first of TRIED that can.

    To be called before Keras is imported, which takes its backend as it finds it.

    Returns:
        the name of the backend.

    Raises:
        MissingExtraError: none of them can; or Keras is not installed.
        ModelError: Keras was imported already, with a backend that cannot.
    """
    if importlib.util.find_spec("keras") is None:
        raise MissingExtraError(f"A GPU is used by Keras, which is not installed: {INSTALL}. {ELSE}")
    imported = sys.modules.get("keras")
    named = imported.config.backend() if imported else os.environ.get("KERAS_BACKEND")
    tried = [named] if named else list(TRIED)
    for backend in tried:
        if library(backend).sees_gpu:
            os.environ["KERAS_BACKEND"] = backend
            _compute_exactly(backend)
            return backend
    if imported and any(library(each).sees_gpu for each in TRIED):
        able = next(each for each in TRIED if library(each).sees_gpu)
        raise ModelError(
            f"Keras was imported already, and computes by {NAMES.get(str(named), named)}, which sees no GPU; "
            f"{NAMES[able]} does. Set KERAS_BACKEND={able} before Python starts."
        )
    raise MissingExtraError(_no_gpu(tried))


def _compute_exactly(backend: str) -> None:
    """In float32 as a processor has it: by default convolutions keep 10 of its 23 bits on a GPU (TF32)."""
    if backend == "torch":
        import torch

        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    elif backend == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def backend_of_gpu() -> str | None:
    """The backend that `use_gpu` would choose; None where there is none."""
    named = os.environ.get("KERAS_BACKEND")
    return next((each for each in ([named] if named else TRIED) if library(each).sees_gpu), None)


@cache
def library(backend: str) -> Library:
    """What one of Keras' backends says of a GPU; it is imported, which takes seconds."""
    name = NAMES.get(backend, backend)
    if importlib.util.find_spec(backend) is None:
        return Library(name, None, "is not installed")
    with warnings.catch_warnings():  # of a driver that is too old, which is told in the answer
        warnings.simplefilter("ignore")
        problem = {"torch": _problem_of_torch, "jax": _problem_of_jax}.get(backend, _problem_of_tensorflow)()
    return Library(name, _version(backend), problem)


@cache
def gpus() -> tuple[Gpu, ...]:
    """The NVIDIA GPUs of this machine, as the driver's `nvidia-smi` lists them; none where it is missing."""
    try:
        found = subprocess.run(QUERY, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return parse_gpus(found)


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """Lines of "NAME, MEBIBYTES, DRIVER" -> GPUs. A line of another form is passed over."""
    rows = [[part.strip() for part in line.rsplit(",", 2)] for line in text.splitlines()]
    return tuple(
        Gpu(row[0], int(row[1]) * 2**20, row[2])
        for row in rows
        if len(row) == 3 and row[1].isascii() and row[1].isdecimal()
    )


def _no_gpu(tried: list[str]) -> str:
    """One message: what was found, and what to do."""
    machine = ", ".join(gpu.name for gpu in gpus()) or "no NVIDIA GPU (nvidia-smi finds none)"
    said = "; ".join(str(library(each)) for each in tried)
    named = " KERAS_BACKEND names it." if os.environ.get("KERAS_BACKEND") else ""
    todo = f"Install a library that can: {INSTALL}." if gpus() else "Run this on a machine with one."
    return f"--device gpu: no GPU can be used. This machine has {machine}. {said}.{named} {todo} {ELSE}"


def _problem_of_torch() -> str | None:
    import torch

    if torch.cuda.is_available():
        return None
    return "sees no GPU" if torch.version.cuda or torch.version.hip else "is a build without CUDA"


def _problem_of_jax() -> str | None:
    import jax

    try:
        jax.devices("gpu")
    except RuntimeError as error:
        plugins = [name for name in ("jax-cuda12-plugin", "jax-cuda13-plugin", "jax-rocm7-plugin") if _version(name)]
        return f"sees no GPU ({first_line(error)})" if plugins else "has no plugin for CUDA"
    return None


def _problem_of_tensorflow() -> str | None:
    try:
        import tensorflow
    except ImportError as error:
        return f"cannot be imported ({error})"
    return None if tensorflow.config.list_physical_devices("GPU") else "sees no GPU"


def _version(package: str) -> str | None:
    for name in (package, f"{package}-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None
