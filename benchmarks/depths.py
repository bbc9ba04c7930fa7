"""What does a head gain that reads every depth, and what does it cost?

    python benchmarks/depths.py trashnet.zip weather.zip solar-cells --backbone efficientnet_lite0 --seeds 5
    python benchmarks/depths.py --engine --backbone mobilenet_v2

Without fine-tuning, at the size that the base was pretrained at, in the original view alone. For each collection (a
folder, a zip, or "solar-cells" for those of elpv-dataset) a quarter of the photos is held out, stratified, and the rest
gets a head on the last layer and one on all depths. Prints means over the seeds: accuracy and cross-entropy of both,
the weight of the depths that was chosen, and the seconds of both solutions.

--engine: images/s of the engine with all depths, as a ratio to the last layer alone, in pairs of runs on noise.
Expected: see LOG.md.
"""

import argparse
import statistics
import time

import numpy as np
from sklearn.model_selection import train_test_split

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.engines.base import in_batches, run_all
from headstart.features import linear_head
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.linear_head import Head
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import get_backbone
from headstart.numerics import cross_entropies, log_probabilities

HELD_OUT = 0.25
NOISE, PAIRS = 600, 7  # images in a run of the engine, and runs of each


def measured(head: Head, features: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Accuracy and mean cross-entropy."""
    found = log_probabilities(head.logits(features))
    return float((found.argmax(axis=1) == labels).mean()), float(cross_entropies(found, labels).mean())


def compare(collection: str, backbone: str, seeds: int) -> None:
    path = get_solar_cells() if collection == "solar-cells" else collection
    images = hs.load_images(path, listener=hs.Quiet())[0]
    spec = FeatureSpec(backbone, get_backbone(backbone).image_size, depths=True)
    rows = rows_of(FeatureExtractor(spec, listener=hs.Console()).features(images))[:]
    sizes = spec.block_sizes
    last = sizes[0]
    classes, found = len(set(images.labels)), []
    for seed in range(seeds):
        train, test = train_test_split(
            np.arange(len(images)), test_size=HELD_OUT, stratify=images.labels, random_state=seed
        )
        labels = images.labels[train]
        began = time.perf_counter()
        alone = linear_head.solve([rows[train][:, :last]], labels, classes, seed=seed)
        between = time.perf_counter()
        deep = solve_depths([rows[train]], sizes, labels, classes, seed=seed)
        seconds = between - began, time.perf_counter() - between
        found.append(
            (
                *measured(alone, rows[test][:, :last], images.labels[test]),
                *measured(deep, rows[test], images.labels[test]),
                deep.weight,
                *seconds,
            )
        )
    mean, spread = np.mean(found, axis=0), np.std(found, axis=0)
    name = str(collection).rsplit("/", 1)[-1].removesuffix(".zip")
    print(
        f"| {name} | {100 * mean[0]:.1f} ± {100 * spread[0]:.1f} ({mean[1]:.3f}) | {100 * mean[2]:.1f} ± "
        f"{100 * spread[2]:.1f} ({mean[3]:.3f}) | {mean[4]:.2f} | {mean[5]:.1f} s | {mean[6]:.1f} s |",
        flush=True,
    )


def engine_ratio(backbone: str) -> None:
    size = get_backbone(backbone).image_size
    engines = []
    for depths in (False, True):
        spec = FeatureSpec(backbone, size, depths=depths)
        engines.append((FeatureExtractor(spec, listener=hs.Quiet()).engine, spec.kept_tensors))
    images = np.random.default_rng(0).integers(0, 256, (NOISE, size, size, 3), dtype=np.uint8)
    speeds = []
    for _ in range(PAIRS + 1):
        pair = []
        for engine, kept in engines:
            began = time.perf_counter()
            run_all(engine, in_batches(images, engine.batch_size), NOISE, outputs=kept)
            pair.append(NOISE / (time.perf_counter() - began))
        speeds.append(pair)
    ratios = [deep / alone for alone, deep in speeds[1:]]  # the first warms up
    alone, deep = (statistics.median(each) for each in zip(*speeds[1:], strict=True))
    print(
        f"{backbone}, {size} px: {alone:.0f} images/s of the last layer, {deep:.0f} of all depths, "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="*")
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--engine", action="store_true")
    arguments = parser.parse_args()
    if arguments.engine:
        engine_ratio(arguments.backbone)
    print(f"{arguments.backbone}\n| collection | last layer | every depth | weight | solved in | solved in |")
    print("|---|---|---|---|---|---|")
    for collection in arguments.collections:
        compare(collection, arguments.backbone, arguments.seeds)


if __name__ == "__main__":
    main()
