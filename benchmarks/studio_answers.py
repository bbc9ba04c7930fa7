"""From one changed label to new accuracy and answers, and from nothing to the first: seconds, and how exact they are.

    python benchmarks/studio_answers.py FOLDER [--photos 2000 20000 100000] [--changes 10]

FOLDER: a collection of class folders. Where it has fewer photos than are asked for, they are taken several times, each
time with noise of a tenth of each component's deviation. A change is one photo's label set to another class, and the
next time back. Exact: the largest difference of a probability from that of heads solved from nothing.
"""

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from studio_labelling import material

from headstart.studio.neighbourhood import Neighbourhood
from headstart.studio.photo_features import PhotoFeatures
from headstart.studio.queue.build import build_queue
from headstart.studio.solving import AnswerSolver


def enlarged(photos: PhotoFeatures, labels: np.ndarray, count: int) -> tuple[PhotoFeatures, np.ndarray]:
    rng = np.random.default_rng(0)
    chosen = rng.permutation(np.resize(np.arange(len(photos)), count))
    components = photos.components[chosen]
    noise = rng.standard_normal(components.shape, np.float32) * photos.components.std(axis=0) / 10
    if count > len(photos):
        components = components + noise
    ways = components[:, : photos.directions.shape[1]]
    ways = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    return PhotoFeatures(components, ways, photos.basis), labels[chosen]


def timed(name: str, work):
    start = time.perf_counter()
    found = work()
    print(f"  {name}: {time.perf_counter() - start:.2f} s", flush=True)
    return found


def look(photos: PhotoFeatures, labels: np.ndarray, names: tuple[str, ...], changes: int) -> None:
    solver = AnswerSolver(photos, np.arange(len(labels)))
    timed("first answers, usual weight and C", lambda: solver.first(labels, names))
    found = timed("weight and C chosen", lambda: solver.answers(labels, names))
    print(f"  {found.accuracy}; C {found.C:.2g}, weight {found.weight}")
    rng, seconds = np.random.default_rng(0), []
    for _ in range(changes):
        changed = labels.copy()
        photo = rng.integers(len(labels))
        changed[photo] = (changed[photo] + 1) % len(names)
        for given in (changed, labels):
            start = time.perf_counter()
            found = solver.answers(given, names)
            found.to_json()
            seconds.append(time.perf_counter() - start)
    print(f"  one label changed: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s", flush=True)
    cold = AnswerSolver(photos, np.arange(len(labels)))
    cold._kept = replace(solver._kept, heads=np.zeros_like(solver._kept.heads))
    exact = timed("the same from nothing", lambda: cold.answers(labels, names))
    print(f"  largest difference of a probability {np.abs(exact.probabilities - found.probabilities).max():.4f}")
    near = timed("neighbours", lambda: Neighbourhood.of(photos.directions))
    digests = [str(number) for number in range(len(labels))]
    timed("queue", lambda: build_queue(found, photos, near, labels, names, digests))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", nargs="+", type=int, default=[2_000, 20_000])
    parser.add_argument("--changes", type=int, default=10)
    settings = parser.parse_args()
    found = material(settings.folder)
    for count in settings.photos:
        print(f"{settings.folder.name}: {count:,} photos")
        photos, labels = enlarged(found.photos, found.images.labels.astype(np.int64), count)
        look(photos, labels, found.images.class_names, settings.changes)


if __name__ == "__main__":
    main()
