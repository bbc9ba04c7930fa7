"""How much faster than the tutorial as written, and than what an expert in Keras writes?

    python benchmarks/race_tutorial.py cats_and_dogs_filtered --repeats 1 --picture docs/accuracy_over_seconds.png

Runs, each as a whole process, on the same photos (a folder with train/ and validation/): the tutorial as its readers
type it (20 epochs); an expert's script, which predicts the frozen base once and fits a Dense layer on the features (20
epochs, Adam 1e-3), at each of --sizes; headstart's recipe `tutorial`; and its recipe `fast`, head only, at these sizes,
with an empty cache on the default base, the same with training features in bfloat16 (--precision auto), and on
MobileNetV2, the base of the others; on the default base with the engine kept but no features, and again on unchanged
photos. The first two keep the allocator of the system, as their readers would; headstart sets up its own
(allocator.py). Prints the seconds, their ratio to the tutorial's and to the expert's at the same size,
the validation accuracy on all 1,000 photos, and the peak memory; --picture draws the accuracy over the seconds of the
process. Expected: see LOG.md.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

OTHERS = {"bfloat16": ("--precision", "auto"), "mobilenet_v2": ("--backbone", "mobilenet_v2")}
WEIGHTS = Path(__file__).parents[1] / "src/headstart/models/files/mobilenet_v2_imagenet_no_top.weights.h5"

TUTORIAL = """
import sys
import time
start = time.perf_counter()
import tensorflow as tf
data, weights, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
size = (160, 160)
train = tf.keras.utils.image_dataset_from_directory(data + "/train", shuffle=True, batch_size=32, image_size=size)
validation = tf.keras.utils.image_dataset_from_directory(
    data + "/validation", shuffle=True, batch_size=32, image_size=size)
train, validation = (each.prefetch(tf.data.AUTOTUNE) for each in (train, validation))
augment = tf.keras.Sequential([tf.keras.layers.RandomFlip("horizontal"), tf.keras.layers.RandomRotation(0.2)])
base = tf.keras.applications.MobileNetV2(input_shape=size + (3,), include_top=False, weights=None)
base.load_weights(weights)
base.trainable = False
inputs = tf.keras.Input(size + (3,))
x = tf.keras.applications.mobilenet_v2.preprocess_input(augment(inputs))
x = tf.keras.layers.GlobalAveragePooling2D()(base(x, training=False))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(tf.keras.layers.Dropout(0.2)(x)))
loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
accuracy = tf.keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
model.compile(tf.keras.optimizers.Adam(1e-4), loss, metrics=[accuracy])
class Clock(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs):
        print("POINT", time.perf_counter() - start, logs["val_accuracy"])
model.fit(train, epochs=epochs, validation_data=validation, verbose=2, callbacks=[Clock()])
base.trainable = True
for layer in base.layers[:100]:
    layer.trainable = False
model.compile(tf.keras.optimizers.RMSprop(1e-5), loss, metrics=[accuracy])
history = model.fit(train, epochs=2 * epochs, initial_epoch=epochs, validation_data=validation, verbose=2,
                    callbacks=[Clock()])
print("ACCURACY", history.history["val_accuracy"][-1])
"""

EXPERT = """
import sys
import numpy as np
import tensorflow as tf
data, weights, side = sys.argv[1], sys.argv[2], int(sys.argv[3])
base = tf.keras.applications.MobileNetV2(input_shape=(side, side, 3), include_top=False, weights=None, pooling="avg")
base.load_weights(weights)
def features(name):
    found = tf.keras.utils.image_dataset_from_directory(data + "/" + name, shuffle=False, batch_size=32,
                                                        image_size=(side, side))
    labels = np.concatenate([label for _, label in found])
    images = found.map(lambda image, _: tf.keras.applications.mobilenet_v2.preprocess_input(image))
    return base.predict(images.prefetch(tf.data.AUTOTUNE), verbose=0), labels
x, y = features("train")
held_out = features("validation")
head = tf.keras.Sequential([tf.keras.layers.Dropout(0.2), tf.keras.layers.Dense(1)])
head.compile(tf.keras.optimizers.Adam(1e-3), tf.keras.losses.BinaryCrossentropy(from_logits=True),
             metrics=[tf.keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)])
