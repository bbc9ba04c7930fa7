"""What is a folder `_other` of photos that are none of the classes worth? AUROC of known against other photos.

    python benchmarks/others.py trashnet sign_digits weather covid_xray --draws 5

For each collection and draw, one class is left out and shown as `_other` (near others), another is left out and never
shown (near, unseen); of photos of another collection, 60 are in `_other`, and the rest of them are far others; those of
a third collection are far, unseen. Known and near photos: half for training, a quarter each for validation and test,
copies together. Printed are AUROCs on test photos (1: all others have a higher score than all known photos; 0.5:
chance), means over the draws, of
  novelty       the distance to the fifth nearest training photo: what there is without `_other`
  last layer    a head, known against other, on the last layer alone
  depths        the same on all depths
  extra class   a head with one class more, whose probability is the score
  depths+dist   the logit of `depths`, and the distance in units of its deviation among known validation photos, added
Expected: see LOG.md.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import headstart as hs
from headstart.classifier.novelty import fit_novelty_detector
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import read_collection
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.models.backbones import DEFAULT, get_backbone
from headstart.numerics import two_sided

SHOWN = 60  # far photos in `_other`
FAR = 300  # far photos that are looked at, at most
KINDS = ("near", "near, unseen", "far", "far, unseen")
SPEC = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)


class Features:
    """A collection: photos, labels, features, and numbers that copies share."""

    def __init__(self, data: Path) -> None:
        self.images: Split = read_collection(list_images(data, hs.Quiet()), hs.Quiet()).images()
        extractor = FeatureExtractor(SPEC, listener=hs.Quiet())
        self.rows = rows_of(extractor.features(self.images))[:].astype(np.float32)
        copies = cached_duplicates(self.images, extractor, listener=hs.Quiet()).groups
        self.copies = np.unique(copies, return_inverse=True)[1]


def auroc(known: np.ndarray, other: np.ndarray) -> float:
    return float(roc_auc_score(np.repeat([0, 1], [len(known), len(other)]), np.concatenate([known, other])))


def look(name: str, own: Features, far: np.ndarray, unseen: np.ndarray, seed: int) -> dict[tuple[str, str], float]:
    """Score and kind of others -> AUROC."""
    rng = np.random.default_rng(seed)
    labels, sizes = own.images.labels, SPEC.block_sizes
    shown, left_out = rng.permutation(len(own.images.class_names))[:2]
    share = rng.random(own.copies.max() + 1)[own.copies]
    known = ~np.isin(labels, [shown, left_out])
    train, validation, test = share < 0.5, (share >= 0.5) & (share < 0.75), share >= 0.75
    far = far[rng.permutation(len(far))[:FAR]]
    fitted = np.concatenate([own.rows[train & known], own.rows[train & (labels == shown)], far[:SHOWN]])
    is_other = np.repeat([0, 1], [(train & known).sum(), len(fitted) - (train & known).sum()])
    _, of_known = np.unique(labels[train & known], return_inverse=True)
    with_extra = np.concatenate([of_known, np.full(is_other.sum(), of_known.max() + 1)])
    split = own.images.take(np.flatnonzero(train & known))
    detector = fit_novelty_detector(
        own.rows[train & known][:, : sizes[0]], split, own.rows[validation & known][:, : sizes[0]], seed=seed
    )
    last = solve_depths([fitted[:, : sizes[0]]], sizes[:1], is_other, 2, seed=seed)
    depths = solve_depths([fitted], sizes, is_other, 2, seed=seed)
    extra = solve_depths([fitted], sizes, with_extra, int(with_extra.max()) + 1, seed=seed)
    usual = detector.distances(own.rows[validation & known])

    def of_extra(rows: np.ndarray) -> np.ndarray:
        logits = two_sided(extra.logits(rows))
        return logits[:, -1] - np.log(np.exp(logits[:, :-1] - logits.max()).sum(axis=1)) - logits.max()

    scores = {
        "novelty": detector.distances,
        "last layer": lambda rows: last.logits(rows[:, : sizes[0]])[:, 0],
        "depths": lambda rows: depths.logits(rows)[:, 0],
        "extra class": of_extra,
        "depths+dist": lambda rows: depths.logits(rows)[:, 0] + (detector.distances(rows) - usual.mean()) / usual.std(),
    }
    others = dict(zip(KINDS, (
        own.rows[test & (labels == shown)], own.rows[labels == left_out], far[SHOWN:], unseen[:FAR],
    ), strict=True))  # fmt: skip
    found = {}
    for score, function in scores.items():
        of_known = function(own.rows[test & known])
        found |= {(score, kind): auroc(of_known, function(rows)) for kind, rows in others.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="four collections or more, as `headstart train` takes them")
    parser.add_argument("--draws", type=int, default=5)
    arguments = parser.parse_args()
    collections = [Features(data) for data in arguments.data]
    for number, (data, own) in enumerate(zip(arguments.data, collections, strict=True)):
        far, unseen = (collections[(number + step) % len(collections)].rows for step in (1, 2))
        found = defaultdict(list)
        for seed in range(arguments.draws):
            for key, value in look(data.name, own, far, unseen, seed).items():
                found[key].append(value)
        for score in dict.fromkeys(score for score, _ in found):
            values = "  ".join(f"{kind} {np.mean(found[score, kind]):.3f}" for kind in KINDS)
            print(f"{data.name:<12} {score:<12} {values}", flush=True)


if __name__ == "__main__":
    main()
