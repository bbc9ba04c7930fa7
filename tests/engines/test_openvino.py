"""OpenVINO as headstart imports it: quickly, whole, and without a word to anybody over the network."""

import os
import subprocess
import sys

import numpy as np
import pytest

from headstart.engines.base import CompileError, in_batches, run_all
from headstart.engines.openvino import OpenVINOEngine, write_network

pytestmark = pytest.mark.process


def run(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code]
    settings = {name: value for name, value in os.environ.items() if name != "CI"}  # OpenVINO is silent in CI
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=settings | environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_openvino_is_whole_once_it_was_imported():
    """Its converter, which is left out of the import, is there for whoever asks for it."""
    error = run(
        "import sys\nfrom headstart.engines.openvino import import_openvino\n"
        "openvino = import_openvino()\nassert 'openvino.tools.ovc' not in sys.modules\n"
        "from openvino import opset13 as operations\nimport numpy as np\n"
        "from openvino.tools.ovc import convert_model\n"
        "try:\n    openvino.convert_model('nothing.onnx')\nexcept Exception as error:\n    print(type(error).__name__)"
    )
    assert error not in ("", "AttributeError", "ModuleNotFoundError")


def test_no_usage_data_is_sent(tiny_run, tmp_path):
    """OpenVINO's converter and NNCF each leave a folder with a number for this user before they send anything."""
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import sys\nimport headstart as hs\n"
        f"hs.export({str(tiny_run.folder)!r}, {str(tmp_path / 'exported')!r}, format='openvino', listener=hs.Quiet())\n"
        "import nncf\nassert type(nncf.telemetry.telemetry).__name__ == 'MagicMock'\n"
        "print(sys.modules['openvino_telemetry'])"
    )
    assert run(code, HOME=str(home)) == "None"
    assert (tmp_path / "exported" / "model.xml").is_file()
    assert not (home / "intel").exists()


def test_a_model_of_another_backend_is_converted(tmp_path, monkeypatch):
    """As after a training on a GPU: by a process of TensorFlow. Here only the name is another."""
    from headstart.keras_backend import keras

    pixels = keras.Input((16, 16, 3))
    maps = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(pixels))
    model = keras.Model(pixels, [keras.ops.mean(maps, axis=(1, 2)), maps])
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    expected = model.predict_on_batch(images)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    write_network(model, tmp_path / "network.xml")
    engine = OpenVINOEngine(tmp_path / "network.xml")
    for found, other in zip(run_all(engine, in_batches(images, engine.batch_size), 6), expected, strict=True):
        np.testing.assert_allclose(found, other, rtol=1e-4, atol=1e-5)


def test_without_tensorflow_such_a_model_stays_as_it_is(tmp_path, monkeypatch):
    from headstart.keras_backend import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(
        CompileError, match=r"not 'torch', and TensorFlow is not installed: pip install 'headstart\[tune"
    ):
        write_network(keras.Sequential([keras.Input((4, 4, 3))]), tmp_path / "network.xml")
