"""Several labels per photo: how good are the heads, against a plain baseline, and what do they cost against one class?

    python benchmarks/multi_label.py make weather collection                      # from class folders
    python benchmarks/multi_label.py measure collection/labels.csv --draws 3      # mean average precision, F1, ...
    python benchmarks/multi_label.py speed collection/labels.csv --draws 3        # seconds, against one class a photo
    python benchmarks/multi_label.py promises collection/labels.csv --draws 50    # how often are promises kept?

`make` puts the middles of photos of two classes side by side in one square, for which both labels are right, and leaves
other photos whole; the last class is no label: alone, such a photo shows nothing that is looked for. Each photo is used
once.

`measure`: headstart's heads (all depths, a C for each label, calibrated) and two baselines of scikit-learn,
OneVsRestClassifier(LogisticRegression) on the last layer alone, standardised: with C = 1, and with the C of a grid
search by log loss. Each draw has splits of its own. Figures are of test photos: means over the draws, and deviations.

`speed`: seconds until the heads of all labels are solved (weight of the depths, C of each label, the solution), against
the head of as many exclusive classes, and of as many as there are combinations of labels, on the same features. All in
turn, in one process: the ratio counts.

`promises`: a recall of 0.9 and a precision of 0.9 are promised for each label on validation photos; on test photos, how
often are they kept? At least 90% is what is claimed.
"""

import argparse
import csv
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import headstart as hs
from headstart.classifier.label_calibration import LabelCalibration, fit_label_calibration, fit_scaling
from headstart.classifier.stakes import Stakes
from headstart.data import stratification
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.label_heads import solve_labels
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import DEFAULT, get_backbone

SPEC = FeatureSpec(DEFAULT, get_backbone(DEFAULT).image_size, depths=True)
SIDE = 256  # pixels of a picture


def make(folder: Path, out: Path, seed: int) -> None:
    """out: a new folder, for the photos and labels.csv."""
    rng = np.random.default_rng(seed)
    classes = sorted(each.name for each in folder.iterdir() if each.is_dir())
    photos = {name: rng.permutation(sorted(map(str, folder.joinpath(name).iterdir()))).tolist() for name in classes}
    nothing, rows = classes[-1], []
    out.mkdir(parents=True)
    pairs = list(combinations(classes, 2))
    each = min(map(len, photos.values())) // len(classes)  # of each pair, so that about half of the photos stay alone
    shown = [(pair, [photos[name].pop() for name in pair]) for pair in pairs for _ in range(each)]
    shown += [((name,), [file]) for name in classes for file in photos[name]]
    for number, place in enumerate(rng.permutation(len(shown))):
        names, files = shown[place]
        picture, width = Image.new("RGB", (SIDE, SIDE)), SIDE // len(names)
        for at, file in enumerate(rng.permutation(files)):
            picture.paste(ImageOps.fit(Image.open(file).convert("RGB"), (width, SIDE)), (width * at, 0))
        picture.save(out / f"{number:04}.jpg", quality=92)
        rows.append((f"{number:04}.jpg", "|".join(name for name in names if name != nothing)))
    with (out / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "labels"), *rows])
    print(f"{len(rows):,} photos, labels {', '.join(classes[:-1])}; '{nothing}' is no label")


class Drawn:
    """A split of the collection, and the features of its photos: train, validation, test."""

    def __init__(self, table: Path, seed: int) -> None:
        data = hs.load_dataset(hs.DataSource(table, multi_label=True), seed=seed, listener=hs.Quiet())
        extractor = FeatureExtractor(SPEC, listener=hs.Quiet())
        self.data, self.names = data, data.class_names
        self.features = [rows_of(extractor.features(split))[:] for split in data.splits().values()]
        self.targets = [split.targets.values for split in data.splits().values()]


