"""How fast are photos read from an object store that answers late, against files on the disk?

    python benchmarks/object_store.py PHOTOS --photos 2000 --delays 1 50 --repeats 5

PHOTOS is a folder. A server in a process of its own speaks as much of S3 as reading needs, on the loopback device, and
lets each request wait so many milliseconds before it answers. Measured side by side, in turns: reading bytes alone,
looking at photos (read, hash, decode: what a first run does), and computing features (read, decode, network), from the
disk and from s3://. Prints photos/s, the median, and the ratio of the store to the disk, the median of pairs (least to
largest); and the CPU time of the server, which shares the machine's cores, per photo.

Expected: features at 1 ms at least 90%, and at 50 ms at least 80% of the disk's. See LOG.md. Without reading ahead, 50
ms would allow 20 photos/s for each core.
"""

import argparse
import asyncio
import hashlib
import multiprocessing
import os
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

MANY = 1000  # names on a page


def files_below(folder: Path, count: int) -> list[Path]:
    """Some photos, again and again where there are fewer."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [found[number % len(found)] for number in range(count)]


class Store(asyncio.Protocol):
    """A connection that gives objects: keys are the numbers of files."""

    def __init__(self, files: Sequence[Path], delay: float) -> None:
        self.files, self.delay, self.waiting = files, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            asyncio.get_running_loop().call_later(self.delay, self.answer, head.decode("latin-1"))

    def answer(self, head: str) -> None:
        method, target, _ = head.partition("\r\n")[0].split(" ")
        address = urlsplit(target)
        key = unquote(address.path).strip("/").partition("/")[2]
        if not key:
            body, kind = self.listing(parse_qs(address.query)), "application/xml"
        else:
            body, kind = self.files[int(Path(key).stem)].read_bytes(), "image/jpeg"
        found = re.search(r"(?im)^range: bytes=(\d+)-(\d+)", head)
        if found:
            body = body[int(found[1]) : int(found[2]) + 1]
        lines = [
            f"HTTP/1.1 {206 if found else 200} OK", f"Content-Length: {len(body)}", f"Content-Type: {kind}",
            'ETag: "x"', "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT",
        ]  # fmt: skip
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else body))  # pyright: ignore[reportAttributeAccessIssue]

    def listing(self, query: dict[str, list[str]]) -> bytes:
        start = int(query.get("continuation-token", ["0"])[0])
        names = [f"photos/{number:08}.jpg" for number in range(start, min(start + MANY, len(self.files)))]
        sizes = [self.files[start + number].stat().st_size for number in range(len(names))]
        found = "".join(
            f"<Contents><Key>{name}</Key><Size>{size}</Size><ETag>&quot;{hashlib.md5(name.encode()).hexdigest()}&quot;"
            f"</ETag><LastModified>2025-01-01T00:00:00.000Z</LastModified></Contents>"
            for name, size in zip(names, sizes, strict=True)
        )
        more = start + MANY < len(self.files)
        rest = f"<NextContinuationToken>{start + MANY}</NextContinuationToken>" if more else ""
        return (
            f"<?xml version='1.0'?><ListBucketResult><Name>bucket</Name><KeyCount>{len(names)}</KeyCount><IsTruncated>"
            f"{str(more).lower()}</IsTruncated>{rest}{found}</ListBucketResult>"
        ).encode()


def serve(files: Sequence[Path], delay: float, told) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Store(files, delay), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        while True:
            await asyncio.sleep(0.01)
            if told.poll():
                told.recv()
                told.send(time.process_time())

    asyncio.run(run())


def rate(work: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def works(places: list[str], digests: list[str]) -> dict[str, Callable[[], object]]:
    """Name -> what is measured."""
    from headstart.data.items import Item
    from headstart.data.loading import look_at
    from headstart.engines.base import Compute
    from headstart.features.shards import ShardTask, compute_shard
    from headstart.features.spec import FeatureSpec
    from headstart.models.backbones import DEFAULT, get_backbone
    from headstart.storage.locations import read_ahead
    from headstart.storage.url_path import place_of

    items = [Item(place_of(place), place, "a", None) for place in places]
    spec = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
    task = ShardTask(spec, Compute(), tuple(places), tuple(digests), None)
    return {
        "bytes": lambda: sum(len(content) for content in read_ahead(places) if isinstance(content, bytes)),
        "looking": lambda: list(look_at(items, {})),
        "features": lambda: compute_shard(task),
    }


def compare(files: list[Path], delay: float, repeats: int) -> None:
    from headstart.storage import filesystems
    from headstart.storage.locations import list_files

    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(files, delay, theirs), daemon=True)
    server.start()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ours.recv()}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    filesystems._opened.cache_clear()  # that of the server before
    filesystems.filesystem("s3://bucket")[0].clear_instance_cache()
    filesystems._opened.cache_clear()
    urls = [listed.place for listed in list_files("s3://bucket/photos")]
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    disk, store = works(list(map(str, files)), digests), works(urls, digests)
    for name in disk:
        disk[name](), store[name]()  # engines are opened, connections made, files in the system's cache
        pairs, spent = [], []
        for _ in range(repeats):
            first = rate(disk[name], len(files))
            ours.send("time")
            before = ours.recv()
            pairs.append((first, rate(store[name], len(files))))
            ours.send("time")
            spent.append((ours.recv() - before) / len(files))
        ratios = sorted(second / first for first, second in pairs)
        print(
            f"{delay * 1000:3.0f} ms  {name:9} disk {statistics.median(pair[0] for pair in pairs):7.0f}/s  store "
            f"{statistics.median(pair[1] for pair in pairs):7.0f}/s  ratio {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}); server {statistics.median(spent) * 1000:.2f} ms of CPU a photo",
            flush=True,
        )
    server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--photos", type=int, default=2000, dest="count")
    parser.add_argument("--delays", type=float, nargs="+", default=[1, 50], help="milliseconds")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    for delay in given.delays:
        compare(files_below(given.photos, given.count), delay / 1000, given.repeats)


if __name__ == "__main__":
    main()
