"""How much closer to experts' probabilities is a classifier that was trained on them, and on ranks of them?

    python benchmarks/soft_labels.py --resamplings 20 --of-ranks 5

The solar cells of `elpv-dataset`: 2,624 images whose label is the probability of a defect, by experts: 0, 1/3, 2/3, 1.
Each is trained as `headstart train --fine-tune never` does, with splits drawn anew (copies together), twice: on the
probabilities, and on the more probable class, as before headstart knew anything else. Printed are means over the
resamplings on the test images, and the smallest and largest ratio of soft to hard: of the log loss against the
probabilities (and of what of it is above the labels' own entropy, which no classifier can go below), of the Brier
score, and of the accuracy of the more probable class.

Then the four values as ranks. The features are the principal components that the learning curve uses; C comes from
cross-validation; a temperature from the validation images. Compared are
  softmax       the usual head
  cumulative    proportional odds: one direction, and a threshold between neighbours (P. McCullagh, Regression models
                for ordinal data, JRSS B 42 (1980))
each with the most probable class for an answer, and with that of the least expected distance (median), by quadratic
weighted kappa, mean absolute error in ranks, and log loss. `--ordinal` is "softmax, median". Expected: see LOG.md.
"""

import argparse
import csv
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import headstart as hs
from headstart.classifier.calibration import Calibration, fit_temperature
from headstart.classifier.decision import fit_decision
from headstart.classifier.stakes import Stakes
from headstart.commands.run_splits import copy_groups
from headstart.data.dataset import Dataset, Split
from headstart.data.loading import load_dataset
from headstart.data.samples import get_solar_cells
from headstart.evaluation.metrics import Evaluation, measure
from headstart.features import linear_head
from headstart.features.compact import Compact
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.numerics import cross_entropies, log_probabilities
from headstart.training.config import TrainingConfig
from headstart.training.recipes import adjusted
from headstart.training.trainer import train_classifier

CONFIG = TrainingConfig.of(recipe=adjusted("fast", fine_tune="never"))


def tables(folder: Path) -> tuple[Path, Path]:
    """The cells with the probability of a defect, in a table that headstart reads as such; and with ranks."""
    with get_solar_cells().open() as file:
        paths = [Path(row["path"]) for row in csv.DictReader(file)]
    listed = (paths[0].parent.parent / "labels.csv").read_text().splitlines()
    values = [float(line.split()[1]) for line in listed]
    soft, ranks = folder / "soft.csv", folder / "ranks.csv"
    with soft.open("w", newline="") as file, ranks.open("w", newline="") as other:
        for_soft, for_ranks = csv.writer(file), csv.writer(other)
        for_soft.writerow(("path", "label", "probability"))
        for_ranks.writerow(("path", "label"))
        for path, value in zip(paths, values, strict=True):
            label = "defective" if value >= 0.5 else "functional"
            for_soft.writerow((path, label, value if value >= 0.5 else 1 - value))
            for_ranks.writerow((path, f"{value:.2f}"))
    return soft, ranks


def loaded(table: Path, seed: int) -> Dataset:
    """With splits as a run draws them."""

    def groups(images: Split, drawn: np.ndarray) -> np.ndarray:
        return copy_groups(images, drawn, CONFIG, hs.Quiet())

    return load_dataset(table, seed=seed, groups=groups, listener=hs.Quiet())


def hardened(dataset: Dataset) -> Dataset:
    """The same images with the most probable classes for labels."""
    splits = {name: replace(split, given_targets=None) for name, split in dataset.splits().items()}
    return replace(dataset, **splits)


def trained(dataset: Dataset, test: Split, seed: int) -> Evaluation:
    """What a classifier that is trained on a dataset says of the test images."""
    found = train_classifier(dataset, replace(CONFIG, seed=seed), listener=hs.Quiet())
    return measure(found.logits(test), test.truth, dataset.class_names, found.classifier.calibration)


def compare_labels(table: Path, resamplings: int) -> None:
    rows = []
    for seed in range(resamplings):
        dataset = loaded(table, seed)
        both = [trained(each, dataset.test, seed) for each in (hardened(dataset), dataset)]
        values = []
        for found in both:
            soft = found.soft
            if soft is None:
                raise ValueError("labels that are no probabilities")
            loss = soft.log_loss.value
            values.append((loss, loss - soft.least, soft.brier.value, found.accuracy.value))
        rows.append(values)
        print(f"{seed:>3} log loss, above entropy, Brier, accuracy: hard {values[0]} soft {values[1]}", flush=True)
    if not rows:
        return
    hard, soft = np.moveaxis(np.array(rows), 1, 0)
    for name, one, other in zip(("log loss", "above entropy", "Brier", "accuracy"), hard.T, soft.T, strict=True):
        ratio = other / one
        means = f"hard {one.mean():.4f}  soft {other.mean():.4f}  ratio of means {other.mean() / one.mean():.3f}"
        lower = f"lower in {(ratio < 1).sum()} of {resamplings}"
        print(f"{name:<14} {means} ({ratio.min():.3f} to {ratio.max():.3f}); {lower}", flush=True)


