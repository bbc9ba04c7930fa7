"""Wrong labels planted among those of a real collection: does `inspect` still rank and list them? See
inspect_planted.py --noise."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import headstart as hs
from headstart.data.dataset import Split
from headstart.data.folder import list_images
from headstart.data.loading import read_collection
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.inspection.duplicate_cache import cached_duplicates
from headstart.inspection.label_issues import find_label_issues, probabilities_despite_wrong_labels
from headstart.models.backbones import DEFAULT, get_backbone

NOISE = (0.0, 0.1, 0.2, 0.3, 0.4)  # share of the labels that are wrong
KINDS = ("any class", "one class")  # what the wrong label is: any other class, or always the same one for a class
DRAWS = 3


def wrongly_labelled(labels: np.ndarray, classes: int, share: float, kind: str, seed: int) -> np.ndarray:
    """The labels, with a share of them wrong."""
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(labels))[: round(share * len(labels))]
    given = labels.copy()
    step = rng.integers(1, classes, len(wrong)) if kind == "any class" else 1
    given[wrong] = (given[wrong] + step) % classes
    return given


def doubt(out_of_fold: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The probability of the best other class minus that of the label, -1 to 1."""
    rows = np.arange(len(labels))
    others = out_of_fold.copy()
    others[rows, labels] = -np.inf
    return others.max(axis=1) - out_of_fold[rows, labels]


def look_at_noise(images: Split, compact: np.ndarray, copies: np.ndarray, name: str) -> None:
    """Prints a line for each kind and share of noise, means over DRAWS."""
    labels, classes = images.labels, len(images.class_names)
    clean = probabilities_despite_wrong_labels(compact, labels, copies, seed=0)
    for kind in KINDS[: 1 if classes == 2 else 2]:
        for share in NOISE if kind == KINDS[0] else NOISE[1:]:
            rows = []
            for seed in range(DRAWS):
                given = wrongly_labelled(labels, classes, share, kind, seed)
                wrong = given != labels
                found = probabilities_despite_wrong_labels(compact, given, copies, seed=seed)
                order = np.argsort(-doubt(found, given), kind="stable")
                listed = [issue.image for issue in find_label_issues(found, given)]
                rows.append([
                    wrong[order[: wrong.sum()]].mean() if wrong.any() else np.nan,
                    wrong[order[:50]].mean(),
                    roc_auc_score(wrong, doubt(found, given)) if wrong.any() else np.nan,
                    roc_auc_score(wrong, doubt(clean, given)) if wrong.any() else np.nan,
                    len(listed) / len(labels),
                    wrong[listed].mean() if listed else np.nan,
                    wrong[listed].sum() / max(wrong.sum(), 1),
                ])  # fmt: skip
            first, fifty, area, at_best, listed, right, found = np.mean(rows, axis=0)
            print(
                f"{name:<24}{kind:<10} {share:4.0%} wrong: of as many first ones {first:.1%}, of the first 50 "
                f"{fifty:.1%}; AUROC {area:.3f} (heads on clean labels {at_best:.3f}); listed {listed:.1%} of the "
                f"photos, {right:.1%} of these wrong, {found:.1%} of the wrong ones",
                flush=True,
            )


def noise(collections: Sequence[Path]) -> None:
    for data in collections:
        images = read_collection(list_images(data), hs.Quiet()).images()
        spec = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
        extractor = FeatureExtractor(spec, listener=hs.Quiet())
        rows = rows_of(extractor.features(images))
        compact = Compact.of(rows, spec.block_sizes, seed=0)(rows)
        look_at_noise(images, compact, cached_duplicates(images, extractor, listener=hs.Quiet()).groups, data.name)
