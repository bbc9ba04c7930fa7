"""The last layer or all depths: which finds more wrong labels, and which tells more foreign photos?

    python benchmarks/what_sees_more.py trashnet.zip weather.zip solar-cells --backbone efficientnet_lite0

Of each collection (a folder, a zip, or "solar-cells"), 1,500 photos at most. Labels: 5% are drawn anew among the other
classes; how many of the doubtful ones that are found are such, how many of such are found, and the average precision of
the margins, of heads on the last layer and on `Compact` features. Novelty: a detector that knows 700 photos of a
collection, and 200 of each other: the share of these that it takes for familiar, where 97% of its own are; by the last
layer, and by depths of three weights. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.features.blocks import Blocks
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.neighbours import directions, distances
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.label_issues import find_label_issues, out_of_fold_probabilities
from headstart.models.backbones import get_backbone
from headstart.models.depths import block_sizes

PHOTOS, WRONG, KNOWN, FOREIGN = 1_500, 0.05, 700, 200
USUAL, NEIGHBOUR = 0.97, 4


def read(collection: str, backbone: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels, in random order."""
    path = get_solar_cells() if collection == "solar-cells" else Path(collection)
    images = hs.load_images(path, listener=hs.Quiet())[0]
    some = images.take(np.random.default_rng(0).permutation(len(images))[:PHOTOS])
    spec = FeatureSpec(backbone, get_backbone(backbone).image_size, depths=True)
    return rows_of(FeatureExtractor(spec, listener=hs.Quiet()).features(some))[:], some.labels


def labels_found(features: np.ndarray, labels: np.ndarray, seed: int) -> str:
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(labels))[: round(WRONG * len(labels))]
    classes, given, is_wrong = int(labels.max()) + 1, labels.copy(), np.zeros(len(labels), bool)
    given[wrong] = (labels[wrong] + rng.integers(1, classes, len(wrong))) % classes
    is_wrong[wrong] = True
    shares = out_of_fold_probabilities(features, given, np.arange(len(given)), seed=seed)
    found = np.array([issue.image for issue in find_label_issues(shares, given)], int)
    rows = np.arange(len(given))
    others = shares.copy()
    others[rows, given] = -1
    margin = others.max(axis=1) - shares[rows, given]
    hits = int(is_wrong[found].sum())
    return (
        f"precision {hits / max(len(found), 1):.2f}, recall {hits / len(wrong):.2f}, "
        f"average precision {average_precision_score(is_wrong, margin):.3f}"
    )


def taken_for_familiar(own: np.ndarray, others: list[np.ndarray]) -> float:
    known = directions(own[:KNOWN])
    usual = np.sort(distances(directions(own[KNOWN:]), known, NEIGHBOUR))
    farthest = usual[int(USUAL * len(usual))]
    return float(np.mean([(distances(directions(each), known, NEIGHBOUR) <= farthest).mean() for each in others]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    arguments = parser.parse_args()
    sizes = block_sizes(arguments.backbone, depths=True)
    names = [name.rsplit("/", 1)[-1].removesuffix(".zip") for name in arguments.collections]
    found = [read(collection, arguments.backbone) for collection in arguments.collections]
    for name, (rows, labels) in zip(names, found, strict=True):
        print(f"{name}: last layer: {labels_found(rows[:, : sizes[0]], labels, 0)}")
        print(f"{name}: all depths: {labels_found(Compact.of(rows, sizes, seed=0)(rows), labels, 0)}", flush=True)
    for number, (name, (rows, _)) in enumerate(zip(names, found, strict=True)):
        others = [each[:FOREIGN] for place, (each, _) in enumerate(found) if place != number]
        blocks = Blocks.of([rows[:KNOWN]], sizes)
        last = slice(None), slice(sizes[0])
        shares = [f"last layer {taken_for_familiar(rows[last], [each[last] for each in others]):.1%}"]
        for weight in (0.2, 0.5, 0.85):
            factors = blocks.weighed(weight)
            scaled = [(each - blocks.mean) * factors for each in (rows, *others)]
            shares.append(f"depths {weight:g}: {taken_for_familiar(scaled[0], scaled[1:]):.1%}")
        print(f"{name}: foreign photos taken for familiar: {', '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
