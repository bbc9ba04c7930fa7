"""Answers in parts: what they cost against answers one by one, and what lost machines and drivers do to them.

    python benchmarks/predict_parts.py RUN FOLDER --photos 2000
    python benchmarks/predict_parts.py RUN FOLDER --photos 400 --only nodes drivers --rounds 10

speed: photos/s of `Predictor.predict_each`, of parts in this process, and of parts on a cluster of one node of one core
for each core of this machine (steady: between the first and the last part; the cluster runs already). In turn, ratios
in each round.
nodes: a node is killed at a random moment of the work, once in each round; two others stay. drivers: the process that
asks is killed at a random moment, and started again. After each round every photo has to have exactly one answer, equal
to this machine's; or it ends.
memory: what ten million photos, as URLs, take of the memory of the process that asks, half of them answered already.
Expected: see LOG.md.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

import numpy as np
from local_cluster import add_node, cluster
from pyarrow import parquet as pq
from ratios import show

import headstart as hs
from headstart.classifier import answer_folder
from headstart.classifier.answers import Question
from headstart.data.walking import images_below
from headstart.events import Advanced

SECTIONS = ("speed", "nodes", "drivers", "memory")
PHOTOS = 10_000_000
DRIVER = """
import sys, headstart as hs
from headstart.classifier import answer_folder
answer_folder.PART = int(sys.argv[1])
hs.predict_parts(sys.argv[2], sys.argv[3], sys.argv[4], on="ray")
"""


class Steady(hs.Quiet):
    """When photos were answered."""

    def __init__(self) -> None:
        self.times: list[tuple[float, int]] = []

    def emit(self, event: object) -> None:
        if isinstance(event, Advanced) and event.done and not event.is_over:
            self.times.append((time.perf_counter(), event.done))

    @property
    def photos_a_second(self) -> float:
        (start, first), (end, last) = self.times[0], self.times[-1]
        return (last - first) / (end - start)


def rows_in(out: Path) -> dict[str, dict]:
    rows = [row for part in out.glob("part-*.parquet") for row in pq.read_table(part).to_pylist()]
    found = {row["path"]: row for row in rows}
    if len(found) != len(rows):
        raise SystemExit(f"{len(rows) - len(found)} photos have two answers in {out}")
    return found


def speed(run: Path, files: Sequence[str], folder: Path, rounds: int) -> None:
    predictor, out, found = hs.Predictor(run), folder / "answers", []
    list(predictor.predict_each(files[:64]))
    with cluster(os.cpu_count() or 1):
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in predictor.predict_each(files):
                pass
            speeds = {"one by one": len(files) / (time.perf_counter() - start)}
            for name, on in (("parts", None), ("parts, Ray", "ray")):
                listener = Steady()
                hs.predict_parts(run, files, out, on=on, listener=listener)
                speeds[name] = listener.photos_a_second
                shutil.rmtree(out)
            found.append(speeds)
    for name in ("parts", "parts, Ray"):
        show("answers", found, name)


def faults(
    what: str, expected: dict[str, dict], rounds: int, work: Callable[[Path, random.Random], None], folder: Path
) -> None:
    """work: does all of it in a new folder, with a fault."""
    seconds = []
    for number in range(rounds):
        out = folder / f"{what}-{number}"
        start = time.perf_counter()
        work(out, random.Random(number))
        seconds.append(time.perf_counter() - start)
        if rows_in(out) != expected:
            raise SystemExit(f"{what}, round {number}: the answers in {out} are not those of this machine")
        print(f"{what} {number}: {len(expected)} answers, equal, none twice, {seconds[-1]:.1f} s", flush=True)
    print(f"{what}: {rounds} of {rounds}, {statistics.median(seconds):.1f} s (median)")


def with_lost_nodes(run: Path, files: Sequence[str], expected: dict, rounds: int, folder: Path, usual: float) -> None:
    with cluster(2) as running:

        def work(out: Path, chance: random.Random) -> None:
            node = add_node(running)
            asking = Thread(target=lambda: hs.predict_parts(run, files, out, on="ray"))
            asking.start()
            time.sleep(chance.uniform(0, usual))
            running.remove_node(node, allow_graceful=False)
            asking.join()

        faults("nodes", expected, rounds, work, folder)


def with_lost_drivers(run: Path, photos: Path, expected: dict, rounds: int, folder: Path, usual: float) -> None:
    with cluster(2):

        def work(out: Path, chance: random.Random) -> None:
            command = [sys.executable, "-c", DRIVER, str(answer_folder.PART), str(run), str(photos), str(out)]
            asking = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            while not out.is_dir() and asking.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, usual))
            asking.kill()
            asking.wait()
            there = sum(pq.read_metadata(part).num_rows for part in out.glob("part-*.parquet"))
            print(f"  killed with {there} answers", flush=True)
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

        faults("drivers", expected, rounds, work, folder)


def memory(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    paths = [f"s3://bucket/photos/2026/11/camera-{number % 100:02}/{number:012}.jpg" for number in range(PHOTOS)]
    listed = time.perf_counter() - start
    found = answer_folder.AnswerFolder(str(folder / "many"), Question(), {"classifier": "x"})
    start = time.perf_counter()
    found._known = np.sort(np.fromiter(map(answer_folder._key, paths[::2]), np.uint64, PHOTOS // 2))
    known = time.perf_counter() - start
    start = time.perf_counter()
    tasks = list(found.tasks(paths))
    cut = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"memory: {PHOTOS:,} photos, half of them answered: {len(tasks):,} tasks; {listed:.0f} s to name them, "
        f"{known:.0f} s to learn what is answered, {cut:.0f} s to cut tasks; peak {peak / 1e6:.2f} GB "
        f"({before / 1e6:.2f} before)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--part", type=int, default=100, help="photos in a part; 2,000 in earnest")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    given = parser.parse_args()
    answer_folder.PART = given.part
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = folder / "photos"
        photos.mkdir()
        for number, file in enumerate(images_below(given.folder)[: given.photos]):
            (photos / f"{number:06}{file.suffix}").symlink_to(Path(file).resolve())
        files = sorted(map(str, photos.iterdir()))
        if "speed" in given.only:
            speed(given.run, files, folder, given.rounds)
        if {"nodes", "drivers"} & set(given.only):
            start = time.perf_counter()
            hs.predict_parts(given.run, photos, folder / "here")
            usual, expected = time.perf_counter() - start, rows_in(folder / "here")
            if "nodes" in given.only:
                with_lost_nodes(given.run, files, expected, given.rounds, folder, usual)
            if "drivers" in given.only:
                with_lost_drivers(given.run, photos, expected, given.rounds, folder, usual)
        if "memory" in given.only:
            memory(folder)


if __name__ == "__main__":
    main()
