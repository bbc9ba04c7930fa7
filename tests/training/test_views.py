"""Which views do no harm, on pictures whose symmetries are known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import headstart as hs
from headstart.data.views import HALF, MIRRORED, ORIGINAL, UPSIDE_DOWN, VIEWS
from headstart.errors import ModelError
from headstart.training.views import harmless_views
from support.recording import Recorder
from training.test_probe import SIDE, pictures

FOUR = (ORIGINAL, MIRRORED, UPSIDE_DOWN, HALF)


def harmless(images: np.ndarray, labels: np.ndarray, views: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(map(str, range(len(labels))))
    split = hs.Split(names, labels.astype(np.int32), names, ("a", "b"))

    def features(some: hs.Split, view: str) -> np.ndarray:
        chosen = images[[int(path) for path in some.paths]]
        return np.stack([VIEWS[view](image[..., None]) for image in chosen]).reshape(len(some), -1).astype(np.float32)

    return harmless_views(features, split, views, seed=0)


@pytest.mark.parametrize("count", [100, 400])
@pytest.mark.parametrize(
    ("kind", "views", "expected"),
    [
        ("bright or dark", (ORIGINAL, MIRRORED), (ORIGINAL, MIRRORED)),
        ("left or right", (ORIGINAL, MIRRORED), (ORIGINAL,)),
        ("left or right", FOUR, (ORIGINAL,)),
        ("top or bottom", FOUR, (ORIGINAL, MIRRORED)),
        ("lying or standing stripes", FOUR, FOUR),
    ],
)
def test_views_that_show_another_class_are_not_taken(kind, views, expected, count):
    images, labels = pictures(kind, count)
    images = 0.4 * images + 0.6 * np.random.default_rng(5).normal(size=images.shape)  # not easy
    assert harmless(images, labels, views) == expected


@pytest.mark.parametrize("count", [2, 6, 20])
def test_nothing_is_concluded_from_a_handful(count):
    images, labels = pictures("bright or dark", count)
    assert harmless(images, labels, (ORIGINAL, MIRRORED)) == (ORIGINAL,)


def test_the_original_alone_is_not_questioned():
    assert harmless(np.zeros((4, SIDE, SIDE)), np.array([0, 1, 0, 1]), (ORIGINAL,)) == (ORIGINAL,)


def arrow(rng: np.random.Generator) -> Image.Image:
    """To the right, bright on dark, of a thickness and at a height that differ."""
    image = Image.new("RGB", (96, 96), tuple(rng.integers(0, 90, 3).tolist()))
    draw, colour, height = ImageDraw.Draw(image), tuple(rng.integers(150, 255, 3).tolist()), int(rng.integers(30, 60))
    tip = int(rng.integers(12, 24))
    draw.line((12, height, 84, height), fill=colour, width=int(rng.integers(4, 9)))
    draw.polygon([(88, height), (80 - tip, height - tip), (80 - tip, height + tip)], fill=colour)
    return image


def test_arrows_to_the_left_are_not_arrows_to_the_right(tmp_path):
    """Forty of each, of which a look at a few would tell nothing."""
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for number in range(40):
            image = arrow(rng)
            image = image if name == "right" else image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            image.rotate(rng.uniform(-10, 10), fillcolor=image.getpixel((0, 0))).save(tmp_path / name / f"{number}.png")
    dataset = hs.load_dataset(tmp_path, seed=0, test_fraction=0.25, listener=hs.Quiet())
    listener = Recorder()
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    classifier = hs.train(dataset, recipe=recipe, image_size=96, listener=listener)
    assert "Views of each training image: original." in listener.lines
    assert hs.evaluate(classifier, dataset.test, listener=hs.Quiet()).accuracy.correct >= 0.9 * len(dataset.test)


@pytest.mark.parametrize(
    ("views", "told"),
    [("original", "original"), ("mirrored", "original, mirrored"), ("all", ", ".join(VIEWS).replace("_", " "))],
)
def test_views_that_are_named_are_taken(photos, tiny, views, told):
    """Without a look whether they do harm, and on an easy collection too."""
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    settings = {"recipe": hs.RECIPES["fast"].without_fine_tuning(), "backbone": tiny, "image_size": 32}
    listener = Recorder()
    hs.train(dataset, views=views, listener=listener, **settings)
    assert f"Views of each training image: {told}." in listener.lines


def test_refusals(photos):
    dataset = hs.load_dataset(photos, seed=3, listener=hs.Quiet())
    with pytest.raises(ModelError, match=r"views 'sideways'\. Choose one of: auto, original, mirrored, all"):
        hs.train(dataset, views="sideways", listener=hs.Quiet())
    with pytest.raises(ModelError, match="'tutorial' draws random views of its own"):
        hs.train(dataset, recipe="tutorial", views="mirrored", listener=hs.Quiet())
