"""Is one version of headstart slower than another? Whole processes of both, in turn; ratios within each round.

    python benchmarks/before_after.py photos.zip photo.jpg --before OLD/bin/headstart --after NEW/bin/headstart

Measures `train` of a head with nothing kept (cold) and with everything kept (warm), the first answer of `predict`, and
the milliseconds of a request to a running service. Each version has caches and runs of its own; they alternate, and the
first of a round is the other one in the next. Prints the medians of both, and the ratio after / before of each round:
median, least and largest. Expected: see LOG.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

REQUESTS = 60  # to a service, one after another; the first ten are not counted


def whole_process(command: list[str], cache: Path) -> float:
    """Seconds."""
    environment = os.environ | {"HEADSTART_CACHE": str(cache)}
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


class Version:
    """An executable, with a folder for its caches and runs."""

    def __init__(self, executable: Path, folder: Path, data: Path, photo: Path) -> None:
        self.executable, self.folder, self.data, self.photo = str(executable.absolute()), folder, data, photo
        self.runs = 0
        folder.mkdir()

    def train(self, cache: str) -> float:
        self.runs += 1
        out = self.folder / f"run-{self.runs}"
        command = [self.executable, "train", str(self.data), "--out", str(out), "--fine-tune", "never", "--json"]
        return whole_process(command, self.folder / cache)

    def cold(self) -> float:
        return self.train(f"cache-{self.runs}")

    def warm(self) -> float:
        return self.train("cache-0")

    def predict(self) -> float:
        command = [self.executable, "predict", str(self.folder / "run-1"), str(self.photo), "--json"]
        return whole_process(command, self.folder / "cache-0")

    def request(self) -> float:
        """The median seconds of a request to a service of the first run."""
        command = [self.executable, "serve", str(self.folder / "run-1"), "--port", "0", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
            assert service.stdout
            document = ""
            for line in service.stdout:  # it ends where the service does; then what it said is no JSON
                document += line
                if document.rstrip().endswith("}"):
                    break
            request = urllib.request.Request(f"{json.loads(document)['address']}/v1/predict", self.photo.read_bytes())
            request.add_header("Content-Type", "application/octet-stream")
            found = []
            for _ in range(REQUESTS):
                start = time.perf_counter()
                with urllib.request.urlopen(request) as answer:
                    answer.read()
                found.append(time.perf_counter() - start)
            service.terminate()
        return statistics.median(found[10:])


def compare(name: str, versions: tuple[Version, Version], measure: Callable[[Version], float], repeats: int) -> None:
    before, after = [], []
    for number in range(repeats):
        for version in versions if number % 2 == 0 else reversed(versions):
            (before if version is versions[0] else after).append(measure(version))
    ratios = [second / first for first, second in zip(before, after, strict=True)]
    print(
        f"{name:<8}  before {statistics.median(before):7.3f} s  after {statistics.median(after):7.3f} s  "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), {repeats} rounds",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        sys.exit("--repeats must be at least 1")
    with tempfile.TemporaryDirectory() as temporary:
        versions = tuple(
            Version(executable, Path(temporary, name), arguments.data, arguments.photo)
            for name, executable in (("before", arguments.before), ("after", arguments.after))
        )
        compare("cold", versions, Version.cold, arguments.repeats)
        compare("warm", versions, Version.warm, arguments.repeats)
        compare("predict", versions, Version.predict, 3 * arguments.repeats)
        compare("request", versions, Version.request, arguments.repeats)


if __name__ == "__main__":
    main()
