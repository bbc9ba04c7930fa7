"""Malformed requests to the service: no status 5xx but 503, no crash, no leak.

    python benchmarks/service_fuzz.py RUN PHOTO [--requests 5000]

Truncated and changed JPEGs and other images, PNGs that unpack to more than fits, forms put together anyhow, wrong
types, bodies that end early or stop. Prints the statuses, the memory of the service, and whether it answers a photo
as before.
Expected: statuses 200, 400, 408, 413, 415, 422 (and no answer where the connection was ended by us); flat memory.
"""

import argparse
import io
import socket
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.serving import Service

Request = tuple[str, bytes]  # media type, body
FORM = "multipart/form-data; boundary=x"
SLOW_EVERY = 100  # requests: each of these holds a thread for some seconds


def truncated(photo: bytes, rng: np.random.Generator) -> Request:
    return "image/jpeg", photo[: rng.integers(0, len(photo))]


def changed(photo: bytes, rng: np.random.Generator) -> Request:
    content = np.frombuffer(photo, np.uint8).copy()
    places = rng.integers(0, min(len(content), 2_000) if rng.random() < 0.5 else len(content), rng.integers(1, 50))
    content[places] = rng.integers(0, 256, len(places))
    return "image/jpeg", content.tobytes()


def another_format(photo: bytes, rng: np.random.Generator) -> Request:
    with io.BytesIO() as file:
        kind = str(rng.choice(["PNG", "WEBP", "GIF", "TIFF", "BMP"]))
        Image.open(io.BytesIO(photo)).resize((80, 60)).save(file, kind)
        return changed(file.getvalue(), rng)


def bomb(photo: bytes, rng: np.random.Generator) -> Request:
    """A few kilobytes that say they are up to 65,000 x 65,000 pixels, or unpack to 50 MB of text or colour profile."""
    side = int(rng.integers(3_000, 65_000))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(50_000_000), 1)[: rng.integers(10, 300_000)]
    extra = [(b"zTXt", b"a\0\0" + packed), (b"iCCP", b"a\0\0" + packed), (b"tEXt", b"a\0b")][rng.integers(3)]
    chunks = [(b"IHDR", head), extra, (b"IDAT", packed), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return "image/png", b"\x89PNG\r\n\x1a\n" + body


def form(photo: bytes, rng: np.random.Generator) -> Request:
    pieces = [b"--x", b"--x--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="file"; filename="a"',
              b"Content-Type: image/jpeg", photo[:1_000], rng.bytes(30), b"--", b"X: " + b"y" * 3_000]  # fmt: skip
    body = b"".join(pieces[i] for i in rng.integers(0, len(pieces), rng.integers(0, 40)))
    return str(rng.choice([FORM, FORM, "multipart/form-data", FORM + "; charset=utf-7"])), body


def many_files(photo: bytes, rng: np.random.Generator) -> Request:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    return FORM, (head + photo[: rng.integers(0, 3_000)] + b"\r\n") * int(rng.integers(1, 60)) + b"--x--\r\n"


def wrong_type(photo: bytes, rng: np.random.Generator) -> Request:
    return str(rng.choice(["application/json", "text/plain", "", "image/", "a/b;" * 100])), rng.bytes(2_000)


def large(photo: bytes, rng: np.random.Generator) -> Request:
    return "image/jpeg", photo + bytes(int(rng.integers(1_000_000, 6_000_000)))


KINDS: tuple[Callable[[bytes, np.random.Generator], Request], ...] = (
    truncated, changed, another_format, bomb, form, many_files, wrong_type, large,
)  # fmt: skip


def send(service: Service, photo: bytes, number: int) -> str:
    """The kind of request, and what became of it."""
    rng = np.random.default_rng(number)
    kind = KINDS[number % len(KINDS)]
    media_type, body = kind(photo, rng)
    host, port = service.url.removeprefix("http://").split(":")
    said = len(body) + (int(rng.integers(1, 1_000)) if number % SLOW_EVERY == 0 else 0)
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = f"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: {media_type}\r\nContent-Length: {said}\r\n\r\n"
        try:
            connection.sendall(head.encode() + body)
            if number % 7 == 0 and number % SLOW_EVERY:
                return f"{kind.__name__} left"
            answer = connection.recv(65_536)
        except OSError as error:
            return f"{kind.__name__} {type(error).__name__}"
    return f"{kind.__name__} {answer[9:12].decode() or 'closed'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--requests", type=int, default=5_000)
    arguments = parser.parse_args()
    photo = arguments.photo.read_bytes()
    with Service(arguments.run, "--max-megabytes", 5) as service:
        expected = service.post(photo).json()["predictions"]
        found: Counter[str] = Counter()
        with ThreadPoolExecutor(8) as pool:
            for start in range(0, arguments.requests, 500):
                numbers = range(start, min(start + 500, arguments.requests))
                found.update(pool.map(lambda number: send(service, photo, number), numbers))
                print(f"{found.total():,} requests   {service.memory():.0f} MB", flush=True)
        for what, count in sorted(found.items()):
            print(f"  {what:<28} {count:>6,}")
        print("answers as before:", service.post(photo).json()["predictions"] == expected)
        print("faults:", sum(line["event"] == "fault" for line in service.lines()), "  exit status:", service.stop())


if __name__ == "__main__":
    main()
