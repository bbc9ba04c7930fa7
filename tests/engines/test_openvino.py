"""OpenVINO as headstart imports it: quickly, whole, and without a word to anybody over the network."""

import os
import subprocess
import sys

import pytest

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
