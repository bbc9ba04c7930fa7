"""Is a promised recall kept as often as it says?

    python benchmarks/promises.py solar-cells trashnet covid_xray --resamplings 100

The features of each collection are computed once. In each resampling its photos are split anew (half for training, a
quarter each for validation and test, copies together), a head is solved on the principal components of the features of
all depths, as for the learning curve, temperature and threshold come from the validation photos, and recall from the
test photos. For each class, the promises that its validation photos can give (0.9, 0.95, 0.98).

Printed: in what share of the resamplings the recall on the test photos is at least the promised one. The promise is
about the true recall, which is at least that in 90% of the cases; on a test of few photos chance alone leads below it
more often. Beside it stands, therefore, what is expected of a true recall that is distributed exactly as the bound
supposes: the misses among m test photos are then beta-binomial (m, k, n - k + 1), if the threshold is the k-th lowest
probability of n validation photos. And how many of all photos are answered so, and how many of these rightly: what the
promise costs. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import betabinom

import headstart as hs
from headstart.classifier.calibration import fit_calibration
from headstart.classifier.decision import fit_decision
from headstart.classifier.stakes import Stakes
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import read_collection
from headstart.data.samples import get_solar_cells
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.models.backbones import DEFAULT, get_backbone

PROMISED = (0.9, 0.95, 0.98)
C = 0.1  # of the heads: the promise has to hold whatever they are worth


def features_of(data: Path) -> tuple[Split, np.ndarray, np.ndarray]:
    """The photos, their features in a few numbers, and numbers that copies share."""
    images = read_collection(list_images(data, hs.Quiet()), hs.Quiet()).images()
    spec = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
    extractor = FeatureExtractor(spec, listener=hs.Quiet())
    rows = rows_of(extractor.features(images))
    copies = cached_duplicates(images, extractor, listener=hs.Quiet()).groups
    return images, Compact.of(rows, spec.block_sizes, seed=0)(rows), np.unique(copies, return_inverse=True)[1]


def resampled(copies: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training, validation and test photos."""
    share = np.random.default_rng(seed).random(copies.max() + 1)[copies]
    return tuple(np.flatnonzero((share >= low) & (share < high)) for low, high in ((0, 0.5), (0.5, 0.75), (0.75, 1)))  # type: ignore[return-value]


def look(data: Path, resamplings: int) -> None:
    images, features, copies = features_of(data)
    names, labels = images.class_names, images.labels
    kept: dict[tuple[str, float], list[tuple[bool, float, float, float]]] = {}
    for seed in range(resamplings):
        train, validation, test = resampled(copies, seed)
        head = linear_head.solve([features[train]], labels[train], len(names), seed=seed, C=C)
        logits, of_test = head.logits(features[validation]), head.logits(features[test])
        plain = fit_calibration(logits, labels[validation])
        found, new = plain.probabilities(logits), plain.probabilities(of_test)
        for number, name in enumerate(names):
            for share in PROMISED:
                decision = fit_decision(Stakes(None, {name: share}), names, found, labels[validation])
                (promise,) = decision.recall
                own = labels[test] == number
                if not promise.is_given or not own.any():
                    continue
                hits = new[:, number] >= promise.threshold  # the promise itself, without what the rest of the rule adds
                answered = decision.answers(new) == number
                place = int((found[labels[validation] == number, number] < promise.threshold).sum()) + 1
                allowed = np.floor((1 - share) * own.sum() + 1e-9)
                by_chance = betabinom.cdf(allowed, own.sum(), place, promise.photos - place + 1)
                right = own[answered].mean() if answered.any() else np.nan
                is_kept = (~hits[own]).sum() <= allowed
                kept.setdefault((name, share), []).append((is_kept, by_chance, answered.mean(), right))
    for (name, share), rows in sorted(kept.items()):
        kept_in, expected, answered, right = np.nanmean(np.array(rows, float), axis=0)
        own = (labels == names.index(name)).mean()
        print(
            f"{data.name:<12} {name:<14} {share:<5g} given in {len(rows):>3} of {resamplings}: recall on the test "
            f"photos kept in {kept_in:.0%} (expected {expected:.0%}); {own:.1%} of all are of it, {answered:.1%} "
            f"answered so, {right:.1%} of these rightly",
            flush=True,
        )
    everything = np.array([row for rows in kept.values() for row in rows], float)
    kept_in, expected = everything[:, :2].mean(axis=0)
    print(f"{data.name:<12} all: kept in {kept_in:.1%}, expected {expected:.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="collections as `headstart train` takes them, or solar-cells")
    parser.add_argument("--resamplings", type=int, default=100)
    arguments = parser.parse_args()
    for data in arguments.data:
        look(get_solar_cells() if data == "solar-cells" else Path(data), arguments.resamplings)


if __name__ == "__main__":
    main()
