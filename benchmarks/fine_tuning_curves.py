"""Does fine-tuning improve from the first epoch on? Draws the losses of runs, epoch by epoch, from their history.csv.

    headstart train solar-cells --out runs/now --fine-tune always
    python benchmarks/fine_tuning_curves.py "24 epochs, before"=runs/before "8 epochs"=runs/now --out losses.png

Each run is drawn over the seconds of its fine-tuning, from the solved head on, with the loss of its training and its
validation images. Prints the largest training loss against that of the head's.
"""

import argparse
import csv
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np


def curve(run: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds since the head was solved, training losses, validation losses; the head's at 0."""
    with (run / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first = next(number for number, row in enumerate(rows) if row["phase"] == "fine_tuning")
    rows = rows[first - 1 :]
    seconds = np.cumsum([0.0, *(float(row["seconds"]) for row in rows[1:])])
    losses = (np.array([float(row[name]) for row in rows]) for name in ("loss", "val_loss"))
    return seconds, *losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to draw into")
    arguments = parser.parse_args()
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for number, (name, _, run) in enumerate(each.partition("=") for each in arguments.runs):
        seconds, training, validation = curve(Path(run))
        axes.plot(seconds, training, color=f"C{number}", marker=".", label=f"{name}: training")
        axes.plot(seconds, validation, color=f"C{number}", marker=".", linestyle="--", label=f"{name}: validation")
        print(
            f"{name}: {len(seconds) - 1} epochs, {seconds[-1]:.0f} s; training loss of the head {training[0]:.3f}, at "
            f"most {training[1:].max():.3f}, in the end {training[-1]:.3f}; validation {validation[0]:.3f}, least "
            f"{validation.min():.3f}, in the end {validation[-1]:.3f}"
        )
    axes.set(xlabel="seconds of fine-tuning, from the solved head on", ylabel="loss (cross-entropy)", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(arguments.out, dpi=120)


if __name__ == "__main__":
    main()
