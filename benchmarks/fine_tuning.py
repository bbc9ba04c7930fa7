"""What does fine-tuning gain over the head, is `auto` right about it, and does the training loss ever rise?

    python benchmarks/fine_tuning.py trashnet.zip covid_xray.zip sign_digits.zip weather.zip solar-cells --seeds 5

A collection is a folder, a zip, or "solar-cells" for those of `elpv-dataset`. One with train/ and validation/ is
measured on its validation images; of any other, each seed holds out a quarter for the test and --validation of all for
validation, both class by class. Each seed is trained three times: the head alone, `--fine-tune auto`, `always`.

Prints a line for each collection: accuracy and calibrated loss of the three (means); how often `auto` was fine-tuned,
and how often it was right: that is when `always` has the lower test loss and `auto` is fine-tuned, or the higher one
and it is not; in brackets, how often it was wrong beyond chance (two standard errors of the paired losses). At last the
largest training loss of an epoch of `always` as a ratio to that of the head in the same views, and the median seconds
of fine-tuning, without its features. Expected: see LOG.md.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.evaluation.metrics import measure
from headstart.numerics import cross_entropies
from headstart.training.config import TrainingConfig
from headstart.training.trained import Trained
from headstart.training.trainer import train_classifier

FAST = hs.RECIPES["fast"]
RECIPES = {"head": FAST.without_fine_tuning(), "auto": FAST, "always": FAST.always_fine_tuned()}


@dataclass(frozen=True)
class Outcome:
    """Of one training. losses: calibrated, of each test image. rise: see above; 0 without a fine-tuning."""

    correct: np.ndarray
    losses: np.ndarray
    fine_tuned: bool
    rise: float
    seconds: float


def dataset(data: Path, seed: int, validation: float) -> hs.Dataset:
    if (data / "validation").is_dir():
        return hs.load_dataset(data, seed=seed, test_fraction=0, listener=hs.Quiet())
    return hs.load_dataset(data, seed=seed, test_fraction=0.25, validation_fraction=validation, listener=hs.Quiet())


def outcome(images: hs.Dataset, trained: Trained) -> Outcome:
    split = images.test if len(images.test) else images.validation
    found = measure(trained.logits(split), split.labels, images.class_names, trained.classifier.calibration)
    rows = trained.classifier.history
    tuned = [row for row in rows if row["phase"] == "fine_tuning"]
    rise = max((row["loss"] for row in tuned), default=0) / rows[0]["loss"]
    seconds = sum(row["seconds"] for row in tuned)
    losses = cross_entropies(np.log(np.maximum(found.probabilities, 1e-12)), split.labels)
    return Outcome(found.correct, losses, trained.fine_tuned, rise, seconds)


def judged(head: Outcome, auto: Outcome, always: Outcome) -> tuple[bool, bool]:
    """Whether `auto` was right, and whether it was wrong beyond chance."""
    gain = head.losses - always.losses
    right = (gain.mean() > 0) == auto.fine_tuned
    return right, not right and abs(gain.mean()) > 2 * gain.std() / np.sqrt(len(gain))


def line(name: str, seeds: Sequence[dict[str, Outcome]]) -> str:
    cells = [name]
    for recipe in RECIPES:
        accuracies = [100 * each[recipe].correct.mean() for each in seeds]
        loss = np.mean([each[recipe].losses.mean() for each in seeds])
        cells.append(f"{np.mean(accuracies):.1f} ± {np.std(accuracies):.1f} ({loss:.3f})")
    words = [judged(**each) for each in seeds]
    cells += [
        f"{sum(each['auto'].fine_tuned for each in seeds)}",
        f"{sum(right for right, _ in words)} ({sum(wrong for _, wrong in words)})",
        f"{max(each['always'].rise for each in seeds):.2f}",
        f"{np.median([each['always'].seconds for each in seeds]):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--validation", type=float, default=0.15, help="fraction of all images (default: %(default)s)")
    arguments = parser.parse_args()
    print("| collection | head | auto | always | fine-tuned | right (wrong beyond chance) | largest loss | s |")
    print("|---|---|---|---|---|---|---|---|")
    for collection in arguments.collections:
        path = get_solar_cells() if collection == "solar-cells" else Path(collection)
        seeds = []
        for seed in range(arguments.seeds):
            images = dataset(path, seed, arguments.validation)
            trained = {
                name: train_classifier(images, TrainingConfig.of(recipe=recipe, seed=seed), listener=hs.Quiet())
                for name, recipe in RECIPES.items()
            }
            seeds.append({name: outcome(images, each) for name, each in trained.items()})
        print(line(path.stem, seeds), flush=True)


if __name__ == "__main__":
    main()
