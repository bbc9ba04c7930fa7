"""How accurate is the recipe `fast`, its head alone and with fine-tuning, over several seeds?

    python benchmarks/accuracy.py cats_and_dogs_filtered --seeds 0 1 2 3 4 --fine-tune auto always
    python benchmarks/accuracy.py solar-cells --seeds 0 1 2 3 4

A collection with train/ and validation/ is measured on its validation images, all of them. Of any other, and of the
solar cells of `elpv-dataset`, each seed holds out a quarter for the test, class by class; validation images, by which
fine-tuning is kept or not, are a tenth of all, drawn from the rest. Prints of each seed the accuracy and the loss of
the head alone and of the whole recipe, whether fine-tuning was kept, and the means. `--fine-tune` without a word: the
head alone. Expected: see LOG.md.
"""

import argparse
import statistics
import time
from pathlib import Path

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.evaluation.metrics import measure
from headstart.training.config import TrainingConfig
from headstart.training.trainer import train_classifier


def dataset(data: Path, seed: int) -> hs.Dataset:
    if (data / "validation").is_dir():
        return hs.load_dataset(data, seed=seed, test_fraction=0, listener=hs.Quiet())
    return hs.load_dataset(data, seed=seed, test_fraction=0.25, validation_fraction=0.1, listener=hs.Quiet())


def measured(images: hs.Dataset, recipe: hs.Recipe, seed: int) -> tuple[float, float, bool, float]:
    """Accuracy and loss on the test (or else the validation) images, whether the last phase was kept, seconds."""
    start = time.perf_counter()
    settings = TrainingConfig.of(
        recipe=recipe, backbone="mobilenet_v2", image_size=None, resizing="stretch", weights="pretrained", seed=seed,
        execution="cached", precision="float32",
    )  # fmt: skip
    trained = train_classifier(images, settings, listener=hs.Quiet())
    split = images.test if len(images.test) else images.validation
    found = measure(trained.logits(split), split.labels, images.class_names)
    phases = trained.classifier.phases
    kept = len(phases) > 1 and phases[-1]["kept"]
    return found.accuracy.value, found.loss, kept, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a collection as `headstart train` takes it, or solar-cells")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--fine-tune", nargs="*", choices=["auto", "always"], default=["auto"])
    arguments = parser.parse_args()
    path = get_solar_cells() if arguments.data == "solar-cells" else Path(arguments.data)
    fast = hs.RECIPES["fast"]
    recipes = {"head": fast.without_fine_tuning(), "auto": fast, "always": fast.always_fine_tuned()}
    recipes = {name: recipes[name] for name in ("head", *arguments.fine_tune)}
    rows: dict[str, list[tuple[float, float, bool, float]]] = {name: [] for name in recipes}
    for seed in arguments.seeds:
        images = dataset(path, seed)
        for name, recipe in recipes.items():
            accuracy, loss, kept, seconds = measured(images, recipe, seed)
            rows[name].append((accuracy, loss, kept, seconds))
            note = "" if name == "head" else f"fine-tuning {'kept' if kept else 'not kept'}"
            print(f"seed {seed}  {name:<6}  {accuracy:.2%}  loss {loss:.4f}  {seconds:6.1f} s  {note}", flush=True)
    for name, found in rows.items():
        shares, losses = [row[0] for row in found], [row[1] for row in found]
        least, mean, largest = min(shares), statistics.mean(shares), max(shares)
        print(f"mean    {name:<6}  {mean:.2%} ({least:.2%} to {largest:.2%})  loss {statistics.mean(losses):.4f}")


if __name__ == "__main__":
    main()
