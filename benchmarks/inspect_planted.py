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

    python benchmarks/inspect_planted.py PHOTOS --signs

Plants signs of a whole collection instead. PHOTOS is a folder of the collections in CLEAN; solar cells come from their
package. Shortcuts: each technical property in a share of one of two classes (0 to 100%; 60 and 400 photos; 5 draws).
Groups: 2 to 8 views of each of 60 photos, which show more or less the same part, named by photo. Then all that is said
of CLEAN as they are, and with names that make groups which mean nothing (5 draws). Expected: from 50% on each property
in each draw, nothing up to 10%; of views that overlap all groups, of names that mean nothing none; of the clean
collections a warning of covid_xray alone, where it is true: colours and sizes differ by class. Mixed ranges
(planted_ranges.py): a share of photos with fewer bits, and the clean collections as if one camera had taken them.

    python benchmarks/inspect_planted.py PHOTOS --seen

Trains on each of CLEAN, and gives `inspect` (as a test split) and `evaluate` 90 near copies of training photos among
the photos held out (planted_copies.py). Expected: nine in ten found, hardly any other photo taken for a copy.

    python benchmarks/inspect_planted.py PHOTOS --noise

Makes 10 to 40% of the labels of four of CLEAN wrong, and compares the ranking of doubtful labels with the truth
(planted_noise.py).
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageEnhance, ImageOps
from planted_copies import seen_photos
from planted_noise import noise
from planted_ranges import look_at_one_range, plant_ranges

import headstart as hs
from headstart.data.folder import list_images
from headstart.data.loading import Collection, read_collection
from headstart.data.samples import get_solar_cells
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.collection import shortcuts_of
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.inspection.suspected_groups import SuspectedGroups, find_suspected_groups
from headstart.models.backbones import DEFAULT, get_backbone

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


CLEAN = ("weather", "trashnet", "covid_xray", "sign_digits", "cats_and_dogs_filtered", "solar cells")
NOISY = ("weather", "covid_xray", "trashnet", "sign_digits")
DRAWS = 5
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
# Views of a photo: the least and the largest share of its sides that they show.
VIEWS = {"most of the photo": (0.6, 0.9), "half of it": (0.45, 0.6), "a third of it": (0.3, 0.4)}


def _exif(tag: int, value: str) -> Image.Exif:
    tags = Image.Exif()
    tags[tag] = value
    return tags


# property -> how a photo of 160 x 120 pixels is saved that has it; all others are plain JPEGs
TRAITS: dict[str, Callable[[Image.Image, Path], None]] = {
    "file format": lambda image, path: image.save(path.with_suffix(".png")),
    "width": lambda image, path: image.resize((200, 120)).save(path),
    "height": lambda image, path: image.resize((160, 150)).save(path),
    "colour mode": lambda image, path: image.convert("L").save(path),
    "compression quality": lambda image, path: image.save(path, quality=60),
    "border": lambda image, path: ImageOps.expand(image.resize((150, 110)), 5).save(path),
    "date": lambda image, path: image.save(path, exif=_exif(ExifTags.Base.DateTime, "2021:03:04 05:06:07")),
    "camera": lambda image, path: image.save(path, exif=_exif(ExifTags.Base.Model, "EOS 5D")),
    "beginning of the file name": lambda image, path: image.save(path.with_name(f"scan{path.name}")),
    "bit depth": lambda image, path: Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(
        path.with_suffix(".png")
    ),
}


def collected(table: Path, rows: Sequence[tuple[Path, str]]) -> Collection:
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return read_collection(list_images(table), hs.Quiet())


def plant_shortcuts(photos: Sequence[Path], folder: Path) -> None:
    """Prints how often each property is named, of DRAWS, where a share of class a has it and nothing of class b."""
    for name in TRAITS:
        for each in ("plain", name):
            (folder / each).mkdir(exist_ok=True)
        files: dict[str, list[Path]] = {"plain": [], name: []}
        for number, photo in enumerate(photos):
            image = Image.open(photo).convert("RGB").resize((160, 120))
            if name == "bit depth":  # else the same
                image.convert("L").save(folder / "plain" / f"{number:03}.png")
            else:
                image.save(folder / "plain" / f"{number:03}.jpg")
            TRAITS[name](image, folder / name / f"{number:03}.jpg")
        for each, found in files.items():
            found += sorted((folder / each).iterdir(), key=lambda path: path.stem[-3:])
        for count in (60, len(photos)):
            counted = []
            for share in SHARES:
                hits = 0
                for seed in range(DRAWS):
                    rng = np.random.default_rng(seed)
                    rows = [
                        (files[name if place % 2 and rng.random() < share else "plain"][number], "ba"[place % 2])
                        for place, number in enumerate(rng.permutation(len(photos))[:count])
                    ]
                    found = shortcuts_of(collected(folder / "list.csv", rows), seed=seed)
                    hits += any(each.name == name for each in found)
                counted.append(f"{share:.0%}: {hits}")
            print(f"{name:<27} {count} photos, named of {DRAWS}: {', '.join(counted)}", flush=True)
        shutil.rmtree(folder / "plain")


