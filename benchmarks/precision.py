"""What does it cost to solve a head on features that were computed in bfloat16, if it answers in float32?

    python benchmarks/precision.py trashnet.zip covid_xray.zip weather.zip solar-cells --seeds 5

A collection is a folder, a zip, or "solar-cells". Each seed holds out a quarter, class by class; a head on every depth
of the default base is solved on the rest, once on features in float32 and once in bfloat16, and both answer the quarter
in float32. Prints accuracy and cross-entropy of both, their mean difference with its standard error over the seeds, and
the images/s of both engines, photos decoded before. Expected: see LOG.md.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

import headstart as hs
from headstart.data.images import read_again
from headstart.data.samples import get_solar_cells
from headstart.engines.base import PRECISIONS, in_batches, run_all
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import DEFAULT, get_backbone
from headstart.numerics import cross_entropies, log_probabilities

SIZE = get_backbone(DEFAULT).image_size
TIMED = 512  # images


def measured(features: list[np.ndarray], sizes: tuple[int, ...], labels: np.ndarray, seed: int) -> list[float]:
    """Accuracy in % and cross-entropy on held-out images in the first precision, of heads on each."""
    train, test = train_test_split(np.arange(len(labels)), test_size=0.25, stratify=labels, random_state=seed)
    found = []
    for rows in features:
        head = solve_depths([rows[train]], sizes, labels[train], len(np.unique(labels)), seed=seed)
        answers = log_probabilities(head.logits(features[0][test]))
        right = answers.argmax(axis=1) == labels[test]
        found += [100 * right.mean(), cross_entropies(answers, labels[test]).mean()]
    return found


def speed(extractor: FeatureExtractor, pixels: np.ndarray) -> float:
    engine = extractor.engine
    run_all(engine, in_batches(pixels[:64], engine.batch_size), 64)
    start = time.perf_counter()
    run_all(engine, in_batches(pixels, engine.batch_size), len(pixels))
    return len(pixels) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print("| collection | float32 | bfloat16 | accuracy | loss | images/s |")
    print("|---|---|---|---|---|---|")
    for collection in arguments.collections:
        path = get_solar_cells() if collection == "solar-cells" else Path(collection)
        images = hs.load_images(path, listener=hs.Quiet())[0]
        extractors = [
            FeatureExtractor(FeatureSpec(DEFAULT, SIZE, depths=True, precision=precision), listener=hs.Quiet())
            for precision in PRECISIONS
        ]
        features = [rows_of(extractor.features(images))[:] for extractor in extractors]
        sizes = extractors[0].spec.block_sizes
        rows = np.array([measured(features, sizes, images.labels, seed) for seed in range(arguments.seeds)])
        pixels = np.stack([read_again(file, SIZE) for file in images.paths[:TIMED]])
        rates = [float(np.median([speed(extractor, pixels) for _ in range(3)])) for extractor in extractors]
        mean, difference = rows.mean(axis=0), rows[:, 2:] - rows[:, :2]
        change, error = difference.mean(axis=0), difference.std(axis=0, ddof=1) / np.sqrt(arguments.seeds)
        print(
            f"| {path.stem} | {mean[0]:.2f} ({mean[1]:.4f}) | {mean[2]:.2f} ({mean[3]:.4f}) "
            f"| {change[0]:+.2f} ± {error[0]:.2f} | {change[1]:+.4f} ± {error[1]:.4f} "
            f"| {rates[0]:.0f}, {rates[1]:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
