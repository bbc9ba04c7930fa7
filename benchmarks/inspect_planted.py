"""Does `headstart inspect` find the faults that are planted among real photos, and how much of what it says is wrong?

    python benchmarks/inspect_planted.py cats_and_dogs_filtered --seed 0

Copies the photos into a temporary folder and plants there, drawn by the seed: 30 copies of files and 60 near copies
(15 each resized, compressed anew, mirrored, cropped by 2 to 8% of each side) among the training photos, 20 copies of
training photos among the validation photos (10 of them near ones), 40 swapped labels, 20 files that are damaged in five
ways. Then runs `headstart inspect --json` with an empty cache, with the one that it leaves, and on the 2,000 untouched
training photos, of which the features are kept but no pairs. Prints how many of each were found, what else was
reported, the seconds and the peak memory. Expected: all exact copies, leaks and damaged files, 90% of the near copies,
at most 10% of the reported copies wrong, 36 of the 40 swapped labels among the first 80 doubtful ones, 2,000 photos in
10 s with warm features. See LOG.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

NEAR = ("resized", "recompressed", "mirrored", "cropped")


@dataclass
class Planted:
    """Names of files (of each pair, copy and original)."""

    exact: set[frozenset[str]] = field(default_factory=set)
    near: dict[frozenset[str], str] = field(default_factory=dict)
    leaks: set[str] = field(default_factory=set)
    swapped: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)


def near_copy(source: Path, target: Path, how: str, rng: np.random.Generator) -> None:
    image = Image.open(source).convert("RGB")
    width, height = image.size
    quality = 90
    if how == "resized":
        factor = rng.uniform(0.4, 0.9)
        image = image.resize((round(width * factor), round(height * factor)), Image.Resampling.LANCZOS)
    elif how == "recompressed":
        quality = int(rng.integers(30, 70))
    elif how == "mirrored":
        image = ImageOps.mirror(image)
    else:
        left, right, top, bottom = rng.uniform(0.02, 0.08, 4)
        image = image.crop((round(left * width), round(top * height), round((1 - right) * width),
                            round((1 - bottom) * height)))  # fmt: skip
    image.save(target, quality=quality)


def damage(content: bytes, number: int) -> bytes:
    return (content[: len(content) // 2], b"", b"not an image", content[:100], bytes(5000))[number % 5]


def plant(data: Path, seed: int) -> Planted:
    """Change the copy `data` of the collection."""
    rng = np.random.default_rng(seed)
    files = sorted((data / "train").rglob("*.jpg"))
    drawn: Iterator[Path] = iter([files[index] for index in rng.permutation(len(files))])
    planted = Planted()
    for number in range(30):
        source = next(drawn)
        copy = Path(shutil.copy(source, source.with_name(f"exact{number}.jpg")))
        planted.exact.add(frozenset((source.name, copy.name)))
    for number in range(60):
        source, how = next(drawn), NEAR[number % len(NEAR)]
        copy = source.with_name(f"near{number}.jpg")
        near_copy(source, copy, how, rng)
        planted.near[frozenset((source.name, copy.name))] = how
    for number in range(20):
        source = next(drawn)
        copy = data / "validation" / source.parent.name / f"leak{number}.jpg"
        if number < 10:
            shutil.copy(source, copy)
        else:
            near_copy(source, copy, NEAR[number % len(NEAR)], rng)
        planted.leaks.add(copy.name)
    folders = sorted(path for path in (data / "train").iterdir() if path.is_dir())
    for number in range(40):
        source = next(drawn)
        other = folders[1 - folders.index(source.parent)]
        source.rename(other / f"swapped{number}.jpg")
        planted.swapped.add(f"swapped{number}.jpg")
    for number in range(20):
        source = next(drawn)
        broken = source.with_name(f"damaged{number}.jpg")
        broken.write_bytes(damage(source.read_bytes(), number))
        planted.damaged.add(broken.name)
    return planted


def inspect(data: Path, cache: Path) -> tuple[dict, float, float]:
    """What it says, seconds of the whole process, peak memory in MB."""
    command = [sys.executable, "-m", "headstart", "inspect", str(data), "--json"]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.DEVNULL, env=os.environ | {"HEADSTART_CACHE": str(cache)}
        )
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        text = said.read()
    if status:
        raise SystemExit(text)
    return json.loads(text), time.perf_counter() - start, usage.ru_maxrss / 1024


def compare(planted: Planted, document: dict) -> None:
    of_kind: dict[str, list[dict]] = {}
    for finding in document["findings"]:
        of_kind.setdefault(finding["kind"], []).append(finding)

    def pairs(*kinds: str) -> set[frozenset[str]]:
        return {
            frozenset((Path(f["path"]).name, Path(f["other"]).name)) for kind in kinds for f in of_kind.get(kind, [])
        }

    def files(kind: str) -> list[str]:
        return [Path(finding["path"]).name for finding in of_kind.get(kind, [])]

    exact, copies = pairs("same bytes"), pairs("same bytes", "same pixels", "nearly the same")
    print(f"exact copies    {len(planted.exact & exact)} of {len(planted.exact)}")
    print(f"near copies     {len(planted.near.keys() & copies)} of {len(planted.near)}; missed: "
          + (", ".join(sorted(how for pair, how in planted.near.items() if pair not in copies)) or "none"))  # fmt: skip
    known = planted.exact | planted.near.keys()
    more = [sorted(pair) for pair in copies - known if not pair & planted.leaks]
    print(f"other copies    {len(more)} of {len(copies)} reported, to be looked at: {more}")
    leaks = set(files("leak"))
    print(
        f"leaks           {len(planted.leaks & leaks)} of {len(planted.leaks)}; others: {sorted(leaks - planted.leaks)}"
    )
    doubtful = files("doubtful label")
    first = planted.swapped & set(doubtful[:80])
    print(f"swapped labels  {len(first)} of {len(planted.swapped)} in the first 80; {len(doubtful)} doubtful ones are "
          f"listed, with {len(planted.swapped & set(doubtful))} of the swapped")  # fmt: skip
    unreadable = set(files("unreadable"))
    print(f"damaged files   {len(planted.damaged & unreadable)} of {len(planted.damaged)}; others: "
          f"{len(unreadable - planted.damaged)}")  # fmt: skip
    print(f"counts          {document['counts']}; compared {document['compared']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, cache = Path(folder, "photos"), Path(folder, "cache")
        for name in ("train", "validation"):
            shutil.copytree(arguments.data / name, data / name)
        planted = plant(data, arguments.seed)
        print(f"seed {arguments.seed}")
        for title in ("cold", "warm"):
            document, seconds, peak = inspect(data, cache)
            print(f"{title}            {document['images']} images in {seconds:.1f} s, peak {peak:.0f} MB", flush=True)
        compare(planted, document)
        inspect(arguments.data / "train", cache)
        shutil.rmtree(cache / "copies")  # features are kept, but nothing of what was found with them
        document, seconds, peak = inspect(arguments.data / "train", cache)
        print(
            f"untouched, warm features: {document['images']} images in {seconds:.1f} s, peak {peak:.0f} MB: "
            f"{document['counts']}"
        )


if __name__ == "__main__":
    main()