def groups_of(found: Collection, names: Sequence[str] | None = None) -> SuspectedGroups | None:
    """names: of the files, in place of their own."""
    spec = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
    images, extractor = found.images(), FeatureExtractor(spec, listener=hs.Quiet())
    rows = rows_of(extractor.features(images))
    compact = Compact.of(rows, spec.block_sizes, seed=0)(rows)
    copies = cached_duplicates(images, extractor, listener=hs.Quiet()).groups
    own = [item.name for item in found.items]
    return find_suspected_groups(names or own, images.labels, images.class_names, compact, copies, seed=0)


def plant_groups(photos: Sequence[Path], folder: Path) -> None:
    for how, shares in VIEWS.items():
        for views in (2, 4, 8):
            rng, rows = np.random.default_rng(views), []
            for number, photo in enumerate(photos):
                image = Image.open(photo).convert("RGB")
                for view in range(views):
                    share = rng.uniform(*shares)
                    width, height = (round(share * side) for side in image.size)
                    x, y = int(rng.integers(image.width - width)), int(rng.integers(image.height - height))
                    part = image.crop((x, y, x + width, y + height)).resize((160, 160))
                    part = ImageEnhance.Brightness(part).enhance(rng.uniform(0.7, 1.3))
                    path = folder / f"p{number:02}_{view}.jpg"
                    part.save(path)
                    rows.append((path, "ab"[number % 2]))
            found = groups_of(collected(folder / "list.csv", rows))
            said = f"share {found.share:.2f}, by chance {found.chance:.2f}" if found else "none"
            print(f"groups: {len(photos)} photos, {views} views, {how}: {said}", flush=True)


def collection(folder: Path, name: str) -> Path:
    return get_solar_cells() if name == "solar cells" else folder / name


def look_at_clean(folder: Path) -> None:
    for name in CLEAN:
        data = collection(folder, name)
        found = read_collection(list_images(data), hs.Quiet())
        shortcuts, groups = shortcuts_of(found, seed=0), groups_of(found)
        print(f"clean: {name}: {[each.sentence for each in shortcuts]}, {groups and groups.sentence}")
        alarms = 0
        for seed in range(DRAWS):
            drawn = np.random.default_rng(seed).integers(0, len(found.items) // 6, len(found.items))
            alarms += groups_of(found, [f"{item.label}/p{of:04}_{item.path.name}" for item, of in zip(
                found.items, drawn, strict=True)]) is not None  # fmt: skip
        print(f"clean: {name}: names that mean nothing: {alarms} alarms of {DRAWS}", flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            look_at_one_range(name, [item.path for item in found.items][:: len(found.items) // 200], Path(temporary))


def signs(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        photos = sorted((folder / "cats_and_dogs_filtered").rglob("cat.*.jpg"))
        plant_shortcuts(photos[:400], Path(temporary))
        plant_groups(photos[:60], Path(temporary))
        plant_ranges(photos[:200], Path(temporary))
    look_at_clean(folder)


def faults(collection: Path, seed: int) -> None:
    """Plants files and labels, and prints what is found of them."""
    with tempfile.TemporaryDirectory() as folder:
        data, cache = Path(folder, "photos"), Path(folder, "cache")
        for name in ("train", "validation"):
            shutil.copytree(collection / name, data / name)
        planted = plant(data, seed)
        print(f"seed {seed}")
        for title in ("cold", "warm"):
            document, seconds, peak = inspect(data, cache)
            print(f"{title}            {document['images']} images in {seconds:.1f} s, peak {peak:.0f} MB", flush=True)
        compare(planted, document)
        inspect(collection / "train", cache)
        shutil.rmtree(cache / "copies")  # features are kept, but nothing of what was found with them
        document, seconds, peak = inspect(collection / "train", cache)
        print(
            f"untouched, warm features: {document['images']} images in {seconds:.1f} s, peak {peak:.0f} MB: "
            f"{document['counts']}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signs", action="store_true", help="shortcuts, groups, mixed ranges")
    parser.add_argument("--seen", action="store_true", help="near copies of training photos among those that measure")
    parser.add_argument("--noise", action="store_true", help="a share of wrong labels")
    arguments = parser.parse_args()
    if arguments.signs:
        signs(arguments.data)
    if arguments.seen:
        for name in CLEAN:
            seen_photos(collection(arguments.data, name), seed=arguments.seed)
    if arguments.noise:
        noise([arguments.data / name for name in NOISY])
    if not (arguments.signs or arguments.seen or arguments.noise):
        faults(arguments.data, arguments.seed)


if __name__ == "__main__":
    main()
