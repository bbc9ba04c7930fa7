"""How long does a second `headstart train` on unchanged photos take, as a whole process?

    python benchmarks/second_train.py cats_and_dogs_filtered --repeats 11

Trains the head once into an empty cache, which is not counted, then again and again with everything kept. Prints the
seconds of each, those of the processor (all of its processes), the peak memory of the largest process, and how long
ten million additions in Python took right before it, which tells how fast the machine was then; last the medians.
Wanted: 8 s on two cores. Expected: see LOG.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
import timeit
from pathlib import Path

from first_answer import whole_process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--repeats", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"HEADSTART_CACHE": str(Path(folder, "cache"))}
        found = []
        for number in range(arguments.repeats + 1):
            out = str(Path(folder, f"run-{number}"))
            command = [sys.executable, "-m", "headstart", "train", str(arguments.data), "--out", out]
            pace = timeit.timeit("x + 1", "x = 1", number=10_000_000)
            row = whole_process([*command, "--fine-tune", "never", "--test-fraction", "0", "--json"], environment)
            seconds, processor, memory = row
            print(f"{'again' if number else 'first'}  {seconds:5.2f} s  processor {processor:5.2f} s  "
                  f"{memory:4.0f} MB  additions {pace:.2f} s", flush=True)  # fmt: skip
            if number:
                found.append((*row, pace))
    seconds, processor, memory, pace = zip(*found, strict=True)
    print(f"median {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), "
          f"processor {statistics.median(processor):.2f} s, {max(memory):.0f} MB, "
          f"additions {statistics.median(pace):.2f} s ({min(pace):.2f} to {max(pace):.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
