"""What does it cost that an exported file resizes photos itself?

    python benchmarks/any_size.py RUN --out FOLDER [--photos DATA] [--rounds 15] [--formats onnx ...]

Each format is exported twice into FOLDER, for any size and for a fixed one; what is there already is taken as it is.
Then both are asked about one decoded photo in turn, in several sizes: the fixed file with the resizing of OpenCV
before it, as headstart does. Prints for each: milliseconds of both as the median of all rounds, and their ratio in the
same round: median, least and largest. Expected: see LOG.md.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.images import read_image
from headstart.data.resizing import resize
from headstart.data.splits import VALIDATION
from headstart.export.formats import FLOAT32, FORMATS, INT8, ExportedModel
from headstart.export.photos import PhotosOfRun

SIZES = ((224, 224), (375, 500), (1080, 1920), (3000, 4000))  # height, width


def opened(run: Path, folder: Path, name: str, precision: str, data: Path | None, *, fixed_size: bool) -> ExportedModel:
    out = folder / f"{name}-{precision}-{'fixed' if fixed_size else 'any'}{FORMATS[name].suffix}"
    if not out.exists():
        quantize = None if precision == FLOAT32 else precision
        settings = {"format": name, "quantize": quantize, "data": data, "fixed_size": fixed_size}
        print(hs.export(run, out, listener=hs.Quiet(), **settings), flush=True)
    return FORMATS[name].open(out)


def seconds(run: ExportedModel, image: np.ndarray) -> float:
    start = time.perf_counter()
    run(image[None])
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--formats", nargs="+", choices=("onnx", "openvino", "litert", "saved-model"))
    arguments = parser.parse_args()
    card = json.loads((arguments.run / "classifier.json").read_text("utf-8"))
    size, resizing = card["image_size"], card["resizing"]
    (path,) = PhotosOfRun(arguments.run, arguments.photos, hs.Quiet()).draw(VALIDATION, 1).paths
    photo = read_image(path)
    print("format       precision  photo        fixed, ms  any, ms  any / fixed")
    for name in arguments.formats or ("onnx", "openvino", "litert", "saved-model"):
        row = FORMATS[name]
        for precision in (each for each in (FLOAT32, INT8) if each in row.packages):
            given = (arguments.run, arguments.out, name, precision, arguments.photos)
            fixed, any_size = (opened(*given, fixed_size=each) for each in (True, False))
            for height, width in SIZES:
                image = np.ascontiguousarray(np.resize(photo, (height, width, 3)))
                times = []
                for number in range(arguments.rounds + 1):
                    start = time.perf_counter()
                    square = resize(image, size, resizing)
                    resized = time.perf_counter() - start
                    pair = (resized + seconds(fixed, square), seconds(any_size, image))
                    if number:  # the first is for what is made only once
                        times.append(pair)
                ratios = [other / one for one, other in times]
                one, other = (statistics.median(each) * 1e3 for each in zip(*times, strict=True))
                print(
                    f"{name:<12} {precision:<9}  {f'{width} x {height}':<11}  {one:9.1f}  {other:7.1f}"
                    f"  {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
