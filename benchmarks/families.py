"""How good is a classifier whose base is the network of a file, against the default base?

    python benchmarks/families.py trashnet covid_xray --weights FOLDER --seeds 3

FOLDER holds weights of rows of the table whose names begin with those of the rows, such as
`efficientnet_lite2_no_top.weights.h5`. Each is written by Keras as an ONNX file, as another program would have left it:
preprocessed pixels in, the last feature map out, and a JSON beside it that says how it sees pixels. The row of the
default base is written so, too: that file has to be as good as the base in the package.

Each collection is split by headstart, or as it is; head alone, mirrored views if they help, each base at its own size.
Prints test accuracy and cross-entropy, means over the seeds, images/s of the engine alone, and what an export to ONNX
differs by (its proof). Expected: see LOG.md.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import headstart as hs
from headstart import commands
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.models.at_hand import bases_at_hand
from headstart.models.backbones import BACKBONES, DEFAULT, get_backbone
from headstart.models.weights import PRETRAINED, load_base
from headstart.training.spending import engine_rate

SAID = {"lite": {"preprocessing": "lite"}, "tf": {"preprocessing": "half"}, "torch": {"preprocessing": "imagenet"},
        "caffe": {"preprocessing": "caffe"}, "inside": {"preprocessing": "raw"}}  # fmt: skip


def written(name: str, weights: str, folder: Path) -> Path:
    """A row of the table as an ONNX file."""
    row = BACKBONES[name]
    base = load_base(name, row.image_size, weights)
    file = folder / f"{name}.onnx"
    base.export(str(file), format="onnx", input_signature=[base.input], verbose=False)
    file.with_name(f"{file.name}.json").write_text(json.dumps(SAID[row.preprocessing]), "utf-8")
    return file


def measured(collection: str, backbone: str, seed: int, folder: Path) -> tuple[float, float, float | None]:
    """Test accuracy and cross-entropy; and for a file, the farthest probability of its export to ONNX."""
    out = folder / f"{Path(collection).name}-{Path(backbone).name}-{seed}"
    run = commands.train(collection, out, backbone=backbone, fine_tune="never", seed=seed, listener=hs.Quiet())
    of_test = run.metrics["test"]
    farthest = None
    if seed == 0 and backbone.endswith(".onnx"):
        exported = commands.export(out, folder / f"{out.name}.onnx", format="onnx", listener=hs.Quiet())
        farthest = exported.proof.farthest
    return of_test["accuracy"]["value"], of_test["loss"], farthest


def rate(backbone: str) -> float:
    spec = FeatureSpec(backbone, get_backbone(backbone).image_size, depths=True)
    extractor = FeatureExtractor(spec, listener=hs.Quiet())
    return max(engine_rate(extractor) for _ in range(5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        at_hand = bases_at_hand(given.weights or PRETRAINED)
        names = [DEFAULT, *(name for name, weights in at_hand.items() if weights != PRETRAINED and name != DEFAULT)]
        files = [str(written(name, at_hand[name], folder)) for name in names]
        for backbone in (DEFAULT, *files):
            print(f"{Path(backbone).name:<28} {rate(backbone):7.1f} images/s", flush=True)
            for collection in given.collections:
                found = [measured(collection, backbone, seed, folder) for seed in range(given.seeds)]
                accuracy, loss = (statistics.mean(each[part] for each in found) for part in (0, 1))
                proof = f", export differs by at most {found[0][2]:.1g}" if found[0][2] is not None else ""
                print(f"  {Path(collection).name:<20} {accuracy:.1%} ({loss:.3f}){proof}", flush=True)


if __name__ == "__main__":
    main()
