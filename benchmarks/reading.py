"""Does one version of headstart read a collection slower than another?

    python benchmarks/reading.py cats_and_dogs_filtered/train --before OLD/src --after NEW/src --rounds 7

Reads a folder of class folders in a process of each version in turn, with an empty cache, as `train` does at first: the
files are listed, read, hashed and decoded at a small size. Only that is timed, not the start of Python. Prints the
median seconds of both, and the ratio after / before of each round: median, least and largest. Expected: see LOG.md.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CODE = """
import sys, time
import headstart as hs
from headstart.data.loading import load_images
import cv2, numpy
start = time.perf_counter()
images, _ = load_images(sys.argv[1], listener=hs.Quiet())
print(time.perf_counter() - start, len(images))
"""


def seconds(source: Path, photos: Path) -> float:
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"PYTHONPATH": str(source.absolute()), "HEADSTART_CACHE": cache}
        command = [sys.executable, "-c", CODE, str(photos.absolute())]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=cache).stdout
    return float(said.split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    found: dict[Path, list[float]] = {arguments.before: [], arguments.after: []}
    for turn in range(arguments.rounds + 1):  # the first reads the files from the disk
        for source in (list(found), list(found)[::-1])[turn % 2]:
            found[source].append(seconds(source, arguments.photos))
    before, after = (found[source][1:] for source in (arguments.before, arguments.after))
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    print(f"before {statistics.median(before):.2f} s, after {statistics.median(after):.2f} s; "
          f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
