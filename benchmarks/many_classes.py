"""Does a collection of many classes with few photos train, and is what it is spared as good?

    python benchmarks/many_classes.py cats_and_dogs_filtered weather.zip trashnet.zip --classes 1000 --photos 10

Makes a collection of many classes: each is one of the photos, seen again and again from elsewhere (a part of 35 to 70%
of it, turned by up to 40 degrees, in other light, with noise, 96 pixels wide). Then, on features of the default base:

- `C`: for 50, 100 and 200 of the classes and each C, the cross-entropy of three tenths of their photos, of which heads
  on the others know nothing: is the best C of some classes that of more?
- `steps`: the steps of L-BFGS, with its variables stretched and without, and the objective and that cross-entropy.
- `train`: `headstart train --fine-tune never` as a process, nothing kept: seconds, peak memory, accuracy.

Expected: see LOG.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import scipy.optimize

import headstart as hs
from headstart.data.loading import load_images
from headstart.features import head_in_pieces
from headstart.features.blocks import USUAL_WEIGHT, Blocks
from headstart.features.extractor import FeatureExtractor
from headstart.features.head_in_pieces import solve_in_pieces
from headstart.features.rows import rows_of
from headstart.numerics import cross_entropies, log_probabilities
from headstart.training.config import TrainingConfig

SIDE = 96
TRAINED = 0.7
MEASURED = (50, 100, 200)  # classes
C_VALUES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


def make(collections: Sequence[str], folder: Path, classes: int, photos: int) -> None:
    rng = np.random.default_rng(0)
    files = [file for each in collections for file in load_images(each, listener=hs.Quiet())[0].paths]
    rng.shuffle(files)
    pixels = (
        image for image in (cv2.imread(file) for file in files) if image is not None and min(image.shape[:2]) > SIDE
    )
    for number, image in zip(range(classes), pixels, strict=False):
        place = folder / f"class {number:04}"
        place.mkdir(parents=True)
        for photo in range(photos):
            cv2.imwrite(str(place / f"{photo}.jpg"), seen_again(image, rng))


def seen_again(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-40, 40), 1)
    turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    size = (np.array([height, width]) * rng.uniform(0.35, 0.7)).astype(int)
    top, left = rng.integers(0, np.array([height, width]) - size + 1)
    part = cv2.resize(turned[top : top + size[0], left : left + size[1]], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lit = part * rng.uniform(0.5, 1.4) * rng.uniform(0.8, 1.2, 3) + rng.normal(0, 12, part.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


class Problem:
    """Some of the classes: features of their photos, some for a head, the others to measure it."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, sizes: Sequence[int], classes: int) -> None:
        order = np.random.default_rng(1).permutation(np.flatnonzero(labels < classes))
        count = int(TRAINED * len(order))
        self.rows, self.labels = features[order[:count]], labels[order[:count]]
        self.held_out, self.answers = features[order[count:]], labels[order[count:]]
        self.blocks, self.classes = Blocks.of([self.rows], sizes), classes

    def loss(self, C: float) -> float:
        """The cross-entropy of the photos that are held out."""
        factors = self.blocks.weighed(USUAL_WEIGHT)
        deviation = 1 / np.maximum(factors, 1e-12)[:, None]
        start = np.zeros((len(factors) + 1, self.classes))
        counts = np.ones(self.classes)
        weights = solve_in_pieces([self.rows], self.labels, counts, self.blocks.mean, deviation, C, start)
        logits = (self.held_out - self.blocks.mean) * factors @ weights[:-1] + weights[-1]
        return float(cross_entropies(log_probabilities(logits), self.answers).mean())


def losses_for_each(features: np.ndarray, labels: np.ndarray, sizes: Sequence[int]) -> Iterator[str]:
    for classes in MEASURED:
        problem = Problem(features, labels, sizes, classes)
        yield f"{classes:5} classes: " + ", ".join(f"{problem.loss(C):.3f} at {C:g}" for C in C_VALUES)


def steps(features: np.ndarray, labels: np.ndarray, sizes: Sequence[int]) -> Iterator[str]:
    seen = []

    def counted(*arguments, **settings):
        found = scipy.optimize.minimize(*arguments, **settings)
        seen.append((found.nfev, found.fun))
        return found

    round_as_it_is = mock.patch.multiple(head_in_pieces, COMPONENTS=1, STRICTER=1.0)
    for classes in MEASURED:
        problem = Problem(features, labels, sizes, classes)
        for C in (1e-2, 1e-1):
            with mock.patch.object(head_in_pieces, "minimize", counted):
                loss = problem.loss(C)
                with round_as_it_is:
                    plain = problem.loss(C)
            (count, least), (plainly, least_plainly) = seen[-2:]
            yield (
                f"{classes:5} classes, C {C:g}: {count} steps to {least:.5f} (held out {loss:.4f}); "
                f"hardly stretched {plainly} steps to {least_plainly:.5f} ({plain:.4f})"
            )


def train(folder: Path, scratch: Path) -> str:
    code = (
        "import resource, sys; from headstart.cli import main\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "train", str(folder), "--out", str(scratch / "run"), "--json"]
    environment = os.environ | {"HEADSTART_CACHE": str(scratch / "cache")}
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--fine-tune", "never"], env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    found = json.loads(done.stdout)["metrics"]["test"]["accuracy"]
    accuracy = f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
    return f"{seconds:.0f} s, peak {done.stderr.split()[-1]} MB, accuracy {accuracy}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--photos", type=int, default=10, help="of each class (default: %(default)s)")
    parser.add_argument("--only", choices=["C", "steps", "train"], help="by default all three")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "photos")
        make(arguments.collections, folder, arguments.classes, arguments.photos)
        if arguments.only != "train":
            images, _ = load_images(folder, listener=hs.Quiet())
            spec = TrainingConfig.of(recipe=hs.RECIPES["fast"]).feature_spec
            features = rows_of(FeatureExtractor(spec, listener=hs.Quiet()).features(images))[:]
            for what, measured in (("C", losses_for_each), ("steps", steps)):
                if arguments.only in (None, what):
                    for line in measured(features, images.labels, spec.block_sizes):
                        print(line, flush=True)
            del features
        if arguments.only in (None, "train"):
            print(train(folder, Path(scratch)))


if __name__ == "__main__":
    main()
