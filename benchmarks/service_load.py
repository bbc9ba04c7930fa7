"""The service under load, from a second process: throughput, times at half of it, and memory over many requests.

    python benchmarks/service_load.py RUN PHOTOS [--seconds 30] [--rounds 3] [--requests 100000]

RUN is the folder of a run, PHOTOS a folder of JPEGs. Rounds in turn: decode + engine by themselves (each alone on all
cores, as in predict_throughput.py; together 1 / (1 / decoding + 1 / engine) images/s), then the service with as many
connections as keep it busy; the ratio of each round is what counts. Then half of that load, requests at even distances:
p50, p99. Then the requests, with the memory of the service over time. Asked for: at least 70% of decode + engine; p99
under 250 ms at half load; flat memory and no error.

The load generator is a process of its own with raw sockets, as its work is taken from the same cores: about 0.1 ms a
request, where an HTTP library of Python takes 1 ms.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from predict_throughput import speeds

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return int(head[9:12])


async def generate(port: int, photos: Sequence[Path], seconds: float, connections: int, rate: float) -> dict:
    """rate: requests a second at even distances, whether or not the ones before are answered; 0: one after another."""
    contents = [path.read_bytes() for path in photos]
    head = "POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    requests = itertools.cycle([head.format(len(content)).encode() + content for content in contents])
    statuses: Counter[int] = Counter()
    times: list[float] = []
    start = time.perf_counter()
    due = (start + number / rate for number in itertools.count()) if rate else itertools.repeat(0.0)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (moment := next(due)) < start + seconds and time.perf_counter() < start + seconds:
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            begun = moment or time.perf_counter()  # the time that a request waits for a connection is its own
            statuses[await _ask(reader, writer, next(requests))] += 1
            times.append(time.perf_counter() - begun)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    elapsed = time.perf_counter() - start
    return {"seconds": elapsed, "statuses": statuses, "p50": np.quantile(times, 0.5), "p99": np.quantile(times, 0.99)}


def load(service, photos: Path, seconds: float, connections: int = 16, rate: float = 0) -> dict:
    """What `generate` finds, in a process of its own."""
    port = service.url.rpartition(":")[2]
    command = [sys.executable, __file__, "--generate", port, str(photos), str(seconds), str(connections), str(rate)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def by_themselves(predictor, files: Sequence[Path], seconds: float) -> float:
    """Images/s of decoding and the engine by themselves, on the same cores: each is measured alone."""
    rounds, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        rounds.append(speeds(predictor, list(files)[:200]))
    decoding, engine = (statistics.median(each[name] for each in rounds) for name in ("decoding", "engine"))
    return 1 / (1 / decoding + 1 / engine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    arguments = parser.parse_args()
    from headstart.classifier.predictor import Predictor
    from support.serving import Service

    files, predictor, reached = _files(arguments.photos), Predictor(arguments.run), []
    with Service(arguments.run) as service:
        load(service, arguments.photos, 3)
        for _ in range(arguments.rounds):
            alone = by_themselves(predictor, files, arguments.seconds)
            found = load(service, arguments.photos, arguments.seconds)
            reached.append(found["statuses"].get("200", 0) / found["seconds"])
            ratio = reached[-1] / alone
            print(f"decode + engine {alone:.0f} images/s   service {reached[-1]:.0f}   ratio {ratio:.2f}   "
                  f"{found['statuses']}", flush=True)  # fmt: skip
        if reached:
            rate = statistics.median(reached) / 2
            found = load(service, arguments.photos, arguments.seconds, 64, rate)
            p50, p99 = (f"{1000 * found[name]:.0f} ms" for name in ("p50", "p99"))
            print(f"{rate:.0f} requests/s   p50 {p50}   p99 {p99}   {found['statuses']}", flush=True)
        statuses: Counter[str] = Counter()
        while statuses.total() < arguments.requests:
            statuses.update(load(service, arguments.photos, min(arguments.seconds, 60))["statuses"])
            print(f"{statuses.total():,} requests   {service.memory():.0f} MB   {dict(statuses)}", flush=True)


def _files(photos: Path) -> list[Path]:
    return sorted(photos.rglob("*.jpg"))[:200]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--generate"]:
        port, photos, seconds, connections, rate = sys.argv[2:]
        work = generate(int(port), _files(Path(photos)), float(seconds), int(connections), float(rate))
        print(json.dumps(asyncio.run(work)))
    else:
        main()
