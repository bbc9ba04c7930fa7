"""How much of an activation map lies where the answer comes from?

    python benchmarks/maps.py photos.zip --backbone efficientnet_lite0 --sides 24 40 64

Photos of a collection (a folder, a zip, or "solar-cells") are drawn at random into two classes, so that nothing on them
tells these apart, and get a patch at a random place, which alone decides: a piece of one of two textures. Two heads are
trained on three quarters of them, on the last layer alone and on every depth, and answer the others. Of the correct
answers, the share of the map's weight (of what speaks for the class) that lies inside the patch; for comparison, the
share of the photo that the patch covers.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

import headstart as hs
from headstart.classifier.activation_map import class_map
from headstart.data.images import read_image
from headstart.data.samples import get_solar_cells
from headstart.features import linear_head
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import get_backbone
from headstart.numerics import two_sided

SIZE, PHOTOS = 224, 600


def textures(rng: np.random.Generator) -> list[np.ndarray]:
    """Two textures of the same colours, uint8 (SIZE, SIZE, 3): noise of two sizes of grain."""
    found = []
    for grain in (2, 6):
        noise = rng.integers(60, 200, (SIZE // grain + 1, SIZE // grain + 1, 3), dtype=np.uint8)
        large = cv2.resize(noise, None, fx=grain, fy=grain, interpolation=cv2.INTER_NEAREST)
        found.append(large[:SIZE, :SIZE])
    return found


def plant(paths: list[str], folder: Path, side: int, seed: int) -> tuple[Path, dict[str, tuple[int, int]]]:
    """A collection of two classes, and the place of the patch (y, x) on each of its photos."""
    rng = np.random.default_rng(seed)
    patterns, places = textures(rng), {}
    for number, index in enumerate(rng.permutation(len(paths))[:PHOTOS]):
        image, label = read_image(paths[index], SIZE).copy(), number % 2
        y, x, from_y, from_x = rng.integers(0, SIZE - side, 4)
        image[y : y + side, x : x + side] = patterns[label][from_y : from_y + side, from_x : from_x + side]
        file = folder / "ab"[label] / f"{number:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), image[..., ::-1])
        places[str(file)] = (int(y), int(x))
    return folder, places


def measure(data: Path, places: dict[str, tuple[int, int]], spec: FeatureSpec, side: int) -> tuple[float, float]:
    """The accuracy of the head, and the mean share of its maps inside the patch."""
    images = hs.load_images(data, listener=hs.Quiet())[0]
    held_out = np.arange(len(images)) % 4 == 0
    extractor = FeatureExtractor(spec, listener=hs.Quiet())
    rows = rows_of(extractor.features(images))[:]
    known = [rows[~held_out]], images.labels[~held_out]
    if spec.depths:
        head = solve_depths(known[0], spec.block_sizes, known[1], 2, seed=0)
    else:
        head = linear_head.solve(*known, 2, seed=0)
    answers = two_sided(head.logits(rows[held_out])).argmax(axis=1)
    correct = np.flatnonzero(held_out)[answers == images.labels[held_out]]
    shares = []
    for index in correct:
        maps = [each[0] for each in extractor.feature_maps(read_image(images.paths[index], SIZE)[None])]
        places_of = np.maximum(class_map(maps, head.kernel, head.bias, int(images.labels[index])), 0)
        large = np.maximum(cv2.resize(places_of, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC), 0)
        y, x = places[images.paths[index]]
        shares.append(large[y : y + side, x : x + side].sum() / max(large.sum(), 1e-9))
    return len(correct) / held_out.sum(), float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--sides", type=int, nargs="+", default=[24, 40, 64], help="of the patch, of 224 pixels")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    get_backbone(arguments.backbone)
    print(
        f"{arguments.backbone}\n| photos | patch | of the photo | last layer: accuracy, share | every depth | ratio |"
    )
    print("|---|---|---|---|---|---|")
    for collection in arguments.collections:
        source = get_solar_cells() if collection == "solar-cells" else collection
        paths = list(hs.load_images(source, listener=hs.Quiet())[0].paths)
        for side in arguments.sides:
            found = []
            for seed in range(arguments.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    data, places = plant(paths, Path(folder), side, seed)
                    spec = FeatureSpec(arguments.backbone, SIZE)
                    found.append(
                        [measure(data, places, replace(spec, depths=depths), side) for depths in (False, True)]
                    )
            (alone, share), (deep, deep_share) = np.mean(found, axis=0)
            name = str(collection).rsplit("/", 1)[-1].removesuffix(".zip")
            print(
                f"| {name} | {side} px | {(side / SIZE) ** 2:.1%} | {alone:.1%}, {share:.1%} | {deep:.1%}, "
                f"{deep_share:.1%} | {deep_share / share:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
