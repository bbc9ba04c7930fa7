"""A LiteRT file of a fixed size -> what it needs of a small device, and what it answers there: TensorFlow Lite Micro,
the interpreter of microcontrollers, runs it in a process of its own. Knows no classifiers.

    python -m headstart.export.micro FILE PIXELS.npy

`pip install 'headstart[micro]'` brings that interpreter, for Linux on x86-64 alone.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = "tflite_micro"
MOST_RAM = 2**28  # offered to the network: what it uses of it is measured
SECONDS = 120  # its kernels are written for any processor, and slow on this one
_USED = re.compile(r"Arena allocation total (\d+) bytes")


def in_micro(file: Path, photo: np.ndarray) -> dict[str, Any] | None:
    """Run a file once.

    Args:
        file: a LiteRT file whose input is one square (1, size, size, 3).
        photo: (1, size, size, 3), of the type of its input.

    Returns:
        {"ram": bytes of the arena, "probabilities": of each class}; {"fault": why it cannot run there}; None: the
        interpreter is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        pixels = Path(folder, "pixels.npy")
        np.save(pixels, photo)
        command = [sys.executable, "-m", "headstart.export.micro", str(file), str(pixels)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return {"fault": f"no answer within {SECONDS} s"}
    used = _USED.search(done.stderr)
    if done.returncode or not used:
        return {"fault": next((line for line in done.stderr.splitlines() if line.strip()), "it ended without a word")}
    return {"ram": int(used[1]), **json.loads(done.stdout)}


def _main(file: str, pixels: str) -> None:
    from tflite_micro import runtime  # type: ignore[import-untyped]

    interpreter = runtime.Interpreter.from_file(file, arena_size=MOST_RAM)
    interpreter.set_input(np.load(pixels), 0)
    interpreter.invoke()
    interpreter.print_allocations()  # to standard error, by its C++
    print(json.dumps({"probabilities": interpreter.get_output(1)[0].tolist()}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
