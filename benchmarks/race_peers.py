"""How fast and how accurate are fastai and vyntri with the same pretrained base on the same photos?

    python -m venv peers && peers/bin/pip install torch torchvision timm fastai vyntri
    python benchmarks/race_peers.py cats_and_dogs_filtered weather.zip --peers peers/bin/python --train 400

A collection is a folder, a zip, or "solar-cells"; its own validation images are the judge, or else a quarter, drawn
class by class. All are given the same folder with train/ and validation/, and EfficientNet-Lite0 with headstart's
weights; the peers check that their base gives the same features. Each is a whole process, which trains and measures
itself on the validation images, with nothing kept; headstart once more on unchanged photos. fastai trains the head that
`vision_learner` makes, frozen, for --epochs by `fit_one_cycle`; vyntri its closed-form head. Prints for each collection
and each round the seconds, the accuracy, and how many times as long as headstart a peer took; then medians. Expected:
see LOG.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

import headstart as hs
from headstart.data.dataset import Split
from headstart.data.images import read_image
from headstart.data.samples import get_solar_cells
from headstart.models.weights import load_base

SIZE = 224
BASE = """
import sys, time
import torch
try:
    import torchvision
except RuntimeError:  # built for another torch: classification needs none of its operators, but they must be declared
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import numpy as np, timm
photos, weights, epochs = sys.argv[1], np.load(sys.argv[2]), int(sys.argv[3])
def filled(model):
    names = [name for name in model.state_dict() if "num_batches" not in name]
    values = {name: torch.from_numpy(weights[f"arr_{number}"]) for number, name in enumerate(names)}
    model.load_state_dict(values, strict=False)
    model.eval()
    with torch.inference_mode():
        found = model.forward_features(torch.from_numpy(weights["pixels"])).mean((2, 3)).numpy()
    assert np.abs(found - weights["features"]).max() < 1e-3, "another base"
    return model
def base():
    return filled(timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0))
MEAN, DEVIATION = 127 / 255, 128 / 255
"""
VYNTRI = """
from vyntri import Vyntri
from vyntri.backbones import registry
class Base(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.base = base()
        mean, deviation = (torch.tensor(each).view(1, 3, 1, 1) for each in (registry._MEAN, registry._STD))
        self.register_buffer("scale", deviation / DEVIATION)  # from vyntri's normalization to the base's
        self.register_buffer("shift", (mean - MEAN) / DEVIATION)
    def forward(self, x):
        return self.base(x * self.scale + self.shift)
registry._register(registry.BackboneInfo(
    name="lite0", feature_dim=1280, pretrained_id="headstart", parameter_count=3_372_000, cpu_viable=True,
    factory=lambda: Base().eval()))
model = Vyntri(backbone="lite0")
model.fit(train=photos + "/train")
print("ACCURACY", float(model.evaluate(photos + "/validation").accuracy))
"""
FASTAI = """
from fastai.vision.all import ImageDataLoaders, Normalize, Resize, accuracy, vision_learner
loaders = ImageDataLoaders.from_folder(
    photos, train="train", valid="validation", item_tfms=Resize(224), bs=32, num_workers=0, device="cpu", seed=0)
loaders.add_tfms([Normalize.from_stats([MEAN] * 3, [DEVIATION] * 3, cuda=False)], "after_batch")
learner = vision_learner(loaders, "tf_efficientnet_lite0", pretrained=False, normalize=False, metrics=accuracy)
learner.model[0].model.load_state_dict(base().state_dict(), strict=False)
learner.freeze()
with learner.no_bar():
    learner.fit_one_cycle(epochs, 3e-3)
    print("ACCURACY", float(learner.validate()[1]))
"""
PEERS = {"vyntri": BASE + VYNTRI, "fastai": BASE + FASTAI}


def write_photos(collection: str, folder: Path, train: int | None, validation: int | None) -> tuple[int, int]:
    """Links to the photos, in train/CLASS and validation/CLASS; how many there are in each."""
    path = get_solar_cells() if collection == "solar-cells" else Path(collection)
    dataset = hs.load_dataset(path, test_fraction=0, validation_fraction=0.25, listener=hs.Quiet())
    for name, split, most in (("train", dataset.train, train), ("validation", dataset.validation, validation)):
        for number in some(split, most):
            file = Path(split.paths[number])
            place = folder / name / dataset.class_names[split.labels[number]]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}{file.suffix}").symlink_to(file)
    return len(some(dataset.train, train)), len(some(dataset.validation, validation))


def some(split: Split, most: int | None) -> np.ndarray:
    if most is None or len(split) <= most:
        return np.arange(len(split))
    return train_test_split(np.arange(len(split)), train_size=most, stratify=split.labels, random_state=0)[0]


def write_weights(file: Path, photo: str) -> None:
    """The weights in the order of timm's layers, and of one photo the pixels and the features (n, channels)."""
    base = load_base("efficientnet_lite0", SIZE)
    arrays = []
    for layer in base.layers:
        for values in layer.get_weights():
            depthwise = "_dw" in layer.name
            arrays.append(values.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)) if values.ndim == 4 else values)
    pixels = ((read_image(photo, SIZE)[None].astype(np.float32) - 127) / 128).astype(np.float32)
    features = base.predict(pixels, verbose=0).mean(axis=(1, 2))
    np.savez(file, *arrays, pixels=pixels.transpose(0, 3, 1, 2), features=features)


