"""How long until the first answer: `headstart predict RUN PHOTO` as a whole process, from its start to its end?

    python benchmarks/first_answer.py RUN PHOTO --repeats 15

Prints the seconds (median, least, largest) and those of the processor, the peak memory (ru_maxrss of the process, by
wait4), and which imports took longest in one more run under -X importtime; and says whether Keras or TensorFlow was
imported. One run before the first is not counted: it compiles headstart's Python files, as an installation does.
Wanted: at most 1.0 s and 250 MB on two cores. Expected: see LOG.md.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

LONGEST = 12  # imports that are printed
PACKAGES = ("numpy", "cv2", "PIL", "openvino", "typer", "rich", "headstart", "keras", "tensorflow")


def whole_process(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and peak MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    memory = usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    return seconds, usage.ru_utime + usage.ru_stime, memory


def imports(command: list[str], environment: dict[str, str]) -> list[tuple[float, str]]:
    """Milliseconds of each module by itself and with what it imports first, and its name."""
    command = [command[0], "-X", "importtime", *command[1:]]
    text = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stderr
    found = re.findall(r"^import time:\s+(-?\d+) \|\s+(-?\d+) \|\s+(\S+)$", text, re.MULTILINE)
    return [(int(own) / 1000, name) for own, _, name in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "headstart", "predict", str(arguments.run), str(arguments.photo)]
    whole_process(command, environment)
    seconds, busy, memory = zip(*(whole_process(command, environment) for _ in range(arguments.repeats)), strict=True)
    print(
        f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}), "
        f"{statistics.median(busy):.2f} s of the processor, {max(memory):.0f} MB"
    )
    found = imports([*command, "--verbose"], environment)
    for package in PACKAGES:
        own = [cost for cost, name in found if name.split(".")[0] == package]
        print(f"{package:<11} {len(own):4} modules {sum(own):6.0f} ms" if own else f"{package:<11} not imported")
    print(f"all        {len(found):5} modules {sum(cost for cost, _ in found):6.0f} ms; the longest by themselves:")
    for cost, name in sorted(found, reverse=True)[:LONGEST]:
        print(f"  {cost:6.0f} ms  {name}")


if __name__ == "__main__":
    main()
