"""`headstart doctor`: what it says is so."""

import json
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from headstart import commands, concurrency, gpu
from headstart.commands.doctor import EXTRAS
from headstart.models.backbones import BACKBONES
from headstart.storage import cache

NAMES = {"opencv-python-headless": "cv2", "tensorflow-cpu": "tensorflow", "elpv-dataset": "elpv_dataset",
         "python-multipart": "python_multipart"}  # fmt: skip


@pytest.fixture
def found(monkeypatch):
    """Without asking libraries, which takes seconds."""
    monkeypatch.setattr(gpu, "library", lambda name: gpu.Library(name, None, "is not installed"))
    return commands.doctor


def test_the_table_of_extras_is_that_of_the_package():
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        own = [re.match(r"headstart\[(\w+)\]", each) for each in extras[extra]]
        wanted = [
            name for each, of in zip(extras[extra], own, strict=True) for name in (extras[of[1]] if of else [each])
        ]
        packages = [re.split(r"[<>=;\[ ]", each)[0] for each in wanted]
        assert set(modules) == {NAMES.get(name, name.replace("-", "_")) for name in packages}, extra
    assert set(EXTRAS) == set(extras) - {"cpu", "dev", "docs"}


def test_what_it_says_of_this_machine(found, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "not" / "there"))
    monkeypatch.setenv("HEADSTART_CACHE_GB", "7")
    said = found()
    assert said.cores == os.cpu_count()
    assert said.usable_cores == concurrency.available_cores()
    assert said.versions["openvino"] == cache.versions("openvino")["openvino"]
    assert said.cache_limit == 7e9
    assert said.free_disk == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    assert said.weights["efficientnet_lite0"] == "in the package"
    assert set(said.weights) <= set(BACKBONES)
    assert said.cpu.engine == f"OpenVINO {said.versions['openvino']}"
    assert said.cpu.threads == concurrency.cpu_budget()
    assert json.loads(json.dumps(said.to_json()))["cores"] == said.cores
    text = str(said)
    for part in ("7 GB", "what is used", "--device gpu  cannot be used", "pip install 'headstart[gpu]'"):
        assert part.lower() in text.lower()


def test_an_extra_that_is_missing_is_named_with_its_command(found, monkeypatch):
    module = sys.modules["headstart.commands.doctor"]  # `commands.doctor` is the function
    monkeypatch.setattr(module, "EXTRAS", {"tune": ("keras", "no_such_module"), "heif": ()})
    said = found()
    assert said.extras == {"tune": ("no_such_module",), "heif": ()}
    assert "missing (no_such_module): pip install 'headstart[tune]'" in str(said)


def test_a_gpu_that_can_be_used(found, monkeypatch):
    monkeypatch.setattr(gpu, "library", lambda name: gpu.Library("PyTorch", "2.13.0", None))
    monkeypatch.setattr(gpu, "gpus", lambda: (gpu.Gpu("A card", 80 * 10**9, "580"),))
    said = found()
    assert said.gpu.problem is None
    assert "A card, 80 GB, driver 580" in str(said)
    assert re.search(r"--device gpu  Keras [\d.]+ with PyTorch 2.13.0 on A card, float32", str(said))
