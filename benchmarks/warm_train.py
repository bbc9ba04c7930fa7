"""Does one version of headstart train a head on kept features faster than another, of few photos and of many?

    python benchmarks/warm_train.py cats_and_dogs_filtered/train --before OLD/src --after NEW/src --rounds 5

Of a folder of class folders, takes as many photos of each class as make 80, 400 and 2,000 (`--counts`). Trains a head
once with each version into a cache of its own, which is not counted, then again and again, in turn, with all features
kept. Prints the median seconds of both and those of the processor (all processes), and the ratio after / before of each
round: median, least and largest. Expected: see LOG.md.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from first_answer import whole_process


def some_of(photos: Path, count: int, out: Path) -> Path:
    """A copy of as many photos of each class, `count` in all."""
    classes = sorted(folder for folder in photos.iterdir() if folder.is_dir())
    for folder in classes:
        files = sorted(path for path in folder.iterdir() if path.is_file())[: count // len(classes)]
        (out / folder.name).mkdir(parents=True)
        for file in files:
            shutil.copy(file, out / folder.name)
    return out


def trained(source: Path, photos: Path, work: Path) -> tuple[float, float]:
    """Seconds, and those of the processor."""
    environment = os.environ | {"PYTHONPATH": str(source.absolute()), "HEADSTART_CACHE": str(work / "cache")}
    out = work / "run"
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--out", str(out), "--fine-tune", "never"]
    seconds, processor, _ = whole_process([*command, "--json"], environment)
    shutil.rmtree(out)
    return seconds, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--counts", type=int, nargs="+", default=[80, 400, 2_000])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            photos = some_of(arguments.photos, count, folder / "photos")
            works = {arguments.before: folder / "before", arguments.after: folder / "after"}
            found: dict[Path, list[tuple[float, float]]] = {source: [] for source in works}
            for turn in range(arguments.rounds + 1):  # the first computes the features
                for source in (list(works), list(works)[::-1])[turn % 2]:
                    works[source].mkdir(exist_ok=True)
                    found[source].append(trained(source, photos, works[source]))
            for what, place in (("whole", 0), ("processor", 1)):
                before, after = ([each[place] for each in found[source][1:]] for source in works)
                ratios = [new / old for old, new in zip(before, after, strict=True)]
                print(f"{count:>6,} photos, {what:<9}  before {statistics.median(before):5.2f} s, "
                      f"after {statistics.median(after):5.2f} s; {statistics.median(ratios):.2f} times "
                      f"({min(ratios):.2f} to {max(ratios):.2f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
