"""How accurate after how many seconds: a head on the last layer, a head on every depth, and fine-tuning?

    python benchmarks/accuracy_over_seconds.py trashnet.zip covid_xray.zip sign_digits.zip weather.zip solar-cells \
        --photos 600 --picture docs/depths_over_seconds.png

A collection is a folder, a zip, or "solar-cells"; of large ones --photos are drawn. A quarter is held out and answered
after the head, and after each epoch of a fine-tuning from the last layer's head, which is not stopped before its
end. Nothing is kept from one training to the next, so the seconds include reading the photos and the engine; imports
and the pictures of a run are not in them. Draws a panel for each collection. Expected: see LOG.md.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import headstart as hs
from headstart.data.samples import get_solar_cells
from headstart.training.config import TrainingConfig
from headstart.training.recipes import SolvedHead
from headstart.training.trainer import train_classifier

FAST = hs.RECIPES["fast"]
LAST = replace(FAST, head=SolvedHead(depths=False))
WAYS = {
    "head on the last layer": (LAST.without_fine_tuning(), "#767676", "o"),
    "head on every depth": (FAST.without_fine_tuning(), "#D55E00", "D"),
    "fine-tuning, from the last layer's head": (LAST.always_fine_tuned(), "#0072B2", "s"),
}
Points = list[tuple[float, float]]


def points(data: hs.Dataset, recipe: hs.Recipe) -> Points:
    """Seconds since the start, and the accuracy on validation images, after the head and each epoch."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["HEADSTART_CACHE"] = cache
        start = time.perf_counter()
        trained = train_classifier(data, TrainingConfig.of(recipe=recipe), listener=hs.Quiet())
        at = time.perf_counter() - start
    history = trained.classifier.history
    found = []
    for row in reversed(history):
        found.append((at, float(row["val_accuracy"])))
        at -= float(row["seconds"])
    return found[::-1]


def draw(found: dict[str, dict[str, Points]], file: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    figure = Figure(figsize=(10, 5.6), layout="constrained")
    panels = figure.subplots(2, 3).flat
    for axes, (collection, ways) in zip(panels, found.items(), strict=False):
        for name, reached in ways.items():
            _, colour, marker = WAYS[name]
            seconds, shares = zip(*reached, strict=True)
            axes.plot(seconds, [100 * share for share in shares], color=colour, marker=marker, markersize=4, label=name)
        axes.set_xscale("log")
        axes.set_xlim(5, 300)
        axes.xaxis.set_major_locator(FixedLocator([10, 30, 100, 300]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(collection, fontsize=10)
        axes.set_xlabel("seconds")
        axes.set_ylabel("accuracy, %")
        axes.grid(alpha=0.3)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    for axes in list(figure.axes)[len(found) :]:
        axes.axis("off")
        axes.legend(handles, labels, loc="center", frameon=False)
        handles, labels = [], []
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    found: dict[str, dict[str, Points]] = {}
    for collection in arguments.collections:
        path = get_solar_cells() if collection == "solar-cells" else Path(collection)
        data = hs.load_dataset(path, validation_fraction=0.25, test_fraction=0, listener=hs.Quiet())
        if len(data) > arguments.photos:
            data = data.sample(arguments.photos, seed=0)
        ways = found.setdefault(f"{path.stem.replace('_', ' ')}, {len(data.train)} training photos", {})
        for name, (recipe, _, _) in WAYS.items():
            ways[name] = points(data, recipe)
            told = ", ".join(
                f"{share:.1%} after {seconds:.0f} s" for seconds, share in ways[name][:: max(1, len(ways[name]) // 4)]
            )
            seconds, best = max(ways[name], key=lambda point: point[1])
            print(f"{path.stem}, {name}: {told}; best {best:.1%} after {seconds:.0f} s", flush=True)
    if arguments.picture:
        draw(found, arguments.picture)


if __name__ == "__main__":
    main()
