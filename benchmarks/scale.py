"""Does the time of feature extraction grow as the images do, and how much memory do 100,000 take?

    python benchmarks/scale.py cats_and_dogs_filtered --counts 1000 10000 100000 --image-size 96

Makes a folder of so many different photos from the real ones: each is a square of 30 to 60% of the shorter side of one
of them, cut out somewhere, perhaps mirrored, lighter or darker, 160 pixels wide. Trains the head on each with an empty
cache, as a process: `headstart train --fine-tune never`. Prints the seconds of the whole and of extracting features,
these per 1,000 views too, and the peak memory. Expected: see LOG.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

SIDE = 160  # pixels of a photo


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


def train(folder: Path, size: int, work: Path) -> tuple[float, float, float, int]:
    """Seconds of the whole and of the extraction, peak memory in MB, and views of all images."""
    command = [sys.executable, "-m", "headstart", "train", str(folder), "--out", str(work / "run"), "--json"]
    command += ["--fine-tune", "never", "--image-size", str(size)]
    environment = os.environ | {"HEADSTART_CACHE": str(work / "cache"), "HEADSTART_CACHE_GB": "50"}
    start = time.perf_counter()
    with (work / "said").open("w+") as said, (work / "numbers").open("w+") as numbers:
        process = subprocess.Popen(command, env=environment, stdout=numbers, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(text)
    metrics = json.loads((work / "numbers").read_text())["metrics"]
    views, solved = re.search(r"Views of each training image: (.*)\.", text), re.search(r"Solved in (.*) s, with", text)
    if not solved:
        raise SystemExit(text)
    images = {name: metrics[name]["accuracy"]["count"] for name in ("train", "validation", "test")}
    of_each = len(views[1].split(", ")) if views else 1  # none are named where the original alone is enough
    total = images["train"] * of_each + images["validation"] + images["test"]
    seconds = metrics["phases"][0]["seconds"] - float(solved[1])
    return time.perf_counter() - start, seconds, usage.ru_maxrss / 1024, total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--image-size", type=int, default=96)
    arguments = parser.parse_args()
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            make(arguments.data, work / "photos", count)
            total, seconds, peak, views = train(work / "photos", arguments.image_size, work)
            print(f"{count:>7} images, {views:>7} views  whole {total:7.1f} s  features {seconds:7.1f} s, "
                  f"{1000 * seconds / views:5.2f} s per 1,000  peak {peak:5.0f} MB", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
