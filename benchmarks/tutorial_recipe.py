"""How good does the recipe `tutorial` get on the tutorial's own photos?

    python benchmarks/tutorial_recipe.py cats_and_dogs_filtered.zip --seeds 0 1 2 --executions cached end_to_end

Trains once for each seed and execution, by `headstart train DATA --recipe tutorial`, each as a process of its own, and
prints the validation accuracy after feature extraction (epoch 10) and after fine-tuning (epoch 20), the test accuracy,
that of validation and test images together (all of the 1,000), the seconds and the peak memory; then the means of each
execution. Asked for: at least 94%, 96% and 96%; both executions within 1 point. Expected: see LOG.md. Some 5 minutes a
seed on two cores, 15 to 30 as a whole. The seconds are those of the machine at that hour, no comparison.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def train(data: Path, seed: int, execution: str, out: Path) -> dict:
    """One run: its metrics, and `peak_mb`, the resident memory of its process."""
    command = [sys.executable, "-m", "headstart", "train", str(data), "--recipe", "tutorial", "--out", str(out)]
    process = subprocess.Popen([*command, "--seed", str(seed), "--execution", execution])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"headstart train ended with status {os.waitstatus_to_exitcode(status)}")
    return json.loads((out / "metrics.json").read_text("utf-8")) | {"peak_mb": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--executions", nargs="+", default=["cached"], choices=["cached", "end_to_end"])
    arguments = parser.parse_args()
    columns = ("epoch 10", "epoch 20", "test", "all held out")
    names = "  ".join(f"{column:>12}" for column in columns)
    print(f"{'seed':>4}  {'execution':>9}  {names}  {'seconds':>8}  {'peak MB':>8}")
    rows: dict[str, list[tuple[float, ...]]] = {execution: [] for execution in arguments.executions}
    with tempfile.TemporaryDirectory() as folder:
        for seed, execution in itertools.product(arguments.seeds, arguments.executions):
            metrics = train(arguments.data, seed, execution, Path(folder, f"{execution}-{seed}"))
            head, top = (phase["validation"]["accuracy"]["value"] for phase in metrics["phases"])
            test, validation = metrics["test"]["accuracy"], metrics["validation"]["accuracy"]
            together = (test["correct"] + validation["correct"]) / (test["count"] + validation["count"])
            rows[execution].append((head, top, test["value"], together))
            shares = "  ".join(f"{share:>12.2%}" for share in rows[execution][-1])
            print(f"{seed:>4}  {execution:>9}  {shares}  {metrics['seconds']['total']:>8.0f}  "
                  f"{metrics['peak_mb']:>8.0f}", flush=True)  # fmt: skip
    for execution, found in rows.items():
        means = "  ".join(f"{statistics.mean(shares):>12.2%}" for shares in zip(*found, strict=True))
        print(f"mean  {execution:>9}  {means}")


if __name__ == "__main__":
    main()
