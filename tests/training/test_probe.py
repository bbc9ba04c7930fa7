"""What a trial tells: found on pictures whose symmetries, and whose difficulty, are known."""

import numpy as np
import pytest

import headstart as hs
from headstart.data.views import HALF, MIRRORED, ORIGINAL, UPSIDE_DOWN, VIEWS
from headstart.training.probe import LinearProbe

SIDE = 6


def pictures(kind: str, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Noise with something in it that tells two classes apart."""
    rng = np.random.default_rng(1)
    labels = np.arange(count) % 2
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pattern = {
        "bright or dark": np.ones((SIDE, SIDE)),
        "left or right": np.where(x < SIDE // 2, 1.0, -1.0),
        "top or bottom": np.where(y < SIDE // 2, 1.0, -1.0),
        "lying or standing stripes": np.where((y < 1) | (y == SIDE - 1), 1.0, 0.0)
        - np.where((x < 1) | (x == SIDE - 1), 1.0, 0.0),
        "one corner or the other": np.where(y < x, 1.0, -1.0) * (x != y),
    }[kind]
    return rng.normal(size=(count, SIDE, SIDE)) + np.where(labels == 1, 0.6, -0.6)[:, None, None] * pattern, labels


def trial(images: np.ndarray, labels: np.ndarray, copies: tuple = ()) -> LinearProbe:
    names = tuple(map(str, range(len(labels))))
    split = hs.Split(names, labels.astype(np.int32), names, ("a", "b"), copies)

    def features(some: hs.Split, view: str) -> np.ndarray:
        chosen = images[[int(path) for path in some.paths]]
        return np.stack([VIEWS[view](image[..., None]) for image in chosen]).reshape(len(some), -1).astype(np.float32)

    return LinearProbe(features, split, seed=0)


@pytest.mark.parametrize(
    ("kind", "views"),
    [
        ("bright or dark", tuple(VIEWS)),
        ("left or right", (ORIGINAL, UPSIDE_DOWN)),
        ("top or bottom", (ORIGINAL, MIRRORED)),
        ("lying or standing stripes", (ORIGINAL, MIRRORED, UPSIDE_DOWN, HALF)),
        ("one corner or the other", (ORIGINAL,)),
    ],
)
def test_the_symmetries_of_a_collection(kind, views):
    assert trial(*pictures(kind)).views == views


@pytest.mark.parametrize("count", [2, 20, 150])
def test_too_few_images_to_tell(count):
    assert trial(*pictures("left or right", count)).views == (ORIGINAL, MIRRORED)


def test_classes_that_have_one_image():
    images, labels = pictures("top or bottom")
    labels[:3] = [2, 3, 4]
    assert trial(images, labels).views == (ORIGINAL, MIRRORED)


def test_easy_and_hard_collections():
    images, labels = pictures("bright or dark")
    assert trial(images, labels).is_easy
    assert trial(images, labels).mistakes <= 1
    wrong = labels.copy()
    wrong[::10] = 1 - wrong[::10]
    assert not trial(images, wrong).is_easy
    assert not trial(images[:100], labels[:100]).is_easy  # of 20 images nothing can be said


def test_copies_of_what_the_head_was_solved_on_are_not_shown():
    """Of 12 pictures without any pattern, each there 25 times, nothing can be told: only copies could be known."""
    rng = np.random.default_rng(0)
    photos, labels = np.repeat(np.arange(12), 25), np.repeat(np.arange(12) % 2, 25)
    images = np.repeat(rng.normal(size=(12, SIDE, SIDE)), 25, axis=0) + 0.01 * rng.normal(size=(300, SIDE, SIDE))
    assert trial(images, labels).is_easy
    told = trial(images, labels, copies=tuple(photos.tolist()))
    assert told.is_conclusive
    assert told.mistakes > 0.3 * len(told.held_out)


def test_the_views_are_the_eight_ways_to_lay_a_square():
    image = np.arange(25).reshape(5, 5, 1)
    laid = {name: view(image).tobytes() for name, view in VIEWS.items()}
    assert len(set(laid.values())) == 8
    for one in VIEWS.values():
        for other in VIEWS.values():
            assert one(other(image)).tobytes() in laid.values()
    np.testing.assert_array_equal(VIEWS[HALF](image), np.rot90(image, 2))
