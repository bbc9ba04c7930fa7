"""What does a classifier need of a microcontroller, by the width of MobileNetV2 and the size of its photos?

    python benchmarks/small_devices.py DATA --out FOLDER [--sizes 96 160]

Heads are trained on DATA on bases of random weights, as the numbers do not depend on them, and exported to LiteRT in
int8 with a fixed size into FOLDER. Prints for each: multiplications, size of the file, and RAM as measured in
TensorFlow Lite Micro.
Needs headstart[export,micro,tune]. Expected: see LOG.md.
"""

import argparse
from pathlib import Path

import headstart as hs
from headstart.data.tables import write_splits
from headstart.export.proof import Tolerance

WIDTHS = ("mobilenet_v2_035", "mobilenet_v2_050", "mobilenet_v2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 160])
    arguments = parser.parse_args()
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
            settings = {"recipe": recipe, "backbone": backbone, "weights": "random", "image_size": size}
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
