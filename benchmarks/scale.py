"""Does the time of feature extraction grow as the images do, and how much memory do 100,000 take?

    python benchmarks/scale.py cats_and_dogs_filtered --counts 1000 10000 100000 --image-size 96

Makes a folder of so many different photos from the real ones: each is a square of 30 to 60% of the shorter side of one
of them, cut out somewhere, perhaps mirrored, lighter or darker, 160 pixels wide. Extracts the features of each, as it
is, with a compiled engine and no features kept, in a process of its own; then trains the head on them with an empty
cache, as a process: `headstart train --fine-tune never` (`--features-only` leaves that out). Prints the seconds of
extracting features, these per 1,000 photos too, and of the training its seconds and peak memory. Expected: see LOG.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

SIDE = 160  # pixels of a photo
EXTRACTION = """
import sys, time
import headstart as hs
from headstart.data.loading import load_images
from headstart.features.extractor import FeatureExtractor
from headstart.training.config import TrainingConfig
folder, size = sys.argv[1], int(sys.argv[2])
images, _ = load_images(folder, listener=hs.Quiet())
extractor = FeatureExtractor(TrainingConfig.of(image_size=size).feature_spec, listener=hs.Quiet())
extractor.features(images.take(range(8)))  # the engine is compiled
start = time.perf_counter()
extractor.features(images)
print(time.perf_counter() - start)
"""


def make(source: Path, folder: Path, count: int) -> None:
    """count JPEG files in two class folders, of different parts of real photos."""
    files = sorted((source / "train").rglob("*.jpg"))
    np.random.default_rng(0).shuffle(files)  # or a few would be of one class
    for name in sorted({file.parent.name for file in files}):
        (folder / name).mkdir(parents=True)

    def cut(number: int) -> None:
        """All parts of one photo."""
        file, rng = files[number], np.random.default_rng(number)
        photo = cv2.imread(str(file))
        for part in range(number, count, len(files)):
            side = int(rng.uniform(0.3, 0.6) * min(photo.shape[:2]))
            top, left = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
            square = cv2.resize(photo[top : top + side, left : left + side], (SIDE, SIDE))
            square = cv2.convertScaleAbs(square[:, :: rng.choice([1, -1])], alpha=rng.uniform(0.8, 1.2))
            cv2.imwrite(str(folder / file.parent.name / f"{part:06}.jpg"), square)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(cut, range(len(files))))


def extract(folder: Path, size: int, cache: Path) -> float:
    """Seconds."""
    command = [sys.executable, "-c", EXTRACTION, str(folder), str(size)]
    environment = os.environ | {"HEADSTART_CACHE": str(cache), "HEADSTART_CACHE_GB": "50"}
    return float(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


def train(folder: Path, size: int, work: Path) -> tuple[float, float]:
    """Seconds, and peak memory in MB."""
    command = [sys.executable, "-m", "headstart", "train", str(folder), "--out", str(work / "run"), "--json"]
    command += ["--fine-tune", "never", "--image-size", str(size)]
    environment = os.environ | {"HEADSTART_CACHE": str(work / "cache"), "HEADSTART_CACHE_GB": "50"}
    start = time.perf_counter()
    with (work / "said").open("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        if status:
            raise SystemExit(said.read())
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--features-only", action="store_true")
    arguments = parser.parse_args()
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            make(arguments.data, work / "photos", count)
            seconds = extract(work / "photos", arguments.image_size, work / "features")
            print(
                f"{count:>7} photos  features {seconds:7.1f} s, {1000 * seconds / count:5.2f} s per 1,000", flush=True
            )
            if not arguments.features_only:
                total, peak = train(work / "photos", arguments.image_size, work)
                print(f"                the training {total:7.1f} s, peak {peak:5.0f} MB", flush=True)


if __name__ == "__main__":
    main()
