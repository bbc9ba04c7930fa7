"""What few validation images cannot show, training images show that are answered by heads that have not seen them."""

import numpy as np
import pytest

import headstart as hs
from headstart.classifier.calibration import fit_calibration
from headstart.numerics import two_sided
from headstart.training import calibrate
from headstart.training.config import TrainingConfig
from headstart.training.trained import Trained
from headstart.training.trainer import train_classifier


@pytest.fixture(scope="module")
def dataset(photos) -> hs.Dataset:
    return hs.load_dataset(photos, seed=3, listener=hs.Quiet())


@pytest.fixture
def trained(dataset, tiny) -> Trained:
    recipe = hs.RECIPES["fast"].without_fine_tuning()
    config = TrainingConfig.of(recipe=recipe, backbone=tiny, image_size=32, seed=1)
    return train_classifier(dataset, config, listener=hs.Quiet())


def test_few_validation_images_are_joined_by_the_training_images(dataset, trained):
    found = trained.cross_validated
    assert len(dataset.validation) < calibrate.FEW
    assert found.count == len(dataset.validation) + len(dataset.train)
    answers = two_sided(trained.logits(dataset.train)).argmax(axis=1)
    in_training = int((answers == dataset.train.labels).sum())
    assert found.correct < in_training + len(dataset.validation), "they have not seen what they answer"
    assert trained.classifier.calibration.unsure == ()


def test_enough_validation_images_suffice(dataset, tiny, monkeypatch):
    monkeypatch.setattr(calibrate, "FEW", len(dataset.validation))
    config = TrainingConfig.of(recipe=hs.RECIPES["fast"].without_fine_tuning(), backbone=tiny, image_size=32, seed=1)
    found = train_classifier(dataset, config, listener=hs.Quiet())
    assert found.cross_validated is None
    expected = fit_calibration(found.logits(dataset.validation), dataset.validation.labels)
    assert found.classifier.calibration == expected


def test_classes_of_a_few_photos_are_named(dataset, trained):
    """A third of a class' photos: fewer than ten, and a class that is whole in one fold is no trouble."""
    labels = dataset.train.labels
    rare = np.flatnonzero(labels == 0)[:4]
    some = dataset.train.take(np.concatenate([rare, np.flatnonzero(labels != 0)]))
    few = hs.Dataset(dataset.class_names, some, dataset.validation, dataset.test)
    config = TrainingConfig.of(
        recipe=hs.RECIPES["fast"].without_fine_tuning(),
        backbone=trained.classifier.backbone,
        image_size=32,
        seed=1,
    )
    found = train_classifier(few, config, listener=hs.Quiet())
    assert found.classifier.calibration.unsure == (dataset.class_names[0],)
    predictions = found.classifier.predict(list(dataset.test.paths))
    assert not any(answer.sure for answer in predictions if answer.label == dataset.class_names[0])
