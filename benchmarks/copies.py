"""Does the index find the copies that the search of all pairs finds, and how does its time grow?

    python benchmarks/copies.py cats_and_dogs_filtered --photos 100000 --planted 1000
    python benchmarks/copies.py --rows 10000 100000 1000000

The first makes so many different photos of the real ones (see `scale.py`) and, of some of them, a copy each: resized,
compressed anew, mirrored or cropped. It computes their features at 96 pixels, searches the closest pairs in both ways,
and prints how many of the planted pairs each names, in all and by kind, and the seconds. The second makes rows by
mixing Gaussians (1,280 numbers, a kind for each 1,000 rows), and prints the seconds of the index and the peak memory.
Expected: 99% of what the exact search finds; time that grows with n log n. See LOG.md.
"""

import argparse
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from inspect_planted import NEAR, near_copy
from scale import make

import headstart as hs
from headstart.data.loading import load_images
from headstart.features import neighbours
from headstart.features.extractor import FeatureExtractor
from headstart.training.config import TrainingConfig

DEPTH = 1_280
KIND = 1_000  # rows of a kind


def plant(folder: Path, count: int) -> dict[str, tuple[str, str]]:
    """Name of the copy -> name of its original, and how it was made."""
    rng = np.random.default_rng(0)
    files = sorted(folder.rglob("*.jpg"))
    planted = {}
    for number, source in enumerate(files[index] for index in rng.permutation(len(files))[:count]):
        copy, how = source.with_name(f"copy{number:05}.jpg"), NEAR[number % len(NEAR)]
        near_copy(source, copy, how, rng)
        planted[copy.name] = source.name, how
    return planted


def searched(search, features) -> tuple[neighbours.Close, float]:
    start = time.perf_counter()
    return search(features), time.perf_counter() - start


def of_photos(data: Path, count: int, planted: int) -> None:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, "photos")
        make(data, folder, count - planted)
        copies = plant(folder, planted)
        images, _ = load_images(folder, listener=hs.Quiet())
        features = FeatureExtractor(TrainingConfig.of(image_size=96).feature_spec, listener=hs.Quiet()).features(images)
        names = [Path(path).name for path in images.paths]
        made = Counter(how for _, how in copies.values())
        neighbours.EXACT = len(images)
        for name, search in (("all pairs", neighbours.closest_pairs), ("index", neighbours.probably_closest_pairs)):
            close, seconds = searched(search, features)
            found = Counter(
                copies[names[copy]][1]
                for pair in close.pairs.tolist()
                for copy, original in (pair, pair[::-1])
                if names[copy] in copies and copies[names[copy]][0] == names[original]
            )
            shares = ", ".join(f"{how} {found[how]} of {made[how]}" for how in NEAR)
            count = f"{len(close.pairs):,} pairs; planted {found.total()} of {planted}"
            print(f"{name:<10}{seconds:8.1f} s  {count}: {shares}", flush=True)


class Mixed:
    """Rows of kinds, made when they are read."""

    def __init__(self, count: int) -> None:
        self._count, self._kinds = count, -(-count // KIND)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        found = []
        for row in np.arange(self._count)[rows]:
            kind = np.random.default_rng(row % self._kinds).gamma(0.5, 1.0, DEPTH)
            found.append(kind * np.random.default_rng([1, row]).gamma(4.0, 0.25, DEPTH))
        return np.array(found, np.float32).reshape(-1, DEPTH)


def of_rows(count: int) -> None:
    with tempfile.TemporaryFile() as file:
        rows, mixed = np.memmap(file, np.float16, "w+", shape=(count, DEPTH)), Mixed(count)
        for start in range(0, count, 10_000):
            rows[start : start + 10_000] = mixed[start : start + 10_000]
        close, seconds = searched(neighbours.probably_closest_pairs, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:>9,} rows  index {seconds:7.1f} s, {len(close.pairs):,} pairs; peak {peak:,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--planted", type=int, default=1_000)
    parser.add_argument("--rows", type=int, nargs="+", default=[])
    arguments = parser.parse_args()
    if arguments.data:
        of_photos(arguments.data, arguments.photos, arguments.planted)
    for count in arguments.rows:
        of_rows(count)


if __name__ == "__main__":
    main()
