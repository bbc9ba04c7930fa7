"""Random views: the same transformations as the tutorial's Keras layers, and the same view for the same draw."""

import keras
import numpy as np
import pytest

from headstart.data.augmentation import Augmentation, transform
from headstart.data.batches import Batches
from headstart.data.images import read_image


@pytest.fixture(scope="module")
def image(cells) -> np.ndarray:
    return read_image(cells["defective"][3], 96)


@pytest.mark.parametrize("turns", [-0.2, -0.05, 0.13, 0.2])
def test_rotation_is_that_of_keras(image, turns):
    layer = keras.layers.RandomRotation((turns, turns))
    expected = np.asarray(layer(image[None].astype("float32"), training=True))[0]
    views = [transform(image, flip=False, degrees=sign * turns * 360).astype(float) for sign in (1, -1)]
    difference = min(np.abs(view - expected).mean() for view in views)  # the draw is even, so either direction serves
    assert difference < 0.6, "grey levels, of rounding"


def test_flip_is_that_of_keras(image):
    layer = keras.layers.RandomFlip("horizontal", seed=0)
    views = {
        np.asarray(layer(image[None].astype("float32"), training=True)).astype(np.uint8).tobytes() for _ in range(20)
    }
    assert views == {transform(image, flip=flip, degrees=0).tobytes() for flip in (False, True)}


def test_a_view_belongs_to_its_seed_epoch_and_image(image):
    augmentation = Augmentation()
    digest, other = "00ff" * 16, "11ff" * 16
    view = augmentation.view(image, seed=1, epoch=2, digest=digest)
    np.testing.assert_array_equal(view, augmentation.view(image, seed=1, epoch=2, digest=digest))
    for seed, epoch, name in ((2, 2, digest), (1, 3, digest), (1, 2, other)):
        assert not np.array_equal(view, augmentation.view(image, seed=seed, epoch=epoch, digest=name))


def test_views_are_spread_as_promised():
    """Of a bright column at the left edge: half of the views have it at the right, angles reach 72 degrees."""
    image = np.zeros((33, 33, 3), np.uint8)
    image[16, 17:] = 255  # a ray from the centre to the right
    angles = []
    for number in range(400):
        view = Augmentation().view(image, seed=0, epoch=number, digest="ab" * 32)[..., 0].astype(float)
        y, x = np.mgrid[16:-17:-1, -16:17]
        inside = np.hypot(x, y) <= 14
        angles.append(np.degrees(np.arctan2((view * y)[inside].sum(), (view * x)[inside].sum())))
    angles = np.array(angles)
    right = np.abs(angles) < 90
    assert 0.42 < right.mean() < 0.58
    assert 65 < np.abs(angles[right]).max() < 75
    assert abs(angles[right].mean()) < 6


def test_batches_are_a_function_of_the_epoch(photos):
    import headstart as hs

    dataset = hs.load_dataset(photos, listener=hs.Quiet())
    settings = {"size": 32, "batch_size": 16, "shuffle": True, "augmentation": Augmentation()}
    one, two = (Batches(dataset.train, seed=4, **settings) for _ in range(2))
    assert len(one) == 4
    for index in (3, 0, 2, 1):
        for left, right in zip(one.batch(index, 7), two.batch(index, 7), strict=True):
            np.testing.assert_array_equal(left, right)
    epoch = [one.batch(index, 7) for index in range(4)]
    assert sum(len(labels) for _, labels in epoch) == len(dataset.train)
    assert sorted(np.concatenate([labels for _, labels in epoch])) == sorted(dataset.train.labels)
    assert not np.array_equal(one.batch(0, 8)[0], epoch[0][0])
    plain = Batches(dataset.validation, size=32, batch_size=8)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in plain]), dataset.validation.labels)


def test_what_fits_in_memory_is_decoded_once_and_gives_the_same_batches(photos, monkeypatch):
    import headstart as hs
    from headstart.data import batches

    dataset, read = hs.load_dataset(photos, listener=hs.Quiet()), []
    decode = batches.read_again
    monkeypatch.setattr(
        batches, "read_again", lambda path, *how, **more: read.append(path) or decode(path, *how, **more)
    )
    settings = {"size": 32, "batch_size": 16, "shuffle": True, "augmentation": Augmentation(), "seed": 4}
    image_bytes, count = 32 * 32 * 3, len(dataset.train)
    anew = [Batches(dataset.train, **settings).batch(index, epoch)[0] for epoch in range(2) for index in range(4)]
    for memory, decoded in ((0, 2 * count), (10 * image_bytes + 1, 2 * count - 10), (count * image_bytes, count)):
        read.clear()
        kept = Batches(dataset.train, memory=memory, **settings)
        found = [kept.batch(index, epoch)[0] for epoch in range(2) for index in range(4)]
        for left, right in zip(found, anew, strict=True):
            np.testing.assert_array_equal(left, right)
        assert abs(len(read) - decoded) <= 2  # two threads may both find room for the last one