history = head.fit(x, y, epochs=20, batch_size=32, validation_data=held_out, verbose=0)
print("ACCURACY", history.history["val_accuracy"][-1])
"""


def timed(command: list[str], cache: Path) -> tuple[float, str, float]:
    """Seconds, standard output and peak memory in MB of a process."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        environment = os.environ | {"HEADSTART_CACHE": str(cache)}
        process = subprocess.Popen(command, stdout=output, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            errors.seek(0)
            raise SystemExit(f"Status {os.waitstatus_to_exitcode(status)}:\n{errors.read()[-2000:]}")
        output.seek(0)
        return seconds, output.read(), usage.ru_maxrss / 1024


@dataclass(frozen=True)
class Result:
    """points: (seconds since the start of the process, validation accuracy) after each epoch, as far as known."""

    seconds: float
    accuracy: float
    peak: float
    points: list[tuple[float, float]]


def script(code: str, data: Path, argument: int, cache: Path) -> Result:
    seconds, output, peak = timed([sys.executable, "-c", code, str(data), str(WEIGHTS), str(argument)], cache)
    points = [line.split()[1:] for line in output.splitlines() if line.startswith("POINT ")]
    accuracy = float(output.rpartition("ACCURACY ")[2])
    return Result(seconds, accuracy, peak, [(float(at), float(share)) for at, share in points])


def headstart(data: Path, cache: Path, *options: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "headstart", "train", str(data), "--out", f"{folder}/run", "--json"]
        seconds, output, peak = timed([*command, "--test-fraction", "0", *options], cache)
        with open(f"{folder}/run/history.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    at = seconds - sum(float(row["seconds"]) for row in rows)  # what is no epoch is counted before the first
    points = []
    for row in rows:
        at += float(row["seconds"])
        points.append((at, float(row["val_accuracy"])))
    return Result(seconds, json.loads(output)["metrics"]["validation"]["accuracy"]["value"], peak, points)


def race(data: Path, epochs: int, sizes: list[int]) -> dict[str, Result]:
    results: dict[str, Result] = {}

    def note(name: str, result: Result) -> None:
        results[name] = result
        print(f"{name}: {result.seconds:.1f} s, {result.accuracy:.2%}, {result.peak:.0f} MB", file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            cache = Path(folder, str(size))  # of its own, or the second would know which files can be read
            note(f"expert, {size}", script(EXPERT, data, size, cache))
            options = ("--fine-tune", "never", "--image-size", str(size))
            for name, more in OTHERS.items():
                note(f"fast, head, {size}, {name}", headstart(data, Path(folder, name), *options, *more))
            note(f"fast, head, {size}, nothing kept", headstart(data, cache, *options))
            for kind in ("features", "copies", "readable"):  # photos that are new: no digest of them is known
                shutil.rmtree(cache / kind)
            note(f"fast, head, {size}, engine kept", headstart(data, cache, *options))
            note(f"fast, head, {size}, again", headstart(data, cache, *options))
        if epochs:
            cache = Path(folder, "tutorial")
            note("tutorial as written", script(TUTORIAL, data, epochs, cache))
            note("recipe tutorial", headstart(data, cache, "--recipe", "tutorial", "--epochs", str(epochs)))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--picture", type=Path, help="PNG file to draw into")
    parser.add_argument("--epochs", type=int, default=10, help="of each of the tutorial's two phases; 0: without it")
    parser.add_argument("--sizes", type=int, nargs="+", default=[224], help="of the images of the expert and of `fast`")
    arguments = parser.parse_args()
    races = [race(arguments.data, arguments.epochs, arguments.sizes) for _ in range(arguments.repeats)]

    def ratio(name: str, to: str) -> str:
        if to == name or to not in races[0]:
            return "-"
        return f"{statistics.median(each[to].seconds / each[name].seconds for each in races):.1f}"

    print(f"{'':<34} {'seconds':>8} {'x tutorial':>10} {'x expert':>9} {'accuracy':>9} {'peak MB':>8}")
    for name in races[0]:
        seconds, accuracy, peak = (
            statistics.median(getattr(each[name], field) for each in races) for field in ("seconds", "accuracy", "peak")
        )
        expert = next(
            (f"expert, {size}" for size in arguments.sizes if str(size) in name), name
        )  # the tutorials have none
        print(f"{name:<34} {seconds:>8.1f} {ratio(name, 'tutorial as written'):>10} {ratio(name, expert):>9} "
              f"{accuracy:>9.2%} {peak:>8.0f}")  # fmt: skip
    if arguments.picture:
        draw(races[0], arguments.picture)


def draw(results: dict[str, Result], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    shown = {
        "the tutorial as written, 160 px": (results["tutorial as written"], "#767676", "o"),
        "recipe tutorial, 160 px": (results["recipe tutorial"], "#0072B2", "s"),
        "recipe fast, head alone, 224 px": (results["fast, head, 224, nothing kept"], "#D55E00", "D"),
        "... with the features of the photos kept": (results["fast, head, 224, again"], "#E69F00", "D"),
    }
    for name, (result, colour, marker) in shown.items():
        at, shares = zip(*result.points, strict=True)
        axes.plot(at, [100 * share for share in shares], color=colour, marker=marker, markersize=5, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("seconds since the start of the process, logarithmic")
    axes.set_ylabel("validation accuracy, %")
    axes.grid(color="#DDDDDD")
    axes.legend(loc="lower right")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
