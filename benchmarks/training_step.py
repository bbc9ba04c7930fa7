"""How much faster is a step of the trainable part than Keras' `fit` of it?

    python benchmarks/training_step.py --repeats 5
    python benchmarks/training_step.py --profile

MobileNetV2 behind layer 100 at 160 pixels, on bottleneck features in memory, AdamW as in the recipe `fast`, batches of
32 and 64, three epochs of 512 images after a first one. headstart: each BatchNormalization folded into its convolution,
1x1 convolutions as matrix products, batches as `training/keras_fit.py` feeds them. The other side is the same part as
Keras has it, on the same arrays, with the allocator as headstart sets it up, and with glibc's default. Each is a
process of its own, in turn. Prints images/s of a step (batch / median time) and of the whole of these epochs, and the
ratios of each round: median, least and largest. --profile: milliseconds of each kind of operation in a step instead,
added up over all cores. Expected: see LOG.md.
"""

import argparse
import os
import subprocess
import sys

from ratios import show

CODE = """
import sys, time
import numpy as np
from headstart.keras_backend import keras
from headstart.models.composing import compose
from headstart.models.weights import load_base
from headstart.features import cut as cutting
from headstart.training import keras_fit
from headstart.training.folding import fold
from headstart.training.optimization import compile_for
from headstart.training.recipes import RECIPES
batch, ours, profiled, count = int(sys.argv[1]), sys.argv[2] == "ours", sys.argv[3] == "profile", 512
base = load_base("mobilenet_v2", 160)
network = compose(base, backbone="mobilenet_v2", image_size=160, num_classes=2, dropout=0.0, seed=0)
phase = RECIPES["fast"].fine_tuning
keras_fit.unfreeze(base, "mobilenet_v2", top=True)
cut = cutting.find_cut(base, 100)
part = cutting.trainable_part(base, cut)
model = keras_fit.TrainableNetwork(network, fold(part) if ours else part)
compile_for(model, phase, steps=1000)
rng = np.random.default_rng(0)
features = rng.normal(size=(count, *cut[0].shape[1:])).astype(np.float32)
labels = rng.integers(0, 2, (count, 1)).astype(np.float32)

class Source:  # as `fit_epoch` takes it
    batch_size = batch
    def __len__(self): return count // batch
    def batch(self, index, epoch=0):
        rows = slice(index * batch, (index + 1) * batch)
        return features[rows], labels[rows, 0].astype(int)

class Clock(keras.callbacks.Callback):
    steps = []
    def on_train_batch_begin(self, batch, logs=None): self.start = time.perf_counter()
    def on_train_batch_end(self, batch, logs=None): self.steps.append(time.perf_counter() - self.start)

def fit(epochs):
    plain = {"x": features, "y": labels, "batch_size": batch}
    given = keras_fit.TrainingData(Source(), np.ones(2), binary=True).batches() if ours else plain
    model.fit(**given, epochs=epochs, verbose=0, callbacks=[Clock()])

fit(1)
Clock.steps.clear()
if profiled:
    import glob, tempfile, collections, tensorflow
    from tensorflow.tsl.profiler.protobuf import xplane_pb2
    with tempfile.TemporaryDirectory() as folder:
        tensorflow.profiler.experimental.start(folder)
        fit(1)
        tensorflow.profiler.experimental.stop()
        with open(glob.glob(folder + "/**/*.xplane.pb", recursive=True)[0], "rb") as file:
            space = xplane_pb2.XSpace.FromString(file.read())
    spent = collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if ":" in name:
                spent[name.rpartition(":")[2]] += event.duration_ps / 1e9 / (count // batch)
    print(f"batch {batch}, {sys.argv[2]}: {1000 * np.median(Clock.steps):.0f} ms a step")
    for name, ms in [(name, ms) for name, ms in spent.most_common() if name not in ("Process", "Run")][:14]:
        print(f"  {name:<40} {ms:6.1f} ms")
else:
    start = time.perf_counter()
    fit(3)
    print("SPEED", batch / np.median(Clock.steps), 3 * count / (time.perf_counter() - start))
"""
SIDES = {
    "headstart": ("ours", {}),
    "Keras, allocator kept": ("plain", {}),
    "Keras, default allocator": ("plain", {"GLIBC_TUNABLES": ""}),
}


def output(batch: int, side: str, *, profiled: bool = False) -> str:
    part, environment = SIDES[side]
    command = [sys.executable, "-c", CODE, str(batch), part, "profile" if profiled else "time"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    for batch in (32, 64):
        if arguments.profile:
            print(*(output(batch, side, profiled=True) for side in list(SIDES)[:2]), sep="")
            continue
        steps, epochs = [], []
        for _ in range(arguments.repeats):
            found = {side: output(batch, side).rpartition("SPEED ")[2].split() for side in SIDES}
            steps.append({side: float(speeds[0]) for side, speeds in found.items()})
            epochs.append({side: float(speeds[1]) for side, speeds in found.items()})
        show(f"batch {batch}, a step ", steps, "headstart")
        show(f"batch {batch}, 3 epochs", epochs, "headstart")


if __name__ == "__main__":
    main()
