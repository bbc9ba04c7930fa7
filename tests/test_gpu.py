"""A GPU that is asked for: found, by which library, or one message that says what was found and what to do.

There is no GPU where these tests run. What libraries say of one is given; what they compute is tested on the processor,
in `engines/test_keras.py`.
"""

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import headstart as hs
from headstart import gpu
from headstart.engines.base import Compute
from headstart.errors import MissingExtraError, ModelError
from headstart.gpu import Gpu, Library, parse_gpus

CARD = Gpu("NVIDIA H100 80GB HBM3", 81_559 * 2**20, "580.159.04")
ABSENT = {
    "torch": Library("PyTorch", "2.13.0", "is a build without CUDA"),
    "jax": Library("JAX", None, "is not installed"),
}


@pytest.fixture
def libraries(monkeypatch):
    """What the libraries say: set it by name."""
    said = dict(ABSENT)
    monkeypatch.setattr(gpu, "library", lambda name: said.get(name, Library(name, "1", "sees no GPU")))
    monkeypatch.setattr(gpu, "gpus", lambda: ())
    monkeypatch.setattr(gpu, "_compute_exactly", lambda backend: None)
    monkeypatch.setenv("KERAS_BACKEND", "")  # or what `use_gpu` sets would stay
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.delitem(sys.modules, "keras", raising=False)  # as in a process that has not imported it
    return said


def test_the_first_library_that_sees_a_gpu_is_taken(libraries, monkeypatch):
    libraries["jax"] = Library("JAX", "0.11.2", None)
    assert gpu.backend_of_gpu() == "jax"
    assert gpu.use_gpu() == "jax"
    assert os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.delenv("KERAS_BACKEND")
    libraries["torch"] = Library("PyTorch", "2.13.0", None)
    assert gpu.use_gpu() == "torch"


def test_the_users_choice_of_a_library_is_kept(libraries, monkeypatch):
    libraries["torch"] = libraries["jax"] = Library("any", "1", None)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert gpu.use_gpu() == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(MissingExtraError, match="KERAS_BACKEND names it"):
        gpu.use_gpu()


def test_no_gpu_is_one_message(libraries, monkeypatch):
    with pytest.raises(MissingExtraError) as error:
        gpu.use_gpu()
    for part in ("no GPU can be used", "nvidia-smi finds none", "PyTorch 2.13.0 is a build without CUDA",
                 "JAX is not installed", "leave --device out"):  # fmt: skip
        assert part in str(error.value)
    monkeypatch.setattr(gpu, "gpus", lambda: (CARD,))
    with pytest.raises(MissingExtraError, match=r"has NVIDIA H100 .*pip install 'headstart\[gpu\]'"):
        gpu.use_gpu()


def test_keras_that_computes_by_another_library_already(libraries, monkeypatch):
    libraries["torch"] = Library("PyTorch", "2.13.0", None)
    keras = ModuleType("keras")
    keras.__spec__ = ModuleSpec("keras", None)
    vars(keras)["config"] = SimpleNamespace(backend=lambda: "tensorflow")
    monkeypatch.setitem(sys.modules, "keras", keras)
    with pytest.raises(ModelError, match=r"imported already.*TensorFlow.*Set KERAS_BACKEND=torch"):
        gpu.use_gpu()


def test_bfloat16_is_not_for_a_gpu():
    with pytest.raises(ModelError, match="computed in float32, and 'bfloat16' was asked for"):
        Compute(device="gpu", precision="bfloat16")


@pytest.mark.process
@pytest.mark.parametrize(
    "arguments", [["train", "PHOTOS", "--out", "OUT"], ["inspect", "PHOTOS"], ["predict", "RUN", "PHOTOS"],
                  ["evaluate", "RUN", "PHOTOS"], ["backbones", "PHOTOS"]],
)  # fmt: skip
def test_every_command_says_so_before_it_reads_anything(arguments, photos, tiny_run, tmp_path):
    """On this machine, as it is: with TensorFlow for a processor."""
    places = {"PHOTOS": photos, "OUT": tmp_path / "out", "RUN": tiny_run.folder}
    command = [sys.executable, "-m", "headstart", *(str(places.get(each, each)) for each in arguments)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    result = subprocess.run([*command, "--device", "gpu"], capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 2
    assert result.stdout == ""
    assert "--device gpu: no GPU can be used" in result.stderr.splitlines()[-1]
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("out*"))


def test_the_device_is_no_part_of_what_a_run_is_resumed_by(libraries):
    """It may go on at another machine: the numbers are the same, to rounding."""
    from headstart.training.config import TrainingConfig

    libraries["torch"] = Library("PyTorch", "2.13.0", None)
    assert TrainingConfig.of(device="gpu").to_json() == TrainingConfig.of().to_json()
    assert TrainingConfig.of(device="gpu", precision="auto").is_rough is False
    with pytest.raises(hs.ModelError):
        TrainingConfig.of(device="gpu", precision="bfloat16")
    with pytest.raises(hs.ModelError, match="There is no device 'tpu'"):
        TrainingConfig.of(device="tpu")


# nvidia-smi

NAMES = st.text(st.characters(categories=["L", "Nd"], include_characters=" ,-"), min_size=1).map(str.strip).filter(bool)


@given(
    st.lists(st.builds(Gpu, NAMES, st.integers(1, 10**6).map(lambda mebibytes: mebibytes * 2**20), st.just("580.1")))
)
def test_what_nvidia_smi_lists_is_read_back(cards):
    text = "".join(f"{card.name}, {card.memory // 2**20}, {card.driver}\n" for card in cards)
    assert parse_gpus(text) == tuple(cards)


@given(st.text())
def test_no_text_of_nvidia_smi_breaks_it(text):
    assert all(card.memory >= 0 for card in parse_gpus(text))


def test_without_a_driver_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(gpu, "QUERY", ["a-program-that-is-not-there"])
    assert gpu.gpus.__wrapped__() == ()
    monkeypatch.setattr(gpu, "QUERY", [sys.executable, "-c", "print('NVIDIA-SMI has failed'); raise SystemExit(9)"])
    assert gpu.gpus.__wrapped__() == ()
