"""How accurate is the recipe `fast`, over several seeds, collections and bases?

    python benchmarks/accuracy.py trashnet.zip covid_xray.zip weather.zip solar-cells --seeds 5
    python benchmarks/accuracy.py solar-cells --recipes last head auto always --backbones mobilenet_v2

A collection is a folder, a zip, or "solar-cells" for those of `elpv-dataset`. One with train/ and validation/ is
measured on its validation images, all of them. Of any other, each seed holds out a quarter for the test, class by
class; validation images, by which fine-tuning is kept or not, are a twentieth of all, drawn from the rest.

Recipes: "last": the head alone, on the last layer; "head": the head alone, on every depth; "auto", "always": with
fine-tuning, kept if it helps or in any case. Prints a line for each: mean and standard deviation over the seeds of the
accuracy, mean loss (calibrated), the same averaged over the views that the head was trained on, how often these were
more than the original, how often fine-tuning was kept, and the seconds, in which features of runs before are not
counted. Expected: see LOG.md.
"""

import argparse
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.data.views import ORIGINAL
from headstart.evaluation.metrics import measure
from headstart.training.config import TrainingConfig
from headstart.training.recipes import SolvedHead
from headstart.training.trainer import train_classifier

FAST = hs.RECIPES["fast"]
RECIPES = {
    "last": replace(FAST.without_fine_tuning(), head=SolvedHead(depths=False)),
    "head": FAST.without_fine_tuning(),
    "auto": FAST,
    "always": FAST.always_fine_tuned(),
}


def dataset(data: Path, seed: int) -> hs.Dataset:
    if (data / "validation").is_dir():
        return hs.load_dataset(data, seed=seed, test_fraction=0, listener=hs.Quiet())
    return hs.load_dataset(data, seed=seed, test_fraction=0.25, validation_fraction=0.05, listener=hs.Quiet())


def measured(images: hs.Dataset, config: TrainingConfig) -> tuple[list[float], str]:
    """Accuracy, loss; the same averaged over views; whether there are several, whether fine-tuned, seconds. And the
    resizing."""
    start = time.perf_counter()
    trained = train_classifier(images, config, listener=hs.Quiet())
    seconds = time.perf_counter() - start
    split = images.test if len(images.test) else images.validation
    calibration = trained.classifier.calibration
    views = trained.views or (ORIGINAL,)
    logits = [trained.logits(split, view) for view in views]
    found = [measure(each, split.labels, images.class_names, calibration) for each in (logits[0], np.mean(logits, 0))]
    phases = trained.classifier.phases
    kept = len(phases) > 1 and phases[-1]["kept"]
    numbers = [x for each in found for x in (each.accuracy.value, each.loss)]
    return [*numbers, len(views) > 1, kept, seconds], trained.classifier.resizing


def told(asked: str, chosen: list[str]) -> str:
    """How photos became squares; of several ways, how often each."""
    if asked != "auto":
        return asked
    return "auto: " + ", ".join(f"{count} {name}" for name, count in Counter(chosen).most_common())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=["last", "head"])
    parser.add_argument("--backbones", nargs="+", default=["efficientnet_lite0", "mobilenet_v2"])
    parser.add_argument("--resize", nargs="+", default=["stretch"], help="how photos become squares")
    parser.add_argument("--precision", default="float32")
    arguments = parser.parse_args()
    print("| collection | backbone | recipe | resize | accuracy | loss | views averaged | loss | views | kept | s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for collection in arguments.collections:
        path = get_solar_cells() if collection == "solar-cells" else Path(collection)
        for backbone in arguments.backbones:
            for resizing in arguments.resize:
                for name in arguments.recipes:
                    rows, resizings = [], []
                    for seed in range(arguments.seeds):
                        config = TrainingConfig.of(
                            recipe=RECIPES[name], backbone=backbone, resizing=resizing, seed=seed,
                            precision=arguments.precision,
                        )  # fmt: skip
                        numbers, chosen = measured(dataset(path, seed), config)
                        rows.append(numbers)
                        resizings.append(chosen)
                    mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
                    print(
                        f"| {path.stem} | {backbone} | {name} | {told(resizing, resizings)} "
                        f"| {100 * mean[0]:.1f} ± {100 * spread[0]:.1f} | {mean[1]:.3f} "
                        f"| {100 * mean[2]:.1f} ± {100 * spread[2]:.1f} | {mean[3]:.3f} "
                        f"| {mean[4]:.0%} | {mean[5]:.0%} | {np.median(rows, axis=0)[6]:.1f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
