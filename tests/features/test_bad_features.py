"""What is wrong with features of all depths is said, and nothing of it is kept."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart.data.images import read_image
from headstart.errors import DatasetError, ModelError
from headstart.features.extractor import FeatureExtractor
from headstart.features.spec import FeatureSpec
from headstart.features.store import records, write_shard

SPEC = FeatureSpec("efficientnet_lite0", 32, depths=True)


class Engine:
    """Two vectors of an image, of which the second is no number where its first pixel is `bad`."""

    identity = "fake"
    batch_size = 4
    output_shapes = ((3,), (5,))

    def __init__(self, bad: float = -1) -> None:
        self.bad, self.images = bad, 0

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
        for images in batches:
            self.images += len(images)
            inner = np.repeat(images[:, 0, 0, :1].astype(np.float32), 5, axis=1)
            inner[inner[:, 0] == self.bad, 3] = np.nan
            yield [images.mean(axis=(1, 2)).astype(np.float32), inner]


@pytest.fixture
def images(photos: Path, tmp_path, monkeypatch) -> hs.Split:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    return hs.load_images(photos, listener=hs.Quiet())[0].take(range(0, 80, 8))


def test_no_numbers_at_one_depth_only(images, tmp_path):
    bad = float(read_image(images.paths[6], SPEC.image_size)[0, 0, 0])
    with pytest.raises(ModelError, match="NaN or infinity"):
        FeatureExtractor(SPEC, engine=Engine(bad), listener=hs.Quiet()).features(images)
    assert not list((tmp_path / "cache").rglob("*.npy")), "nothing of it is kept"


def test_a_shard_of_another_kind_is_replaced(images):
    """In the place of features of all depths, those of the last layer alone: as a foreign program may leave them."""
    engine = Engine()
    folder = SPEC.folder(engine.identity)
    assert folder
    old = write_shard(records(images.digests, [np.ones((10, 3), np.float32)]), folder)
    found = FeatureExtractor(SPEC, engine=engine, listener=hs.Quiet()).features(images)
    assert engine.images == 10
    assert [tensor.shape for tensor in found.take(np.arange(10))] == [(10, 3), (10, 5)]
    assert not old.exists()


def test_classes_without_a_training_image(tmp_path, photos):
    """More classes than training images: said before anything is computed."""
    files = sorted(photos.rglob("*.png"))
    for number in range(4):
        for split in ("train", "validation"):
            folder = tmp_path / "few" / split / f"class {number}"
            folder.mkdir(parents=True)
            if split == "validation" or number < 2:
                (folder / "1.png").write_bytes(files[number + (10 if split == "train" else 0)].read_bytes())
    with pytest.raises(DatasetError, match="class"):
        hs.train(hs.load_dataset(tmp_path / "few", listener=hs.Quiet()), listener=hs.Quiet())


def test_one_image_a_class(tmp_path, photos):
    """Nothing can be validated inside the training images: the usual weight and C are taken."""
    files = sorted(photos.rglob("*.png"))
    for number in range(3):
        for place, split in enumerate(("train", "validation")):
            folder = tmp_path / "one" / split / f"class {number}"
            folder.mkdir(parents=True)
            (folder / "1.png").write_bytes(files[7 * number + place].read_bytes())
    dataset = hs.load_dataset(tmp_path / "one", test_fraction=0, listener=hs.Quiet())
    classifier = hs.train(dataset, image_size=64, listener=hs.Quiet())
    assert [classifier.predict(path).label for path in dataset.train.paths] == ["class 0", "class 1", "class 2"]
