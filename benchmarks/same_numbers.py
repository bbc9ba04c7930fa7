r"""Does a changed headstart still give the same numbers, and does it open what an older version left behind?

    python benchmarks/same_numbers.py record before.json --headstart OLD/bin/headstart --runs runs_of_old \
        --cache cache_of_old --cats-and-dogs cats_and_dogs_filtered.zip --classes other.zip
    python benchmarks/same_numbers.py record after.json --headstart NEW/bin/headstart \
        --cats-and-dogs cats_and_dogs_filtered.zip --classes other.zip
    python benchmarks/same_numbers.py compare before.json after.json
    python benchmarks/same_numbers.py opens runs_of_old/head --headstart NEW/bin/headstart --photo cat.jpg \
        --cache cache_of_old --data cats_and_dogs_filtered.zip

`record` knows headstart by its command line and its run folders only, so it works with any version. It needs NumPy,
Pillow and elpv-dataset; run it with the same Python for both records, as the planted copies are compressed by Pillow.
A new cache each time, the default, makes it compute everything anew. All seeds are 0, all images are used:

| part | what is run | minutes, on two busy cores |
|---|---|---|
| inspect | `inspect`, on 300 + 75 photos of cats, and as many of dogs, with planted faults of every kind | 1 |
| head | `train`, cats and dogs, recipe `fast`, `--fine-tune never` | 1 to 2 |
| classes | the same on --classes, a zip of class folders of more than two classes; left out without it | 1 to 2 |
| tutorial | `train`, cats and dogs, recipe `tutorial`, two epochs in each phase | 2 to 4 |
| solar-cells | `train`, solar cells, recipe `fast`, `--fine-tune always`, three epochs | 5 to 9 |

Of a training it records the whole of metrics.json and classifier.json, splits.csv, predictions.csv, history.csv, the
names of all files, and what `predict` says of about twenty images. Seconds, dates, versions, hashes of files and
sentences are left out, and paths, as images are named by their hashes.

`compare` ends with status 1 where more than rounding differs. Each number has one of three tolerances:

| tolerance | of | allowed |
|---|---|---|
| exact | all but floats: counts, splits, labels, answers, names | nothing |
| solved | floats that no optimizer has stepped to: inspections, solved heads, learning curves | 1e-4 relative + 2e-6 |
| stepped | floats after stepped training | the same |

Measured with one version, recorded twice with a new cache each time, beside other work: all 21,814 numbers and words
are equal to the last bit, the stepped ones too; the allowance is for sums in another order. On one core instead of two
TensorFlow adds up in another order, and that shows what rounding does: what is solved moves by 2e-11 at most, but
stepping makes it grow: recipe `tutorial` moves by 4e-4 in its losses, 0.0012 in its accuracies, 1 of 1,000 answers; the
solar cells by 0.028, 0.011, 31 of 787. A real fault is no larger: training images in a wrong order (the next epoch's)
move the losses of `tutorial` by 0.014 at most, after its last epoch by 0.0015 to 0.006, and 9 answers. So a tolerance
that forgave rounding in stepped training would hide faults. Make both records on equally many cores, and if what is
stepped differs all the same, find out why.

`opens` lets a version use a run and a cache of another: `predict` (a photo of the run's own must get the answer that
stands in its predictions.csv), `export`, `compare` of the run with itself, and with --data `inspect`. Status 1 where
one fails.
"""

import argparse
import csv
import hashlib
import importlib.util
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inspect_planted import plant
from PIL import Image

SCHEMA = 1  # of the files that `record` writes
SEED = 0
EXACT, SOLVED, STEPPED = "exact", "solved", "stepped"
TOLERANCES = {  # class -> (relative, absolute); the docstring has the measurements
    EXACT: (0.0, 0.0),
    SOLVED: (1e-4, 2e-6),  # predictions.csv has six digits
    STEPPED: (1e-4, 2e-6),
}
# keys of JSON documents, wherever they stand; the last three are sentences, whose words may become better
IGNORED = {"seconds", "date", "versions", "hashes", "advice", "verdict", "detail"}
FROM_EACH_CLASS = 300  # training photos of the collection with planted faults; a quarter as many for validation
ANSWERED = 20  # images for `headstart predict`, about
SHOWN = 10  # differences of one group
MISSING = "(missing)"

Fact = tuple[str, object]  # key, and a number, word, truth value or None
Facts = dict[str, dict[str, object]]  # class of tolerance -> key -> value


@dataclass(frozen=True)
class Training:
    """A call of `headstart train`.

    unstepped: how the keys begin of all that was computed before the first step of an optimizer.
    """

    collection: str
    options: tuple[str, ...]
    unstepped: tuple[str, ...]


