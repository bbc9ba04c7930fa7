"""`headstart doctor`: what this machine has, and what headstart will use of it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

# The modules of each extra, which a test compares with pyproject.toml
_SERVE = ("fastapi", "httptools", "prometheus_client", "python_multipart", "starlette", "uvicorn", "uvloop")
_REMOTE = ("aiohttp", "fsspec", "obstore", "pyarrow", "s3fs")
EXTRAS = {
    "tune": ("keras", "tensorflow"),
    "gpu": ("keras", "torch"),
    "export": ("ai_edge_litert", "ai_edge_quantizer", "nncf", "onnx", "onnxruntime", "tf2onnx"),
    "micro": ("tflite_micro",),
    "hub": ("keras", "tensorflow", "keras_hub", "onnx", "tf2onnx"),
    "heif": ("pillow_heif",),
    "dicom": ("pydicom",),
    "serve": _SERVE,
    "studio": (*_SERVE, "portalocker", "websockets"),
    "remote": _REMOTE,
    "ray": (*_REMOTE, "ray"),
    "demo": ("elpv_dataset",),
}
NOT_ON_WINDOWS = "uvloop"
PACKAGES = ("openvino", "keras", "tensorflow-cpu", "tensorflow", "torch", "jax", "numpy", "opencv-python-headless",
            "simplejpeg", "scikit-learn", "pyarrow", "ray")  # fmt: skip
GB = 1e9


@dataclass(frozen=True)
class Use:
    """What a device means here.

    engine: what runs networks, with its version. device: its name. precision: of its numbers. threads: that decode, or
    on the processor also compute. problem: why it cannot be used; None: it can.
    """

    engine: str | None
    device: str
    precision: str
    threads: int
    problem: str | None = None

    def __str__(self) -> str:
        return self.problem or f"{self.engine} on {self.device}, {self.precision}, {self.threads} threads"


@dataclass(frozen=True)
class Diagnosis:
    """Each part as `to_json` gives it. extras: name -> modules that are missing. weights: backbone -> where they are.
    cache_bytes: of each kind of what is kept. quota, memory_limit: a container's, None without one."""

    versions: dict[str, str]
    processor: str
    cores: int
    usable_cores: int
    quota: float | None
    instruction_sets: tuple[str, ...] | None
    memory: int | None
    memory_limit: int | None
    gpus: tuple[dict, ...]
    libraries: dict[str, str]
    extras: dict[str, tuple[str, ...]]
    weights: dict[str, str]
    cache: str
    cache_bytes: dict[str, int]
    cache_limit: float
    free_disk: int | None
    cpu: Use
    gpu: Use

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(
            [
                "This machine",
                f"  processor   {self.processor}",
                f"  cores       {self._cores}",
                f"  can do      {self._instruction_sets}",
                f"  memory      {self._memory}",
                *(
                    f"  GPU         {gpu['name']}, {gpu['memory'] / GB:.0f} GB, driver {gpu['driver']}"
                    for gpu in self.gpus
                ),
                *([] if self.gpus else ["  GPU         none that nvidia-smi finds"]),
                *(f"              {line}" for line in self.libraries.values()),
                "",
                "Installed",
                *(f"  {name:<24}{version}" for name, version in self.versions.items()),
                *(f"  headstart[{name}]{'':<{14 - len(name)}}{self._extra(name)}" for name in self.extras),
                "",
                "Kept",
                f"  cache       {self._cache}",
                f"  free disk   {'unknown' if self.free_disk is None else f'{self.free_disk / GB:.0f} GB'}",
                *(f"  weights     {name}: {where}" for name, where in self.weights.items()),
                "",
                "What is used",
                f"  by default    {self.cpu}",
                f"  --device gpu  {self.gpu}",
            ]
        )

    @property
    def _cores(self) -> str:
        of_all = "" if self.usable_cores == self.cores else f", of which this process may use {self.usable_cores}"
        quota = "" if self.quota is None else f", with a quota of {self.quota:g}"
        return f"{self.cores}{of_all}{quota}"

    @property
    def _instruction_sets(self) -> str:
        return "unknown" if self.instruction_sets is None else ", ".join(self.instruction_sets) or "nothing of note"

    @property
    def _memory(self) -> str:
        total = "unknown" if self.memory is None else f"{self.memory / GB:.1f} GB"
        return total if self.memory_limit is None else f"{total}, limited to {self.memory_limit / GB:.1f} GB"

    @property
    def _cache(self) -> str:
        return f"{sum(self.cache_bytes.values()) / GB:.1f} of {self.cache_limit / GB:.0f} GB in {self.cache}"

    def _extra(self, name: str) -> str:
        missing = self.extras[name]
        return f"missing ({', '.join(missing)}): pip install 'headstart[{name}]'" if missing else "installed"