def timed(command: list[str], environment: dict[str, str], found: Callable[[str], float]) -> tuple[float, float]:
    """The whole process, in an empty folder of its own: vyntri keeps features where it is started."""
    with tempfile.TemporaryDirectory() as empty:
        start = time.perf_counter()
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=empty)
        seconds = time.perf_counter() - start
    if result.returncode:
        raise SystemExit(f"{command[:3]}: {result.stderr[-2000:]}")
    return seconds, found(result.stdout)


def headstart(photos: Path, scratch: Path, number: int, *options: str) -> tuple[float, float]:
    environment = os.environ | {"HEADSTART_CACHE": str(scratch / "cache")}
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--out", str(scratch / f"run{number}")]
    command += ["--fine-tune", "never", "--test-fraction", "0", "--json", *options]
    return timed(command, environment, lambda text: json.loads(text)["metrics"]["validation"]["accuracy"]["value"])


def race(photos: Path, weights: Path, peers: Path, epochs: int, options: list[str]) -> dict[str, tuple[float, float]]:
    """Name -> seconds and accuracy."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        found["headstart"] = headstart(photos, Path(scratch), 0, *options)
        found["headstart again"] = headstart(photos, Path(scratch), 1, *options)
    for name, code in PEERS.items():
        command = [str(peers), "-c", code, str(photos), str(weights), str(epochs)]
        environment = os.environ | {"OMP_NUM_THREADS": str(os.cpu_count())}
        found[name] = timed(command, environment, lambda text: float(text.rpartition("ACCURACY ")[2].split()[0]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--peers", type=Path, required=True, help="Python of an environment that has them")
    parser.add_argument("--train", type=int, help="training photos, at most")
    parser.add_argument("--validation", type=int, help="validation photos, at most")
    parser.add_argument("--epochs", type=int, default=4, help="of fastai")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--option", action="append", default=[], help="of headstart train, such as --option=--views")
    arguments = parser.parse_args()
    print("| collection | photos | headstart | again | vyntri | fastai | times vyntri, fastai |")
    print("|---|---|---|---|---|---|---|")
    ratios: dict[str, list[float]] = {name: [] for name in PEERS}
    for collection in arguments.collections:
        with tempfile.TemporaryDirectory() as folder:
            photos, weights = Path(folder, "photos"), Path(folder, "weights.npz")
            train, validation = write_photos(collection, photos, arguments.train, arguments.validation)
            write_weights(weights, str(next(photos.glob("train/*/*"))))
            for _ in range(arguments.repeats):
                found = race(photos, weights, arguments.peers.absolute(), arguments.epochs, arguments.option)
                cells = [f"{seconds:.1f} s, {accuracy:.1%}" for seconds, accuracy in found.values()]
                times = [found[name][0] / found["headstart"][0] for name in PEERS]
                for name, ratio in zip(PEERS, times, strict=True):
                    ratios[name].append(ratio)
                told = ", ".join(f"{ratio:.1f}" for ratio in times)
                print(
                    f"| {Path(collection).stem} | {train} + {validation} | {' | '.join(cells)} | {told} |", flush=True
                )
    for name, values in ratios.items():
        print(f"{name}: {statistics.median(values):.1f} times as long (median; {min(values):.1f} to {max(values):.1f})")


if __name__ == "__main__":
    main()