class Cumulative:
    """Proportional odds: log P(rank <= k) - log P(rank > k) = threshold k - features @ direction."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, ranks: int, C: float) -> None:
        width = features.shape[1]

        def unpacked(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            steps = np.exp(flat[width + 1 :])
            return flat[:width], np.cumsum([flat[width], *steps])  # thresholds rise

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            direction, thresholds = unpacked(flat)
            score = features @ direction
            edges = np.concatenate([[-1e9], thresholds, [1e9]])
            above, below = _sigmoid(edges[labels + 1] - score), _sigmoid(edges[labels] - score)
            chance = np.maximum(above - below, 1e-12)
            up, down = above * (1 - above) / chance, below * (1 - below) / chance
            upper, lower = np.bincount(labels + 1, up, ranks + 1), np.bincount(labels, down, ranks + 1)
            of_thresholds = (lower - upper)[1:-1]
            of_steps = np.cumsum(of_thresholds[::-1])[::-1]
            gradient = np.concatenate([
                features.T @ (up - down) + direction / C, of_steps[:1], of_steps[1:] * np.exp(flat[width + 1 :]),
            ])  # fmt: skip
            return float(-np.log(chance).sum() + (direction**2).sum() / (2 * C)), gradient

        start = np.concatenate([np.zeros(width), [-1.0], np.zeros(ranks - 2)])
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
        self.direction, self.thresholds = unpacked(found.x)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Logarithms of the probabilities."""
        edges = _sigmoid(self.thresholds - (features @ self.direction)[:, None])
        return np.log(np.maximum(np.diff(edges, axis=1, prepend=0, append=1), 1e-12))


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -700, 700)))


Fit = Callable[[np.ndarray, np.ndarray, float], Callable[[np.ndarray], np.ndarray]]
RANKS = 4
FITS: dict[str, Fit] = {
    "softmax": lambda x, y, C: linear_head.solve([x], y, RANKS, seed=0, C=C).logits,
    "cumulative": lambda x, y, C: Cumulative(x, y, RANKS, C).logits,
}


def chosen(fit: Fit, features: np.ndarray, labels: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Logits of new images, by the C with the least log loss in cross-validation."""

    def loss(C: float) -> float:
        parts = linear_head.folds(labels, seed)
        return sum(
            cross_entropies(log_probabilities(fit(features[a], labels[a], C)(features[b])), labels[b]).sum()
            for a, b in parts
        )

    return fit(features, labels, min(linear_head.C_VALUES[3:8], key=loss))


def compare_ranks(table: Path, resamplings: int) -> None:
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(resamplings):
        dataset = loaded(table, seed)
        names, train, labels = dataset.class_names, dataset.train, dataset.test.labels
        extractor = FeatureExtractor(CONFIG.feature_spec, listener=hs.Quiet())
        whole = {name: rows_of(extractor.features(split)) for name, split in dataset.splits().items()}
        compact = Compact.of(whole["train"], CONFIG.feature_spec.block_sizes, seed=seed)
        components = compact(whole["train"])
        scale = components.std()
        features = {name: (compact(each) / scale).astype(np.float64) for name, each in whole.items()}
        decide = fit_decision(Stakes(ordinal=True), names, np.zeros((0, len(names))), np.zeros(0, int))
        for name, fit in FITS.items():
            logits = chosen(fit, features["train"], train.labels, seed)
            temperature = fit_temperature(logits(features["validation"]), dataset.validation.labels)
            found = measure(logits(features["test"]), labels, names, Calibration(temperature, decision=decide))
            ranks = found.stakes and found.stakes.ranks
            if ranks is None:
                raise ValueError("classes that are no ranks")
            most_probable = ranks.kappa_of_most_probable, ranks.distance_of_most_probable
            both = {name: most_probable, f"{name}, median": (ranks.kappa.value, ranks.distance.value)}
            for rule, numbers in both.items():
                rows.setdefault(rule, []).append((*numbers, found.log_loss))
                print(f"{seed:>3} {rule:<20} kappa, MAE, log loss: {rows[rule][-1]}", flush=True)
    for rule, found in rows.items():
        kappa, distance, loss = np.array(found).T
        print(
            f"{rule:<20} kappa {kappa.mean():.4f} ({kappa.min():.3f} to {kappa.max():.3f})  MAE {distance.mean():.4f} "
            f"({distance.min():.3f} to {distance.max():.3f})  log loss {loss.mean():.4f}",
            flush=True,
        )
    better = np.array(rows["softmax, median"]) < np.array(rows["cumulative, median"])
    kappa, distance, loss = better.sum(axis=0)
    print(
        f"softmax, median against cumulative, median: kappa higher in {resamplings - kappa}, MAE lower in {distance}, "
        f"log loss lower in {loss} of {resamplings}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamplings", type=int, default=20)
    parser.add_argument("--of-ranks", type=int, default=5, help="resamplings of the four values as ranks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soft, ranks = tables(Path(folder))
        compare_labels(soft, arguments.resamplings)
        compare_ranks(ranks, arguments.of_ranks)


if __name__ == "__main__":
    main()
