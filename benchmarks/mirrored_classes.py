"""Classes that differ by mirroring alone: does the recipe `fast` leave them as they are?

    python benchmarks/mirrored_classes.py --seeds 5

Draws, anew for each seed, 60 images of each class, 96 pixels a side: arrows to the left and to the right; the letters
b, d, p and q; the digits 6 and 9. A quarter is held out. Mirrored or turned views in training would teach the opposite
of the truth. Prints the mean accuracy, that of the worst seed, and the views of each seed. Expected: see LOG.md.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import headstart as hs
from headstart.data.views import ORIGINAL
from headstart.training.config import TrainingConfig
from headstart.training.trainer import train_classifier

SIDE, EACH = 96, 60
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def colour(rng: np.random.Generator, low: int, high: int) -> tuple[int, ...]:
    return tuple(rng.integers(low, high, 3).tolist())


def arrow(name: str, rng: np.random.Generator) -> Image.Image:
    """Bright on dark, of a thickness and at a height that differ."""
    image = Image.new("RGB", (SIDE, SIDE), colour(rng, 0, 90))
    draw, bright = ImageDraw.Draw(image), colour(rng, 150, 255)
    height, tip = int(rng.integers(30, 60)), int(rng.integers(10, 20))
    draw.line((12, height, 84, height), fill=bright, width=int(rng.integers(4, 9)))
    draw.polygon([(88, height), (80 - tip, height - tip), (80 - tip, height + tip)], fill=bright)
    return image if name == "right" else image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def sign(name: str, rng: np.random.Generator) -> Image.Image:
    """Dark on bright, of a size and at a place that differ."""
    image = Image.new("RGB", (SIDE, SIDE), colour(rng, 150, 255))
    font = ImageFont.truetype(FONT, int(rng.integers(45, 75)))
    place = (int(rng.integers(10, 40)), int(rng.integers(-5, 15)))
    ImageDraw.Draw(image).text(place, name, font=font, fill=colour(rng, 0, 90))
    return image


COLLECTIONS: dict[str, tuple[tuple[str, ...], Callable[[str, np.random.Generator], Image.Image]]] = {
    "arrows": (("left", "right"), arrow),
    "letters": (("b", "d", "p", "q"), sign),
    "digits": (("6", "9"), sign),
}


def draw(folder: Path, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names, image_of = COLLECTIONS[kind]
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(EACH):
            image = image_of(name, rng)
            image = image.rotate(rng.uniform(-10, 10), fillcolor=image.getpixel((0, 0)))
            image.save(folder / name / f"{number}.png")


def measured(kind: str, seed: int, size: int) -> tuple[float, tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), kind, seed)
        images = hs.load_dataset(folder, seed=seed, test_fraction=0.25, listener=hs.Quiet())
        config = TrainingConfig.of(recipe="fast", image_size=size, seed=seed)
        trained = train_classifier(images, config, listener=hs.Quiet())
        return hs.evaluate(trained.classifier, images.test, listener=hs.Quiet()).accuracy.value, trained.views


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--image-size", type=int, default=224)
    arguments = parser.parse_args()
    print("| collection | accuracy | worst seed | seeds with the original view alone |")
    print("|---|---|---|---|")
    for kind in COLLECTIONS:
        found = [measured(kind, seed, arguments.image_size) for seed in range(arguments.seeds)]
        values = [accuracy for accuracy, _ in found]
        alone = sum(views in ((), (ORIGINAL,)) for _, views in found)
        print(f"| {kind} | {np.mean(values):.1%} | {min(values):.1%} | {alone} of {arguments.seeds} |", flush=True)


if __name__ == "__main__":
    main()
