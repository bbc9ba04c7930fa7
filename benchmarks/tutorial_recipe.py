"""How good does the recipe `tutorial` get on the tutorial's own photos?

    python benchmarks/tutorial_recipe.py cats_and_dogs_filtered.zip --seeds 0 1 2

Trains once for each seed, by `headstart train DATA --recipe tutorial`, each as a process of its own, and prints the
validation accuracy after feature extraction (epoch 10) and after fine-tuning (epoch 20), the test accuracy, the seconds
and the peak memory. Asked for: at least 94%, 96% and 96%. Expected: see LOG.md. Some 10 to 20 minutes a seed on two
cores. The seconds are those of the machine at that hour, no comparison.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def train(data: Path, seed: int, out: Path) -> dict:
    """One run: its metrics, and `peak_mb`, the resident memory of its process."""
    command = [sys.executable, "-m", "headstart", "train", str(data), "--recipe", "tutorial", "--out", str(out)]
    process = subprocess.Popen([*command, "--seed", str(seed)])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"headstart train ended with status {os.waitstatus_to_exitcode(status)}")
    return json.loads((out / "metrics.json").read_text("utf-8")) | {"peak_mb": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    columns = ("epoch 10", "epoch 20", "test")
    rows = []
    print(f"{'seed':>4}  {columns[0]:>9}  {columns[1]:>9}  {columns[2]:>9}  {'seconds':>8}  {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            metrics = train(arguments.data, seed, Path(folder, f"seed-{seed}"))
            head, top = (phase["validation"]["accuracy"]["value"] for phase in metrics["phases"])
            rows.append((head, top, metrics["test"]["accuracy"]["value"]))
            shares = "  ".join(f"{share:>9.2%}" for share in rows[-1])
            print(f"{seed:>4}  {shares}  {metrics['seconds']['total']:>8.0f}  {metrics['peak_mb']:>8.0f}", flush=True)
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        print(f"{name}: mean {statistics.mean(values):.2%}, from {min(values):.2%} to {max(values):.2%}")


if __name__ == "__main__":
    main()
