"""Is what a parent promises kept as often as it says, and what do parents add?

    python benchmarks/hierarchy.py PHOTOS/trashnet PHOTOS/sign_digits PHOTOS/weather --resamplings 100

The classes of three collections are put into sensible parents:

    trashnet      fibre: cardboard, paper; containers: glass, metal, plastic; and trash, alone
    sign_digits   few: 0 to 2 (so many fingers shown), many: 3 to 5, touched: 6 to 9 (the thumb touches a finger)
    weather       grey: cloudy, rain; bright: shine, sunrise

As in promises.py: features once, and in each resampling photos split anew (half for training, a quarter each for
validation and test, copies together), a head solved, temperature and thresholds of classes and parents from the
validation photos, and everything measured on the test photos. For each guaranteed accuracy:

- classes, parents: how many of all test photos are answered so, and how many of these rightly, on average;
- kept: in what share of the resamplings at least the promised share of them is right on the test photos, where at least
  one is answered so. On a test of few photos chance alone leads below the promised share more often than the true share
  is below: `expected` is what the share of resamplings would be if the true accuracy were distributed as the bound
  supposes (hits among m test photos beta-binomial (m, k, n - k + 1) for k of n validation photos rightly answered, in
  the set whose bound was the least that is allowed);
- both: kept by classes and by parents in the same resampling.

What a flat classifier answers is the column `classes`; what parents add, the column `parents`. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np
from promises import C, features_of, resampled
from scipy.stats import betabinom

from headstart.classifier.calibration import Calibration, fit_calibration, with_hierarchy
from headstart.classifier.decision import NEVER
from headstart.features import linear_head

ACCURACIES = (0.9, 0.95, 0.98, 0.99)
PARENTS = {
    "trashnet": dict.fromkeys(("cardboard", "paper"), "fibre")
    | dict.fromkeys(("glass", "metal", "plastic"), "containers"),
    "sign_digits": {str(digit): ("few", "many", "touched")[(digit > 2) + (digit > 5)] for digit in range(10)},
    "weather": {"cloudy": "grey", "rain": "grey", "shine": "bright", "sunrise": "bright"},
}  # fmt: skip


def look(data: Path, resamplings: int) -> None:
    images, features, copies = features_of(data)
    of_class = PARENTS[data.name]
    names = tuple(f"{of_class[name]}/{name}" if name in of_class else name for name in images.class_names)
    rows: dict[float, list[tuple[float, ...]]] = {accuracy: [] for accuracy in ACCURACIES}
    for seed in range(resamplings):
        train, validation, test = resampled(copies, seed)
        head = linear_head.solve([features[train]], images.labels[train], len(names), seed=seed, C=C)
        logits, labels = head.logits(features[validation]), images.labels[validation]
        calibration = with_hierarchy(fit_calibration(logits, labels), names, logits, labels)
        of_test = head.logits(features[test])
        for accuracy in ACCURACIES:
            rows[accuracy].append(
                (
                    *measured(calibration, names, accuracy, logits, labels, of_test, images.labels[test], level=0),
                    *measured(calibration, names, accuracy, logits, labels, of_test, images.labels[test], level=1),
                )
            )
    for accuracy, found in rows.items():
        table = np.array(found)
        given = [int((table[:, column] > 0).sum()) for column in (0, 4)]
        both = table[~np.isnan(table[:, 2]) & ~np.isnan(table[:, 6])]
        with np.errstate(invalid="ignore"):
            mean = [float(np.nanmean(column)) if not np.isnan(column).all() else np.nan for column in table.T]
        kept_both = (both[:, 2] * both[:, 6]).mean() if len(both) else np.nan
        print(
            f"{data.name:<12} {accuracy:<5g} classes: in {given[0]:>3} of {resamplings}, {mean[0]:6.1%} answered, "
            f"{mean[1]:.1%} rightly, kept {mean[2]:.0%} (expected {mean[3]:.0%}) | parents: in {given[1]:>3}, "
            f"{mean[4]:5.1%} answered, {mean[5]:.1%} rightly, kept {mean[6]:.0%} (expected {mean[7]:.0%}) | both kept "
            f"{kept_both:.0%} of {len(both)}",
            flush=True,
        )


def measured(
    calibration: Calibration,
    names: tuple[str, ...],
    accuracy: float,
    logits: np.ndarray,
    labels: np.ndarray,
    of_test: np.ndarray,
    right: np.ndarray,
    *,
    level: int,
) -> tuple[float, float, float, float]:
    """Of the test photos that are answered at a level (0: by a class): their share, how many rightly, whether the
    promise is kept, and how probably it would be by chance; NaN where none is answered."""
    count, hits = answered(calibration, names, accuracy, of_test, right, level)
    seen, found = answered(calibration, names, accuracy, logits, labels, level)
    if not count:
        return 0.0, np.nan, np.nan, np.nan
    needed = int(np.ceil(accuracy * count - 1e-9))
    by_chance = betabinom.sf(needed - 1, count, found, seen - found + 1) if found else np.nan
    return count / len(right), hits / count, float(hits >= needed), by_chance


def answered(
    calibration: Calibration,
    names: tuple[str, ...],
    accuracy: float,
    logits: np.ndarray,
    labels: np.ndarray,
    level: int,
) -> tuple[int, int]:
    """How many photos are answered at a level, and how many of these rightly."""
    tree, probabilities = calibration.hierarchy, calibration.probabilities(logits)
    assert tree is not None  # all three collections have parents
    answers = probabilities.argmax(axis=1)
    is_sure = probabilities.max(axis=1) >= calibration.accuracy.get(accuracy, NEVER)
    levels = tree.answered(probabilities, answers, is_sure, accuracy)
    given = is_sure if level == 0 else levels == level
    is_right = answers == labels if level == 0 else tree.is_right(answers, labels, level)
    return int(given.sum()), int(is_right[given].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help=f"folders named {', '.join(PARENTS)}")
    parser.add_argument("--resamplings", type=int, default=100)
    arguments = parser.parse_args()
    for data in arguments.data:
        look(data, arguments.resamplings)


if __name__ == "__main__":
    main()
