"""What does it bring to let glibc keep freed memory (allocator.py)?

    python benchmarks/allocator.py --repeats 5

The same work (MobileNetV2 at 160 pixels, batches of 32: `predict`, an epoch with the base frozen, an epoch of
fine-tuning) in fresh processes, in turn with glibc's defaults (GLIBC_TUNABLES is set, so that headstart leaves the
allocator alone) and with headstart's setting. Prints, for each, the median images/s, the share of time in the kernel
and the peak memory, and the median, least and largest ratio of the pairs. Expected: see LOG.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

IMAGES, SIZE = 320, 160


def work() -> dict[str, float]:
    """images/s of each kind of work, and the share of its time that the kernel took, in this process."""
    import resource
    import time

    import numpy as np

    from headstart.models.composing import compose
    from headstart.models.weights import load_base
    from headstart.training import keras_fit
    from headstart.training.keras_fit import unfreeze
    from headstart.training.optimization import compile_for
    from headstart.training.recipes import RECIPES

    base = load_base("mobilenet_v2", SIZE)
    network = compose(base, backbone="mobilenet_v2", image_size=SIZE, num_classes=2, dropout=0.2, seed=0)
    model = keras_fit.TrainableNetwork(network)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, SIZE, SIZE, 3), dtype=np.uint8)
    labels = rng.integers(0, 2, (IMAGES, 1)).astype("float32")
    results = {}

    def measure(name: str, once) -> None:
        once()
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        once()
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        results[name] = IMAGES / seconds
        results[f"{name}, kernel"] = (after.ru_stime - before.ru_stime) / (
            after.ru_stime - before.ru_stime + after.ru_utime - before.ru_utime
        )

    for phase in RECIPES["tutorial"].phases:
        unfreeze(base, "mobilenet_v2", top=phase.unfreeze)
        compile_for(model, phase, steps=1)
        measure(phase.name, lambda: model.fit(images, labels, batch_size=32, verbose=0))
    measure("predict", lambda: network.predict(images, batch_size=32, verbose=0))
    results["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return results


def in_a_process(environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, __file__, "--work"]
    result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(work()))
        return
    pairs = [
        (in_a_process({"GLIBC_TUNABLES": "glibc.malloc.check=0"}), in_a_process({})) for _ in range(arguments.repeats)
    ]
    print(f"{'':<26}  {'default':>8}  {'kept':>8}  ratio: median (least to largest)")
    for name in pairs[0][0]:
        default, kept = (statistics.median(pair[side][name] for pair in pairs) for side in (0, 1))
        ratios = [pair[1][name] / pair[0][name] for pair in pairs]
        unit = ".0%" if "kernel" in name else ".0f"
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{name:<26}  {default:>8{unit}}  {kept:>8{unit}}  {spread}")


if __name__ == "__main__":
    main()
