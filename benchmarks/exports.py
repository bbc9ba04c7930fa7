"""What is each export worth: size, accuracy on all validation photos, images/s?

    python benchmarks/exports.py RUN ... --out FOLDER [--photos DATA] --rounds 15

Each run is exported in every format and precision into FOLDER, which proves each; what is there already is taken as it
is, and what is refused is said with its message. Then, format by format in one process, every precision is asked about
the same 8 photos in turn, on 2 threads, so that what disturbs one disturbs all. Prints a table: MB and share of
float32, validation photos answered rightly, images/s as the median of all rounds, and how many times as fast as float32
in the same round: median, least and largest. Wanted of int8: at most 0.30 of the size, at least 1.4 times as fast.
Expected: see LOG.md.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.images import read_image
from headstart.data.splits import VALIDATION
from headstart.errors import ExportError
from headstart.export.export import Export
from headstart.export.formats import FLOAT32, FORMATS, ExportedModel
from headstart.export.photos import PhotosOfRun
from headstart.export.proof import Tolerance, prove

BATCH = 8
ANY_DISTANCE = Tolerance()  # to measure also what would be refused


def write(run: Path, folder: Path, name: str, precision: str, photos: Path | None) -> Export:
    """The export, or what is left of an earlier one. Beyond the usual tolerance it is written all the same."""
    out = folder / run.name / f"{name}-{precision}{FORMATS[name].suffix}"
    if out.exists():
        card = out.with_name(f"{out.name}.json") if out.is_file() else out / "export.json"
        return Export(out, json.loads(card.read_text("utf-8")))
    settings = {"format": name, "quantize": None if precision == FLOAT32 else precision, "data": photos}
    try:
        return hs.export(run, out, listener=hs.Quiet(), **settings)
    except ExportError as error:
        print(f"{run.name}, {name}, {precision}: {error}")
        return hs.export(run, out, listener=hs.Quiet(), tolerance=ANY_DISTANCE, **settings)


def speeds(opened: dict[str, ExportedModel], pixels: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """images/s in each round."""
    found: dict[str, list[float]] = {precision: [] for precision in opened}
    for number in range(rounds + 1):
        for precision, run in opened.items():
            start = time.perf_counter()
            run(pixels)
            if number:  # the first is for what is made only once
                found[precision].append(len(pixels) / (time.perf_counter() - start))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    for run in arguments.runs:
        classifier = hs.load(run)
        photos = PhotosOfRun(run, arguments.photos, hs.Quiet()).draw(VALIDATION, 1_000_000)
        pixels = np.stack([read_image(path, classifier.image_size, classifier.resizing) for path in photos.paths])
        labels = np.array([classifier.class_names.index(label) for label in photos.labels])
        logits = classifier.logits(pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH))
        expected = classifier.calibration.probabilities(logits)
        print(f"\n{run.name}: {classifier.backbone}, {classifier.image_size} pixels, {len(photos)} validation photos")
        print("format       precision     MB  share  right  before  changed  farthest  images/s  times float32")
        for name, row in FORMATS.items():
            written = {each: write(run, arguments.out, name, each, arguments.photos) for each in row.packages}
            opened = {each: row.open(export.path) for each, export in written.items()}
            measured = speeds(opened, pixels[:BATCH], arguments.rounds)
            for each, export in written.items():
                proof = prove(opened[each], pixels, expected, labels, photos.paths)
                share = export.card["bytes"] / written[FLOAT32].card["bytes"]
                ratios = [one / other for one, other in zip(measured[each], measured[FLOAT32], strict=True)]
                print(
                    f"{name:<12} {each:<9} {export.card['bytes'] / 1e6:6.1f}  {share:5.3f}  {proof.right:5}"
                    f"  {proof.right_before:6}  {proof.changed:7}  {proof.farthest:8.2g}"
                    f"  {statistics.median(measured[each]):8.1f}"
                    f"  {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
