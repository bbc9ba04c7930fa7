"""How much faster is a step of the trainable part than Keras' `fit` of it?

    python benchmarks/training_step.py --repeats 5

MobileNetV2 behind layer 100 at 160 pixels, on bottleneck features in memory, Adam, batches of 32 and 64. Both sides are
trained by `fit`; in headstart's each BatchNormalization is folded into its convolution. The other side is the same part
as Keras has it, with the allocator as headstart sets it up, and with glibc's default. Each is a process of its own, in
turn. Prints images/s and the ratios of each round: median, least and largest. Expected: see LOG.md.
"""

import argparse
import os
import subprocess
import sys

from ratios import show

CODE = """
import sys, time
import numpy as np
from headstart.models.keras_backend import keras
from headstart.models.composing import compose
from headstart.models.weights import load_base
from headstart.training import frozen, whole
from headstart.training.fine_tuning import fold
from headstart.training.optimization import compile_for
from headstart.training.recipes import RECIPES
batch, folded, count = int(sys.argv[1]), sys.argv[2] == "folded", 512
base = load_base("mobilenet_v2", 160)
network = compose(base, backbone="mobilenet_v2", image_size=160, num_classes=2, dropout=0.0, seed=0)
phase = RECIPES["fast"].phases[1]
whole.thaw(base, phase, "mobilenet_v2")
cut = frozen.find_cut(base, 100)
part = frozen.trainable_part(base, cut)
model = whole.InTraining(network, fold(part) if folded else part)
compile_for(model, phase, steps=1000)
rng = np.random.default_rng(0)
features = rng.normal(size=(count, *cut[0].shape[1:])).astype(np.float32)
labels = rng.integers(0, 2, (count, 1)).astype(np.float32)
model.fit(features[: 2 * batch], labels[: 2 * batch], batch_size=batch, verbose=0)
start = time.perf_counter()
model.fit(features, labels, batch_size=batch, epochs=3, verbose=0)
print("SPEED", 3 * count / (time.perf_counter() - start))
"""
SIDES = {
    "headstart": ("folded", {}),
    "Keras, allocator kept": ("plain", {}),
    "Keras, default allocator": ("plain", {"GLIBC_TUNABLES": ""}),
}


def speed(batch: int, part: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", CODE, str(batch), part]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment)
    return float(found.stdout.rpartition("SPEED ")[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for batch in (32, 64):
        rounds = [{name: speed(batch, *settings) for name, settings in SIDES.items()} for _ in range(arguments.repeats)]
        show(f"batch {batch}", rounds, "headstart")


if __name__ == "__main__":
    main()
