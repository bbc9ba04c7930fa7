"""What does it bring that nobody is told which operations OpenVINO's converter meets (engines/openvino.py)?

    python benchmarks/conversion.py --rounds 3

Converts a base for the engine in fresh processes: in turn as OpenVINO does it by default, which forks a process for
each report to Google Analytics, and as headstart does. HOME is a new folder, so that nobody has opted out; without a
network the reports fail, which costs the same. Prints the median seconds of each, and the median, least and largest
ratio of the pairs. Expected: see LOG.md.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASES = ("mobilenet_v2", "resnet50", "convnext_tiny")


def convert(name: str, silent: bool) -> float:
    """Seconds that the conversion takes, in this process."""
    if not silent:
        import openvino_telemetry  # noqa: F401  it is there already, and so it is left alone
    from headstart.engines.openvino import import_openvino, write_network
    from headstart.models.weights import RANDOM, load_base

    base = load_base(name, 64, RANDOM)
    import_openvino()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        write_network(base, Path(folder, "network.xml"))
        return time.perf_counter() - start


def in_a_process(name: str, kind: str) -> float:
    environment = {key: value for key, value in os.environ.items() if key != "CI"}  # OpenVINO is silent in CI
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, __file__, "--work", name, kind]
        found = subprocess.run(command, env=environment | {"HOME": home}, capture_output=True, text=True, check=True)
    return float(found.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        name, kind = arguments.work
        print(convert(name, kind == "silent"))
        return
    for name in BASES:
        pairs = [(in_a_process(name, "default"), in_a_process(name, "silent")) for _ in range(arguments.rounds)]
        before, after = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        ratios = [default / silent for default, silent in pairs]
        print(
            f"{name:16} {before:5.2f} s by default, {after:5.2f} s without reports: "
            f"{statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