def figures(probabilities: np.ndarray, answers: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    return {
        "mAP": float(average_precision_score(targets, probabilities, average="macro")),
        "F1 micro": float(f1_score(targets, answers, average="micro")),
        "F1 macro": float(f1_score(targets, answers, average="macro")),
        "exactly right": float((answers == targets).all(axis=1).mean()),
        "log loss": float(
            np.mean([log_loss(t, p, labels=[0, 1]) for t, p in zip(targets.T, probabilities.T, strict=True)])
        ),
    }


def of_headstart(drawn: Drawn, seed: int) -> dict[str, float]:
    (train, validation, test), (fitted, held_out, asked) = drawn.features, drawn.targets
    heads = solve_labels([train], SPEC.block_sizes, fitted, seed=seed, photos=drawn.data.train.photos)
    calibration, scaled = calibrated(drawn, heads.logits(validation), held_out, heads.logits(test))
    probabilities = calibration.probabilities(scaled)
    return figures(probabilities, calibration.answers(probabilities), asked > 0)


def calibrated(
    drawn: Drawn, logits: np.ndarray, held_out: np.ndarray, of_test: np.ndarray, stakes: Stakes | None = None
) -> tuple[LabelCalibration, np.ndarray]:
    """On validation photos; and the scaled logits of test photos."""
    scaling = fit_scaling(logits, held_out)
    found = fit_label_calibration(scaling(logits), held_out > 0, drawn.names, scaling, stakes=stakes)
    return found, scaling(of_test)


def of_baseline(drawn: Drawn, *, searches: bool) -> dict[str, float]:
    last = SPEC.block_sizes[0]
    (train, _, test), (fitted, _, asked) = drawn.features, drawn.targets
    regression = LogisticRegression(max_iter=2_000)
    if searches:
        regression = GridSearchCV(regression, {"C": np.logspace(-4, 1, 6)}, scoring="neg_log_loss")
    model = make_pipeline(StandardScaler(), OneVsRestClassifier(regression))
    model.fit(train[:, :last], fitted.astype(int))
    probabilities = model.predict_proba(test[:, :last])
    return figures(probabilities, probabilities >= 0.5, asked > 0)


def measure(table: Path, draws: int) -> None:
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(draws):
        drawn = Drawn(table, seed)
        for name, numbers in (
            ("headstart", of_headstart(drawn, seed)),
            ("baseline, C = 1", of_baseline(drawn, searches=False)),
            ("baseline, C by search", of_baseline(drawn, searches=True)),
        ):
            found.setdefault(name, []).append(numbers)
            print(seed, name, {key: round(value, 4) for key, value in numbers.items()}, flush=True)
    for name, rows in found.items():
        print(
            name,
            {key: f"{np.mean([r[key] for r in rows]):.4f} +- {np.std([r[key] for r in rows]):.4f}" for key in rows[0]},
        )


def speed(table: Path, rounds: int) -> None:
    drawn = Drawn(table, 0)
    train, photos, targets = drawn.features[0], drawn.data.train.photos, drawn.targets[0]
    _, combination = np.unique(targets, axis=0, return_inverse=True)
    one_of = targets.argmax(axis=1)  # as many classes as labels
    for _ in range(rounds):
        times = []
        for solve in (
            lambda: solve_labels([train], SPEC.block_sizes, targets, seed=0, photos=photos),
            lambda: solve_depths([train], SPEC.block_sizes, one_of, targets.shape[1], seed=0, photos=photos),
            lambda: solve_depths([train], SPEC.block_sizes, combination, combination.max() + 1, seed=0, photos=photos),
        ):
            start = time.perf_counter()
            solve()
            times.append(time.perf_counter() - start)
        labels, classes, combined = times
        print(f"{labels:.2f} s for {targets.shape[1]} labels; ratio to as many classes {labels / classes:.2f}, to "
              f"{combination.max() + 1} combinations {labels / combined:.2f}", flush=True)  # fmt: skip


def promises(table: Path, draws: int) -> None:
    drawn = Drawn(table, 0)
    features, targets = np.concatenate(drawn.features), np.concatenate(drawn.targets)
    photos = np.arange(len(targets))
    kept: dict[str, list[bool]] = {"recall": [], "precision": []}
    for seed in range(draws):
        held_out = stratification.draw_share(targets > 0, photos, 0.6, seed)
        test = held_out & stratification.draw_share(targets > 0, photos, 0.5, seed + 1_000)
        validation = held_out & ~test
        heads = solve_labels([features[~held_out]], SPEC.block_sizes, targets[~held_out], seed=seed)
        logits = heads.logits(features[validation])
        for what in kept:
            stakes = replace(Stakes(), **{what: dict.fromkeys(drawn.names, 0.9)})
            found, scaled = calibrated(drawn, logits, targets[validation], heads.logits(features[test]), stakes)
            answers, asked = found.answers(found.probabilities(scaled)), targets[test] > 0
            for promise in (*found.recall, *found.precision):
                if promise.is_given:
                    k = drawn.names.index(promise.label)
                    of = asked[:, k] if what == "recall" else answers[:, k]
                    kept[what].append(bool((answers & asked)[of, k].mean() >= 0.9))
    for what, each in kept.items():
        print(f"{what}: {len(each)} promises, kept {np.mean(each):.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    of_task = parser.add_subparsers(dest="task", required=True)
    task = of_task.add_parser("make")
    task.add_argument("folder", type=Path)
    task.add_argument("out", type=Path)
    task.add_argument("--seed", type=int, default=0)
    for name in ("measure", "speed", "promises"):
        task = of_task.add_parser(name)
        task.add_argument("table", type=Path)
        task.add_argument("--draws", type=int, default=3)
    given = parser.parse_args()
    if given.task == "make":
        make(given.folder, given.out, given.seed)
    else:
        {"measure": measure, "speed": speed, "promises": promises}[given.task](given.table, given.draws)
