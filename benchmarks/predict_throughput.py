"""How fast are many photos answered: against decoding alone and the engine alone, in the same process?

    python benchmarks/predict_throughput.py RUN FOLDER --images 500 --repeats 5

In each round the same photos are decoded and made squares (as many threads as cores), run through the engine (pixels
in memory, several requests at a time), and answered by `Predictor.predict_each`. All three use all cores, so what
decoding and the engine reach by themselves, on the same cores, is 1 / (1 / decoding + 1 / engine) images/s; with cores
of its own for each it would be the slower of the two. Prints images/s, medians of the rounds, and the shares of these
two bounds in each round: median, least and largest. Wanted: at least 0.80 of the first. Expected: see LOG.md.
"""

import argparse
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from headstart.classifier.predictor import Predictor
from headstart.data.images import read_image
from headstart.data.walking import images_below


def speeds(predictor: Predictor, files: list[Path]) -> dict[str, float]:
    """images/s of each of the three."""
    found = {}
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pixels = list(pool.map(lambda file: read_image(file, predictor.image_size, predictor.resizing), files))
    found["decoding"] = len(files) / (time.perf_counter() - start)
    images = np.stack(pixels)
    start = time.perf_counter()
    for _ in predictor.forward(
        images[i : i + predictor.batch_size] for i in range(0, len(images), predictor.batch_size)
    ):
        pass
    found["engine"] = len(files) / (time.perf_counter() - start)
    start = time.perf_counter()
    for _ in predictor.predict_each(files):
        pass
    found["predictor"] = len(files) / (time.perf_counter() - start)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    files = images_below(arguments.folder)
    files = files[:: max(1, len(files) // arguments.images)][: arguments.images]
    predictor = Predictor(arguments.run)
    speeds(predictor, files[:32])
    rounds = [speeds(predictor, files) for _ in range(arguments.repeats)]
    for name in rounds[0]:
        print(f"{name:<10} {statistics.median(each[name] for each in rounds):6.0f} images/s")
    for title, bound in {
        "1 / (1 / decoding + 1 / engine)": lambda each: 1 / (1 / each["decoding"] + 1 / each["engine"]),
        "the slower of the two": lambda each: min(each["decoding"], each["engine"]),
    }.items():
        shares = [each["predictor"] / bound(each) for each in rounds]
        print(f"{statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f}) of {title}")


if __name__ == "__main__":
    main()
