"""Which step of a training grows faster than the photos?

    python benchmarks/rows.py --counts 10000 100000 1000000

Makes rows of 1,280 numbers (kinds of 1,000 rows, a class for every fourth kind, a twentieth of the labels wrong) in a
file, and takes them through what follows the features: splits, table, head with the choice of C, answers, metrics,
novelty, learning curve, label issues, outliers, predictions.csv. For each count, in a process of its own: the seconds
of each step, in brackets how many times those of the count before they are, and the peak memory. Expected: a factor of
at most 12 for ten times the rows (n log n gives 12 from 100,000 to 1,000,000). See LOG.md.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headstart.classifier.calibration import fit_calibration
from headstart.classifier.novelty import fit_novelty_detector
from headstart.data.assignment import assign_splits
from headstart.data.dataset import Dataset, Split
from headstart.data.items import Item
from headstart.evaluation.learning_curve import measure_learning_curve
from headstart.evaluation.metrics import measure
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.rows import Chosen
from headstart.inspection.label_issues import find_label_issues, probabilities_despite_wrong_labels
from headstart.inspection.outliers import find_outliers
from headstart.runs.writing import keep_splits, write_predictions

DEPTH = 1_280
KIND = 1_000  # rows of a kind
CLASSES = ("birch", "maple", "oak", "pine")
WRONG = 0.05  # of the labels
AT_ONCE = 10_000  # rows that are made at once


def made(file: Path, count: int) -> tuple[np.memmap, np.ndarray]:
    """Rows (count, DEPTH) as float16 in a file, and their labels."""
    rows = np.memmap(file, np.float16, "w+", shape=(count, DEPTH))
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, -(-count // KIND), count)
    centres = np.random.default_rng(1).gamma(0.5, 1.0, (kinds.max() + 1, DEPTH)).astype(np.float32)
    for start in range(0, count, AT_ONCE):
        some = centres[kinds[start : start + AT_ONCE]]
        rows[start : start + AT_ONCE] = some * rng.gamma(4.0, 0.25, some.shape).astype(np.float32)
    rows.flush()
    wrong = rng.random(count) < WRONG
    return rows, np.where(wrong, rng.integers(0, len(CLASSES), count), kinds % len(CLASSES)).astype(np.int32)


class Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, step: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = step()
        self.seconds[name] = time.perf_counter() - start
        print(f"  {name:<24}{self.seconds[name]:8.2f} s", file=sys.stderr, flush=True)
        return found


def measured(count: int, folder: Path) -> dict[str, float]:
    """The seconds of each step."""
    rows, labels = made(folder / "rows", count)
    timed = Stopwatch()
    names = [f"{CLASSES[label]}/{number:07}.jpg" for number, label in enumerate(labels)]
    items = [Item(Path(name), name, CLASSES[label], None) for name, label in zip(names, labels, strict=True)]
    digests = [f"{number:064x}" for number in range(count)]
    assigned = timed("splits", lambda: assign_splits(items, digests, 0, None, None, "rows"))
    places = {
        name: np.flatnonzero([item.split == name for item in assigned]) for name in ("train", "validation", "test")
    }
    whole = Split(tuple(names), labels, tuple(digests), CLASSES)
    dataset = timed("dataset", lambda: Dataset(CLASSES, *(whole.take(places[name]) for name in places)))
    timed("splits.csv", lambda: keep_splits(folder, dataset))
    train, validation, test = (Chosen(rows, places[name]) for name in places)
    head = timed("head, choosing C", lambda: linear_head.solve([train], dataset.train.labels, len(CLASSES), seed=0))
    held_out = timed("answers", lambda: [head.logits(each) for each in (validation, test)])
    calibration = timed("calibration", lambda: fit_calibration(held_out[0], dataset.validation.labels))
    found = timed("metrics", lambda: measured_splits(held_out, dataset, calibration))
    timed("predictions.csv", lambda: write_predictions(folder, dataset.splits(), found))
    timed("novelty", lambda: fit_novelty_detector(train, dataset.train, validation, seed=0))
    compact = timed("principal components", lambda: Compact.of(train, [DEPTH], seed=0))
    few, seen = (timed(f"components of {name}", lambda each=each: compact(each)) for name, each in
                 (("training", train), ("validation", validation)))  # fmt: skip
    timed("learning curve", lambda: measure_learning_curve(
        few, dataset.train.labels, seen, dataset.validation.labels, num_classes=len(CLASSES), seed=0))  # fmt: skip
    photos = dataset.train.photos
    doubts = timed("label issues",
                   lambda: probabilities_despite_wrong_labels(few, dataset.train.labels, photos, seed=0))  # fmt: skip
    timed("ranking them", lambda: find_label_issues(doubts, dataset.train.labels))
    timed("outliers", lambda: find_outliers(train, dataset.train.labels, seed=0))
    return timed.seconds


def measured_splits(logits: list[np.ndarray], dataset: Dataset, calibration: Any) -> dict:
    found = {
        name: measure(each, split.labels, CLASSES, calibration)
        for name, each, split in zip(("validation", "test"), logits, (dataset.validation, dataset.test), strict=True)
    }
    for each in found.values():
        json.dumps(each.to_json())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--work", type=Path, help="where the rows are written; by default the folder for temporary files"
    )
    arguments = parser.parse_args()
    if arguments.one:
        with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
            seconds = measured(arguments.one, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak": peak}))
        return
    found = {}
    for count in arguments.counts:
        command = [sys.executable, __file__, "--one", str(count)]
        command += ["--work", str(arguments.work)] if arguments.work else []
        found[count] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    table(found)


def table(found: dict[int, dict]) -> None:
    counts = list(found)
    print("| step | " + " | ".join(f"{count:,} rows" for count in counts) + " |")
    print("|---" * (len(counts) + 1) + "|")
    for name in found[counts[0]]["seconds"]:
        cells, before = [], None
        for count in counts:
            seconds = found[count]["seconds"][name]
            factor = f" ({seconds / before:.1f})" if before and before >= 0.05 else ""
            cells.append(f"{seconds:.2f} s{factor}")
            before = seconds
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("| peak memory | " + " | ".join(f"{found[count]['peak']:,.0f} MB" for count in counts) + " |")


if __name__ == "__main__":
    main()