EVERYTHING = ("",)
OF_THE_COLLECTION = ("splits/", "metrics/outlook/", "metrics/cleaning/", "metrics/findings/")
TRAININGS = {
    "head": Training("cats and dogs", ("--fine-tune", "never"), EVERYTHING),
    "classes": Training("classes", ("--fine-tune", "never"), EVERYTHING),
    "tutorial": Training("cats and dogs", ("--recipe", "tutorial", "--epochs", "2"), OF_THE_COLLECTION),
    "solar-cells": Training(
        "solar cells",
        ("--epochs", "3", "--fine-tune", "always"),
        (*OF_THE_COLLECTION, "history/feature_extraction 1/", "metrics/phases/0/"),
    ),
}
INSPECT = "inspect"
PARTS = (INSPECT, *TRAININGS)


# The command line


def call(headstart: Path, cache: Path | None, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"HEADSTART_CACHE": str(cache.absolute())} if cache else {})
    command = [str(headstart.absolute()), *map(str, arguments), "--json"]
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)


def document(headstart: Path, cache: Path, *arguments: str | Path) -> dict:
    """What a command prints."""
    done = call(headstart, cache, *arguments)
    if done.returncode:
        raise SystemExit(f"`headstart {arguments[0]}` ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


# Recording


def leaves(value: object, key: str) -> Iterator[Fact]:
    """Each number, word, truth value and null of a JSON document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in IGNORED:
                yield from leaves(inner, f"{key}/{name}")
    elif isinstance(value, list):
        yield f"{key}/length", len(value)
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{key}/{index}")
    else:
        yield key, value


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def facts_of_images(table: Path, columns: Sequence[str]) -> Iterator[Fact]:
    """A table with a row an image, told apart by their hashes: where they lie differs from record to record."""
    found = rows(table)
    yield f"{table.stem}/order", digest(" ".join(row["hash"] for row in found).encode())
    seen: Counter[str] = Counter()
    for row in found:
        seen[row["hash"]] += 1
        key = f"{table.stem}/{row['hash'][:16]}" + (f" ({seen[row['hash']]})" if seen[row["hash"]] > 1 else "")
        yield key, " ".join(row[column] for column in columns)
        if "probability" in row:
            yield f"{key}/probability", float(row["probability"])


def facts_of_run(folder: Path) -> Iterator[Fact]:
    yield from leaves(files_below(folder), "files")
    yield "summary.txt", digest((folder / "summary.txt").read_bytes())
    for name in ("classifier", "metrics"):
        yield from leaves(json.loads((folder / f"{name}.json").read_bytes()), name)
    yield from facts_of_images(folder / "splits.csv", ("label", "split"))
    yield from facts_of_images(folder / "predictions.csv", ("label", "split", "answer"))
    for row in rows(folder / "history.csv"):
        for column in row.keys() - {"phase", "epoch", "seconds"}:
            yield f"history/{row['phase']} {row['epoch']}/{column}", float(row[column])


def facts_of_answers(headstart: Path, cache: Path, run: Path) -> Iterator[Fact]:
    """What `headstart predict` says of some images of a run."""
    paths = [row["path"] for row in rows(run / "predictions.csv")]
    answers = document(headstart, cache, "predict", run, *paths[:: max(1, len(paths) // ANSWERED)])
    for answer in answers["predictions"]:
        name = Path(answer.pop("path")).name
        yield from leaves(answer, f"predict/{name}")


def facts_of_inspection(headstart: Path, cache: Path, data: Path, out: Path) -> Iterator[Fact]:
    said = json.dumps(document(headstart, cache, "inspect", data, "--seed", str(SEED), "--out", out))
    found = json.loads(said.replace(str(data), "DATA"))
    yield "collection", digest("".join(digest((data / name).read_bytes()) for name in files_below(data)).encode())
    yield from leaves(files_below(out), "files")
    findings = found.pop("findings")
    yield from leaves(found, "summary")
    names = [f"{finding['kind']}: {finding['path']} {finding['other']}".rstrip() for finding in findings]
    yield "findings/order", digest("\n".join(names).encode())
    for name, finding in zip(names, findings, strict=True):
        yield from leaves(finding, f"findings/{name}")


def by_tolerance(facts: Iterator[Fact], unstepped: tuple[str, ...]) -> Facts:
    """What is no float is exact."""
    found: Facts = {name: {} for name in TOLERANCES}
    for key, value in facts:
        of_floats = SOLVED if key.startswith(unstepped) else STEPPED
        found[of_floats if isinstance(value, float) else EXACT][key] = value
    return found


def solar_cells(table: Path) -> Path:
    """The list that `headstart demo` makes of the package elpv-dataset, made here, so that it is the same for all."""
    spec = importlib.util.find_spec("elpv_dataset")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("The package 'elpv-dataset' is not installed. Install it: pip install elpv-dataset")
    folder = Path(spec.submodule_search_locations[0], "data")
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label"))
        for line in (folder / "labels.csv").read_text().splitlines():
            name, probability, _ = line.split()
            writer.writerow((folder / name, "defective" if float(probability) >= 0.5 else "functional"))
    return table


def planted(archive: Path, data: Path) -> Path:
    """A part of the cats and dogs with the faults of inspect_planted.py, and those kinds of faults that it lacks."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.endswith(".jpg"))
        for split, count in (("train", FROM_EACH_CLASS), ("validation", FROM_EACH_CLASS // 4)):
            for label in ("cats", "dogs"):
                folder = data / split / label
                folder.mkdir(parents=True)
                for name in [name for name in names if f"/{split}/{label}/" in name][:count]:
                    (folder / Path(name).name).write_bytes(opened.read(name))
    plant(data, SEED)
    cats = data / "train" / "cats"
    conflicting, *others = sorted(cats.glob("cat.*.jpg"))[:5]
    shutil.copy(conflicting, data / "train" / "dogs" / "conflicting.jpg")
    decoded, png, grey, oblong = (Image.open(path).convert("RGB") for path in others)
    decoded.save(cats / "same_pixels.png")
    png.save(cats / "wrong_ending.jpg", "PNG")
    grey.convert("L").resize((60, 60)).save(cats / "grey_and_small.png")
    oblong.resize((600, 80)).save(cats / "oblong.png")
    Image.new("RGB", (200, 200), (30, 90, 200)).save(cats / "unlike_its_class.png")
    return data


def record(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        runs, cache = arguments.runs or scratch / "runs", arguments.cache or scratch / "cache"
        collections = {
            "cats and dogs": arguments.cats_and_dogs,
            "classes": arguments.classes,
            "solar cells": solar_cells(scratch / "solar-cells.csv") if "solar-cells" in arguments.parts else None,
        }
        parts = {}
        for name in arguments.parts:
            begin = time.perf_counter()
            if name == INSPECT:
                data = planted(arguments.cats_and_dogs, scratch / "photos")
                facts = facts_of_inspection(arguments.headstart, cache, data, scratch / "inspection")
                parts[name] = by_tolerance(facts, EVERYTHING)
            elif collection := collections[TRAININGS[name].collection]:
                training, run = TRAININGS[name], runs / name
                options = ("--seed", str(SEED), *training.options)
                document(arguments.headstart, cache, "train", collection, "--out", run, *options)
                facts = itertools.chain(facts_of_run(run), facts_of_answers(arguments.headstart, cache, run))
                parts[name] = by_tolerance(facts, training.unstepped)
            done = f"{time.perf_counter() - begin:.0f} s" if name in parts else "left out"
            print(f"{name:<12} {done}", file=sys.stderr, flush=True)
            written = {"schema": SCHEMA, "cores": cores(), "parts": parts}  # after each part, as another may fail
            arguments.out.write_text(json.dumps(written, indent=1) + "\n", "utf-8")


def cores() -> int | None:
    """That this process, and so headstart, may use: TensorFlow adds up in another order with another number."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


# Comparing


@dataclass(frozen=True)
class Difference:
    key: str
    tolerance: str
    before: object
    after: object

    @property
    def size(self) -> float:
        """Infinite for anything but two numbers."""
        if isinstance(self.before, int | float) and isinstance(self.after, int | float):
            return abs(self.before - self.after)
        return math.inf

    @property
    def is_rounding(self) -> bool:
        relative, absolute = TOLERANCES[self.tolerance]
        if math.isinf(self.size):
            return False
        return self.size <= absolute + relative * max(abs(self.before), abs(self.after))


def differences(before: Facts, after: Facts, tolerance: str) -> list[Difference]:
    """Sorted by key."""
    one, other = before[tolerance], after[tolerance]
    found = ((key, one.get(key, MISSING), other.get(key, MISSING)) for key in sorted(one.keys() | other.keys()))
    return [Difference(key, tolerance, was, now) for key, was, now in found if was != now]


def compare(arguments: argparse.Namespace) -> None:
    before, after = (json.loads(file.read_bytes()) for file in (arguments.before, arguments.after))
    if not before["schema"] == after["schema"] == SCHEMA:
        raise SystemExit("One of the files was recorded by another version of this script. Record both with this one.")
    if before["cores"] != after["cores"]:
        print(f"Recorded on {before['cores']} and on {after['cores']} cores: in what is stepped, rounding adds up.")
    before, after = before["parts"], after["parts"]
    wrong: dict[str, list[Difference]] = {}
    print(f"{'part':<12} {'tolerance':<9} {'facts':>6} {'equal':>6} {'rounded':>7} {'WRONG':>6}  largest difference")
    for part, tolerance in itertools.product([name for name in before if name in after], TOLERANCES):
        found = differences(before[part], after[part], tolerance)
        beyond = wrong[f"{part}, {tolerance}"] = [each for each in found if not each.is_rounding]
        facts = len(before[part][tolerance].keys() | after[part][tolerance].keys())
        largest = max((each for each in found if each.size < math.inf), key=lambda each: each.size, default=None)
        print(f"{part:<12} {tolerance:<9} {facts:>6,} {facts - len(found):>6,} {len(found) - len(beyond):>7,} "
              f"{len(beyond):>6,}  " + (f"{largest.size:.2g}, {largest.key}" if largest else "-"))  # fmt: skip
    for title, beyond in wrong.items():
        for each in beyond[:SHOWN]:
            print(f"{title}: {each.key}: {each.before} -> {each.after}")
        if len(beyond) > SHOWN:
            print(f"{title}: ... and {len(beyond) - SHOWN:,} more")
    apart = sorted(before.keys() ^ after.keys())
    differ = any(wrong.values()) or not wrong
    print(("Not the same." if differ else "The same.")
          + (f" Not compared, as only one file has it: {', '.join(apart)}." if apart else ""))  # fmt: skip
    sys.exit(differ)


# Opening


def opens(arguments: argparse.Namespace) -> None:
    run = arguments.run
    with tempfile.TemporaryDirectory() as folder:
        commands: list[tuple[str | Path, ...]] = [
            ("predict", run, arguments.photo),
            ("export", run, "--format", "openvino", "--out", Path(folder, "exported")),
            ("compare", run, run),
        ]
        if arguments.data:
            commands.append(("inspect", arguments.data))
        failed = False
        for command in commands:
            done = call(arguments.headstart, arguments.cache, *command)
            wrong = done.stderr[-1000:] if done.returncode else ""
            if command[0] == "predict" and not done.returncode:
                wrong = other_answer(run, arguments.photo, json.loads(done.stdout)["predictions"][0])
            failed = failed or bool(done.returncode or wrong)
            print(f"{command[0]:<8} status {done.returncode}  {wrong}".rstrip(), flush=True)
    sys.exit(failed)


def other_answer(run: Path, photo: Path, answer: dict) -> str:
    """How the answer differs from what stands in the run's predictions.csv, if the photo is one of those."""
    hashed = hashlib.sha256(photo.read_bytes()).hexdigest()
    for row in rows(run / "predictions.csv"):
        difference = abs(float(row["probability"]) - answer["probability"])
        if row["hash"] == hashed and (row["answer"] != answer["label"] or difference > 1e-3):
            return f"was {row['answer']} ({row['probability']}), is {answer['label']} ({answer['probability']:.6f})"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    executable = argparse.ArgumentParser(add_help=False)
    executable.add_argument("--headstart", type=Path, required=True, help="the executable of the version in question")
    executable.add_argument("--cache", type=Path, help="its cache folder; record: by default a new one, the right one")

    command = commands.add_parser("record", parents=[executable], help="run headstart and write its numbers")
    command.add_argument("out", type=Path, metavar="OUT.json")
    command.add_argument("--cats-and-dogs", type=Path, required=True, metavar="ZIP", help="of the tutorial's photos")
    command.add_argument("--classes", type=Path, metavar="ZIP", help="class folders of any three or more classes")
    command.add_argument("--runs", type=Path, metavar="FOLDER", help="keep the run folders there")
    command.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="by default all")
    command.set_defaults(function=record)

    command = commands.add_parser("compare", help="compare two records; status 1 where more than rounding differs")
    command.add_argument("before", type=Path, metavar="BEFORE.json")
    command.add_argument("after", type=Path, metavar="AFTER.json")
    command.set_defaults(function=compare)

    command = commands.add_parser("opens", parents=[executable], help="use a run and a cache of another version")
    command.add_argument("run", type=Path, metavar="RUN")
    command.add_argument("--photo", type=Path, required=True, metavar="FILE")
    command.add_argument("--data", type=Path, help="photos of which the cache knows features, for `headstart inspect`")
    command.set_defaults(function=opens)

    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    main()
