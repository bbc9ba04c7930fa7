"""Draw activation maps of heads on the last layer, and of heads on every depth, side by side.

    python benchmarks/map_pictures.py solar-cells covid_xray.zip --picture docs/maps.png

Two heads are solved on three quarters of each collection. Of held-out photos that both answer correctly, some are drawn
at random, class by class. Their maps are shown without the photo, which may not be ours to show: orange speaks for the
class, blue against it.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import headstart as hs
from headstart.classifier.activation_map import class_map
from headstart.data.images import read_image
from headstart.data.samples import get_solar_cells
from headstart.data.splits import round_robin
from headstart.features import linear_head
from headstart.features.depth_head import solve_depths
from headstart.features.extractor import FeatureExtractor
from headstart.features.linear_head import Head
from headstart.features.rows import rows_of
from headstart.features.spec import FeatureSpec
from headstart.models.backbones import DEFAULT, get_backbone
from headstart.numerics import two_sided

SIZE, SHOWN = get_backbone(DEFAULT).image_size, 4
Maps = list[np.ndarray]


def solved(images: hs.Split, train: np.ndarray, *, depths: bool) -> tuple[FeatureExtractor, Head, np.ndarray]:
    """An extractor, a head on what it gives of the training images, and the head's answers to all."""
    extractor = FeatureExtractor(FeatureSpec(DEFAULT, SIZE, depths=depths), listener=hs.Quiet())
    rows, classes = rows_of(extractor.features(images))[:], len(images.class_names)
    labels = images.labels[train]
    if depths:
        head = solve_depths([rows[train]], extractor.spec.block_sizes, labels, classes, seed=0)
    else:
        head = linear_head.solve([rows[train]], labels, classes, seed=0)
    return extractor, head, two_sided(head.logits(rows)).argmax(axis=1)


def maps_of(collection: str) -> list[tuple[str, Maps]]:
    """Of some photos the class, and the maps of both heads."""
    path = get_solar_cells() if collection == "solar-cells" else Path(collection)
    images = hs.load_images(path, listener=hs.Quiet())[0]
    held_out = np.arange(len(images)) % 4 == 0
    both = [solved(images, np.flatnonzero(~held_out), depths=depths) for depths in (False, True)]
    right = held_out & np.all([answers == images.labels for _, _, answers in both], axis=0)
    found = []
    order = round_robin(images.labels[right], np.random.default_rng(0))
    for index in np.flatnonzero(right)[order[:SHOWN]]:
        label = int(images.labels[index])
        pixels = read_image(images.paths[index], SIZE)[None]
        maps = [
            class_map([each[0] for each in extractor.feature_maps(pixels)], head.kernel, head.bias, label)
            for extractor, head, _ in both
        ]
        found.append((images.class_names[label], maps))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--picture", type=Path, required=True)
    arguments = parser.parse_args()
    rows = [(Path(each).stem, *shown) for each in arguments.collections for shown in [(maps_of(each),)]]
    figure = Figure(figsize=(2.1 * SHOWN, 4.4 * len(rows)), layout="constrained")
    panels = figure.subplots(2 * len(rows), SHOWN, squeeze=False)
    for number, (collection, shown) in enumerate(rows):
        for column, (name, maps) in enumerate(shown):
            for line, (places, reads) in enumerate(zip(maps, ("last layer", "every depth"), strict=True)):
                axes = panels[2 * number + line][column]
                most = np.abs(places).max()
                axes.imshow(places, cmap="PuOr_r", vmin=-most, vmax=most)
                axes.set_xticks([])
                axes.set_yticks([])
                if line == 0:
                    axes.set_title(name, fontsize=9)
                if column == 0:
                    axes.set_ylabel(
                        f"{collection.replace('_', ' ')}\n{reads}, {len(places)} x {len(places)}", fontsize=9
                    )
    figure.savefig(arguments.picture, dpi=90)


if __name__ == "__main__":
    main()
