"""What does a classifier need of a microcontroller, by the width of MobileNetV2 and the size of its photos?

    python benchmarks/small_devices.py DATA --out FOLDER [--sizes 96 160]

Heads are trained on DATA on bases of random weights, on which the numbers do not depend, if only activations keep their
scale from layer to layer; and exported to LiteRT in int8 with a fixed size into FOLDER. Prints for each the
multiplications, the size of the file, and the RAM, measured in TensorFlow Lite Micro.
Needs headstart[export,micro,tune]. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import numpy as np

import headstart as hs
from headstart.data.tables import write_splits
from headstart.export.proof import Tolerance
from headstart.models.weights import RANDOM, load_base

WIDTHS = ("mobilenet_v2_035", "mobilenet_v2_050", "mobilenet_v2")


def random_weights(backbone: str, size: int, file: Path) -> Path:
    """Kernels by which activations keep their scale (He et al., 2015)."""
    base, rng = load_base(backbone, size, RANDOM), np.random.default_rng(0)
    for variable in base.weights:
        if "kernel" in variable.path:
            inputs = np.prod(variable.shape[:2] if "depthwise" in variable.path else variable.shape[:-1])
            variable.assign(rng.normal(0, np.sqrt(2 / inputs), variable.shape))
    base.save_weights(file)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 160])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    data = hs.load_dataset(arguments.data, listener=hs.Quiet())
    splits = {"train": data.train, "validation": data.validation}
    rows = [
        (path, data.class_names[label], name, digest)
        for name, split in splits.items()
        for path, label, digest in zip(split.paths, split.labels, split.digests, strict=True)
    ]
    print("backbone          pixels  million multiplications  file, MB  RAM, MB")
    for size in arguments.sizes:
        for backbone in WIDTHS:
            run = arguments.out / f"{backbone}-{size}"
            recipe = hs.RECIPES["fast"].without_fine_tuning()
            weights = random_weights(backbone, size, arguments.out / f"{backbone}.weights.h5")
            settings = {"recipe": recipe, "backbone": backbone, "weights": weights, "image_size": size}
            hs.train(data, listener=hs.Quiet(), **settings).save(run)
            write_splits(run / "splits.csv", rows)
            out = arguments.out / f"{backbone}-{size}.tflite"
            given = {"format": "litert", "quantize": "int8", "fixed_size": True, "tolerance": Tolerance()}
            needs = hs.export(run, out, listener=hs.Quiet(), **given).card["small_device"]
            ram = needs["unmeasured"] if needs["ram"] is None else f"{needs['ram'] / 1e6:7.2f}"
            numbers = f"{needs['multiplications'] / 1e6:23.0f}  {needs['flash'] / 1e6:8.2f}  {ram}"
            print(f"{backbone:<16}  {size:6}  {numbers}", flush=True)


if __name__ == "__main__":
    main()
