"""How fast is the engine: against Keras' `predict` of the same model, and against OpenVINO's own benchmark_app?

    python benchmarks/engine.py --repeats 5

MobileNetV2 with its pooled features, at 160 and 224 pixels, on pixels in memory. `predict` runs in a process of its own
with the allocator as headstart sets it up (kept) and with glibc's default, as most have it; benchmark_app runs on the
file that headstart keeps, with the throughput hint. Prints images/s and the ratios of each round: median, least and
largest. Expected: see LOG.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ratios import show

IMAGES = 1_024
KERAS = """
import sys, time
import numpy as np
from headstart.models.weights import load_base
import keras
size = int(sys.argv[1])
base = load_base("mobilenet_v2", size)
model = keras.Sequential([keras.layers.Rescaling(1 / 127.5, -1), base, keras.layers.GlobalAveragePooling2D()])
images = np.random.default_rng(0).integers(0, 256, (512, size, size, 3), dtype=np.uint8)
model.predict(images[:64], verbose=0)
start = time.perf_counter()
model.predict(images, batch_size=32, verbose=0)
print("SPEED", 512 / (time.perf_counter() - start))
"""
ALLOCATORS = {"kept": {}, "default": {"GLIBC_TUNABLES": ""}}  # headstart sets it up, first of all, unless the user has


def keras_predict(size: int, allocator: str) -> float:
    environment = os.environ | ALLOCATORS[allocator]
    command = [sys.executable, "-c", KERAS, str(size)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return float(output.rpartition("SPEED ")[2])


def engine(network: Path, size: int) -> float:
    from headstart.engines.base import in_batches, run_all
    from headstart.engines.openvino import OpenVINOEngine

    opened = OpenVINOEngine(network)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, size, size, 3), dtype=np.uint8)
    batches = list(in_batches(images, opened.batch_size))
    run_all(opened, batches[:32], IMAGES, outputs=1)  # the feature map behind it is not asked for
    start = time.perf_counter()
    run_all(opened, batches, IMAGES, outputs=1)
    return IMAGES / (time.perf_counter() - start)


def benchmark_app(network: Path, size: int) -> float:
    """In float32, as the engine, where a processor has bfloat16 too; the number of images has to be told."""
    from headstart.engines.openvino import BATCH_SIZE

    command = ["benchmark_app", "-m", str(network), "-d", "CPU", "-hint", "throughput", "-t", "10"]
    command += ["-shape", f"[{BATCH_SIZE},{size},{size},3]", "-infer_precision", "f32"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Throughput:\s+([0-9.]+) FPS", output)
    if not found:
        raise SystemExit(output)
    return float(found[1])


def written(size: int, folder: Path) -> Path:
    from headstart.engines.openvino import write_network
    from headstart.features.cut import frozen_part
    from headstart.models.preprocessing import preprocess
    from headstart.models.weights import load_base

    part = frozen_part(load_base("mobilenet_v2", size), None, lambda pixels: preprocess("mobilenet_v2", pixels))
    write_network(part, folder / f"{size}.xml")
    return folder / f"{size}.xml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in (160, 224):
            network = written(size, Path(folder))
            rounds = []
            for _ in range(arguments.repeats):
                rounds.append(
                    {
                        "engine": engine(network, size),
                        "benchmark_app": benchmark_app(network, size),
                        "predict, allocator kept": keras_predict(size, "kept"),
                        "predict, default allocator": keras_predict(size, "default"),
                    }
                )
            show(f"{size} pixels", rounds, "engine")


if __name__ == "__main__":
    main()
