"""A process that has Keras and cannot import headstart: what a `model.keras` is there, and answers there.

It is started once for all tests of a worker, as Keras takes seconds to import.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

CODE = """
import json, sys
sys.modules["headstart"] = None   # importing it fails from here on
import keras, numpy as np
for line in sys.stdin:
    file, pixels = json.loads(line)
    model, pixels = keras.models.load_model(file), np.load(pixels)
    said = {kind: model.predict(pixels.astype(kind), verbose=0).tolist() for kind in ("uint8", "float32")}
    said["layers"] = [layer.name for layer in model.layers]
    said["optimizer"] = getattr(model, "optimizer", None) and model.optimizer.name
    said["headstart"] = [name for name in sys.modules if name.startswith("headstart.")]
    print(json.dumps(said), flush=True)
"""


class PlainKeras:
    """Until `stop`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name, "errors")
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", CODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    def loaded(self, file: Path, pixels: np.ndarray) -> dict[str, Any]:
        """`model.keras` loaded. uint8, float32: its logits for pixels of that type; layers: their names; optimizer: its
        name; headstart: modules of it that were imported all the same."""
        assert self._process.stdin
        assert self._process.stdout
        kept = Path(self._folder.name, "pixels.npy")
        np.save(kept, pixels)
        print(json.dumps([str(file), str(kept)]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, self._errors.read_text()
        return json.loads(answer)

    def stop(self) -> None:
        self._process.kill()  # it has nothing to end with
        self._process.communicate()
        self._folder.cleanup()
