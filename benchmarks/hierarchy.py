"""In a hierarchy of classes, is the guarantee kept at each level, and what do parents add?

    python benchmarks/hierarchy.py PHOTOS/trashnet PHOTOS/sign_digits PHOTOS/weather --resamplings 100

The classes of three collections are put into sensible parents:

    trashnet      fibre: cardboard, paper; containers: glass, metal, plastic; and trash, alone
    sign_digits   few: 0 to 2 (so many fingers shown), many: 3 to 5, touched: 6 to 9 (the thumb touches a finger)
    weather       grey: cloudy, rain; bright: shine, sunrise

As in promises.py: features once, and in each resampling photos split anew (half for training, a quarter each for
validation and test, copies together), a head solved, temperature and thresholds of classes and parents from the
validation photos, and everything measured on the test photos. Printed for each guaranteed accuracy:

- of the answers by classes, and of those by parents: in how many resamplings there are any; how many of all test photos
  are answered so, on average over all resamplings; how many of these rightly, and in how many resamplings at least the
  guaranteed share;
- in how many resamplings both are as right as guaranteed, or not given.

What a flat classifier answers is what classes answer here; parents add to it. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np
from promises import C, features_of, resampled

from headstart.classifier.calibration import fit_calibration, with_hierarchy
from headstart.evaluation.answered import AccuracyGuarantee
from headstart.evaluation.hierarchy import measure_hierarchy
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
    of_class, labels = PARENTS[data.name], images.labels
    names = tuple(f"{of_class[name]}/{name}" if name in of_class else name for name in images.class_names)
    rows: dict[float, list[tuple[AccuracyGuarantee | None, AccuracyGuarantee | None]]] = {}
    for seed in range(resamplings):
        train, validation, test = resampled(copies, seed)
        head = linear_head.solve([features[train]], labels[train], len(names), seed=seed, C=C)
        logits = head.logits(features[validation])
        calibration = with_hierarchy(fit_calibration(logits, labels[validation]), names, logits, labels[validation])
        of_test = calibration.probabilities(head.logits(features[test]))
        metrics = measure_hierarchy(calibration, names, of_test, labels[test])
        for accuracy in ACCURACIES:
            found = metrics and metrics.answers.get(f"{accuracy:g}")
            rows.setdefault(accuracy, []).append((found.classes, found.parents[0]) if found else (None, None))
    for accuracy, pairs in rows.items():
        classes, parents = ([pair[level] for pair in pairs] for level in (0, 1))
        both = sum(_is_kept(one, accuracy) and _is_kept(other, accuracy) for one, other in pairs)
        print(
            f"{data.name:<12} {accuracy:<5g} by classes {_in_words(classes, accuracy)}; by parents "
            f"{_in_words(parents, accuracy)}; both kept, or not given, in {both} of {resamplings}",
            flush=True,
        )


def _is_kept(found: AccuracyGuarantee | None, accuracy: float) -> bool:
    return found is None or found.accuracy is None or found.accuracy.value >= accuracy


def _in_words(found: list[AccuracyGuarantee | None], accuracy: float) -> str:
    shares = [each.answered.value if each else 0.0 for each in found]
    given = [each for each in found if each and each.accuracy]
    if not given:
        return "none"
    right = np.mean([each.accuracy.value for each in given if each.accuracy])
    kept = sum(_is_kept(each, accuracy) for each in given)
    return f"in {len(given)}, {np.mean(shares):.1%}, {right:.1%} rightly, kept in {kept}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path, help=f"folders named {', '.join(PARENTS)}")
    parser.add_argument("--resamplings", type=int, default=100)
    arguments = parser.parse_args()
    for data in arguments.data:
        look(data, arguments.resamplings)


if __name__ == "__main__":
    main()
