"""Near copies of training photos, planted among those that measure: are they found, and is nothing else taken for one?

`inspect` names them as leaks where the collection gives splits; `evaluate` leaves them out. See inspect_planted.py
--seen.
"""

import csv
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import headstart as hs
from headstart import commands
from headstart.data.splits import TEST, TRAIN
from headstart.inspection.findings import LEAK
from headstart.runs.folder import RunFolder, SplitRow
from headstart.runs.held_out import choose
from headstart.runs.unseen import without_copies

EACH = 15  # copies of each kind


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize(
        (max(1, round(image.width * factor)), max(1, round(image.height * factor))), Image.Resampling.LANCZOS
    )


def _cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    left, right, top, bottom = rng.uniform(0.02, 0.08, 4)
    return image.crop((round(left * image.width), round(top * image.height), round((1 - right) * image.width),
                       round((1 - bottom) * image.height)))  # fmt: skip


HOW: dict[str, Callable[[Image.Image, Path, np.random.Generator], None]] = {
    "resized": lambda image, path, rng: _scaled(image, rng.uniform(0.4, 0.9)).save(path, quality=90),
    "enlarged": lambda image, path, rng: _scaled(image, rng.uniform(1.2, 2)).save(path, quality=90),
    "saved anew": lambda image, path, rng: image.save(path, quality=int(rng.integers(30, 70))),
    "as PNG": lambda image, path, rng: image.save(path.with_suffix(".png")),
    "mirrored": lambda image, path, rng: ImageOps.mirror(image).save(path, quality=90),
    "cropped": lambda image, path, rng: _cropped(image, rng).save(path, quality=90),
}


def plant_copies(rows: Sequence[SplitRow], folder: Path, rng: np.random.Generator) -> dict[Path, str]:
    """Copy of a training photo -> how it was made. Its label is the name of its folder."""
    photos = [row for row in rows if row.split == TRAIN]
    drawn = iter(rng.permutation(len(photos)))
    made = {}
    for how, make in HOW.items():
        for number in range(EACH):
            photo = photos[next(drawn)]
            target = folder / photo.label / f"{how} {number}.jpg"
            target.parent.mkdir(exist_ok=True)
            make(Image.open(photo.path).convert("RGB"), target, rng)
            made[target if target.exists() else target.with_suffix(".png")] = how
    return made


def report(name: str, title: str, found: set[Path], made: dict[Path, str], others: int) -> None:
    missed = Counter(how for path, how in made.items() if path not in found)
    text = ", ".join(f"{count} {how}" for how, count in missed.items()) or "none"
    print(
        f"{name:<24}{title}: {len(found & made.keys())} of {len(made)} (missed: {text}); of {others:,} others "
        f"{len(found - made.keys())}: {sorted(path.name for path in found - made.keys())[:12]}",
        flush=True,
    )


def seen_photos(data: Path, *, seed: int) -> None:
    """Prints, for a collection, how many copies are found among the held-out photos, and how many others."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = folder / "run"
        commands.train(data, run, fine_tune="never", seed=seed, listener=hs.Quiet())
        rows = RunFolder(run).splits
        photos = folder / "copies"
        photos.mkdir()
        made = plant_copies(rows, photos, np.random.default_rng(seed))
        test = [(row.path, row.label, TEST) for row in rows if row.split == TEST]
        planted = [(str(path), path.parent.name, TEST) for path in made]

        both = _table(folder / "splits.csv", [(row.path, row.label, row.split) for row in rows] + planted)
        findings = commands.inspect(both, listener=hs.Quiet()).findings
        leaks = {Path(finding.path) for finding in findings if finding.kind == LEAK}
        report(data.name, "leaks of inspect", leaks, made, len(rows))

        chosen = choose(_table(folder / "held_out.csv", test + planted), run, listener=hs.Quiet())
        kept = without_copies(chosen, run, listener=hs.Quiet())
        left_out = set(map(Path, chosen.images.paths)) - set(map(Path, kept.images.paths))
        report(data.name, "left out by evaluate", left_out, made, len(test))


def _table(path: Path, rows: Sequence[tuple[str, str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return path
