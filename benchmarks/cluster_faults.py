"""Nodes of a cluster are killed at random moments of a training, and the driver, too: is the run the same?

    python benchmarks/cluster_faults.py cats_and_dogs_filtered --photos 2000 --kills 10

Makes so many small photos from real ones (see scale.py), and trains on them without a cluster, then ten times on one
of two nodes of a core each, to which a third was added that is killed (SIGKILL) at a random moment of the time that the
training takes; then ten times with the driver killed at such a moment, and started again. Prints for each the seconds,
the photos whose features are kept twice, and the largest difference of a number in predictions.csv.
Expected: all finished, none kept twice, differences below 2e-3, as features are kept in 16 bits.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from local_cluster import add_node, cluster
from scale import make

CORES = 2
SETTINGS = ("--fine-tune", "never", "--views", "original")


def start(photos: Path, work: Path, size: int, *on: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--out", str(work / "run"), "--resume"]
    command += [*SETTINGS, "--image-size", str(size), *on]
    environment = os.environ | {"HEADSTART_CACHE": str(work / "cache"), "HEADSTART_CACHE_GB": "50"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, said = process.communicate(timeout=1800)
    if process.returncode:
        raise SystemExit(f"a training failed: {said[-2000:]}")


def probabilities(run: Path) -> dict[str, np.ndarray]:
    """Path -> what the run's predictions say, as numbers."""
    found = {}
    with (run / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found[row["path"]] = np.array([float(value) for value in row.values() if _is_number(value)])
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def kept(store: Path) -> Counter:
    """Digest -> in how many shards it is."""
    from headstart.features.store import digests_of

    files = store.glob("features/*/*/*.npy")
    return Counter(digest for file in files for digest in digests_of(np.load(file, mmap_mode="r")))


def tell(what: str, moment: float, seconds: float, work: Path, expected: dict[str, np.ndarray]) -> None:
    found, digests = probabilities(work / "run"), kept(work / "store")
    if found.keys() != expected.keys():
        raise SystemExit("the run answers other photos")
    worst = max(np.abs(found[path] - expected[path]).max(initial=0.0) for path in expected)
    twice = sum(count > 1 for count in digests.values())
    print(
        f"{what:>7} killed after {moment:6.1f} s: finished in {seconds:6.1f} s, {twice} photos kept twice, {worst:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--photos", type=int, default=2_000)
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--kills", type=int, default=10)
    given = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        make(given.source, root / "photos", given.photos)
        finish(start(root / "photos", root / "local", given.image_size))
        expected = probabilities(root / "local" / "run")
        with cluster(CORES) as running:
            on = ("--on", running.address, "--store")
            began = time.perf_counter()
            finish(start(root / "photos", root / "whole", given.image_size, *on, str(root / "whole" / "store")))
            usual = time.perf_counter() - began
            tell("nothing", 0, usual, root / "whole", expected)
            for what in ("node", "driver"):
                for _ in range(given.kills):
                    work, moment = root / what, rng.uniform(0.05, 0.95) * usual
                    node = add_node(running) if what == "node" else None
                    began = time.perf_counter()
                    process = start(root / "photos", work, given.image_size, *on, str(work / "store"))
                    time.sleep(moment)
                    if node:
                        running.remove_node(node, allow_graceful=False)
                    elif process.poll() is None:
                        process.send_signal(signal.SIGKILL)
                        process.wait()
                        if not (work / "run").exists():  # else it was written in the last moment
                            process = start(root / "photos", work, given.image_size, *on, str(work / "store"))
                    if process.returncode != -signal.SIGKILL:
                        finish(process)
                    tell(what, moment, time.perf_counter() - began, work, expected)
                    shutil.rmtree(work)


if __name__ == "__main__":
    main()