def doctor() -> Diagnosis:
    """What this machine has, and what will be used: cores, memory, instruction sets, GPUs, extras, versions, weights.

    Libraries that may use a GPU are imported to ask them, which takes some seconds. Nothing is changed.

    Raises:
        DatasetError: $HEADSTART_CACHE_GB is not a number.
    """
    from headstart import concurrency, gpu, machine
    from headstart.models.backbones import BACKBONES
    from headstart.models.network_files.presets import presets_at_hand
    from headstart.models.weights import files_at_hand
    from headstart.storage import cache

    quota = concurrency.cgroup_quota()
    at_hand = {name: files_at_hand(name) for name in BACKBONES}
    return Diagnosis(
        versions={"Python": platform.python_version(), **cache.versions("headstart", *PACKAGES)},
        processor=machine.processor(),
        cores=os.cpu_count() or 1,
        usable_cores=concurrency.available_cores(),
        quota=None if quota == float("inf") else quota,
        instruction_sets=machine.instruction_sets(),
        memory=machine.memory(),
        memory_limit=machine.memory_limit(),
        gpus=tuple(asdict(each) for each in gpu.gpus()),
        libraries={name: str(gpu.library(name)) for name in gpu.TRIED},
        extras={name: _missing(modules) for name, modules in EXTRAS.items()},
        weights={
            name: "in the package" if BACKBONES[name].packaged else str(files[0])
            for name, files in at_hand.items()
            if files
        }
        | dict.fromkeys(presets_at_hand(), "in KerasHub's cache"),
        cache=str(cache.cache_folder()),
        cache_bytes=cache.sizes(),
        cache_limit=cache.size_limit(),
        free_disk=_free(cache.cache_folder()),
        cpu=_by_default(),
        gpu=_on_gpu(),
    )


def _missing(modules: tuple[str, ...]) -> tuple[str, ...]:
    needed = [each for each in modules if each != NOT_ON_WINDOWS or platform.system() != "Windows"]
    return tuple(each for each in needed if importlib.util.find_spec(each) is None)


def _free(folder: Path) -> int | None:
    """Bytes of free disk where the folder is, or will be."""
    for place in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _by_default() -> Use:
    from headstart.concurrency import cpu_budget
    from headstart.engines.openvino import computes_in_bfloat16
    from headstart.storage.cache import versions

    found = versions("openvino", "keras")
    engine = next(
        (f"{name} {found[key]}" for key, name in (("openvino", "OpenVINO"), ("keras", "Keras")) if key in found), None
    )
    precision = "float32 (bfloat16 with --precision)" if computes_in_bfloat16() else "float32"
    problem = None if engine else "nothing that runs a network is installed: pip install openvino"
    return Use(engine, "the processor", precision, cpu_budget(), problem)


def _on_gpu() -> Use:
    from headstart import gpu
    from headstart.concurrency import cpu_budget
    from headstart.storage.cache import versions

    backend, found = gpu.backend_of_gpu(), versions("keras")
    name = next((each.name for each in gpu.gpus()), "the GPU")
    if backend and found:
        library = gpu.library(backend)
        return Use(f"Keras {found['keras']} with {library.name} {library.version}", name, "float32", cpu_budget())
    why = "Keras is not installed" if backend else "no library here can use a GPU"
    return Use(None, name, "float32", cpu_budget(), f"cannot be used: {why}: {gpu.INSTALL}")
