"""Callbacks of Keras: what they are told, in which order, and that they may stop a training and change nothing else."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import headstart as hs
from headstart.errors import ModelError
from headstart.training.recipes import FEATURE_EXTRACTION, adjusted
from support.sizes import SMALL


class Diary(keras.callbacks.Callback):
    """Keeps what it is told; stops the training at an epoch."""

    def __init__(self, last: int = 99) -> None:
        super().__init__()
        self.last, self.told, self.logs, self.outputs = last, [], {}, []
        self.end: dict[str, float] = {}

    def on_train_begin(self, logs=None):
        self.told.append("train begins")

    def on_train_end(self, logs=None):
        self.told.append("train ends")
        self.end = logs or {}

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append(f"epoch {epoch} begins")

    def on_epoch_end(self, epoch, logs=None):
        self.told.append(f"epoch {epoch} ends")
        self.logs[epoch] = logs
        self.outputs.append(self.model.predict(np.full((1, SMALL, SMALL, 3), 128, np.uint8), verbose=0))
        if epoch == self.last:
            self.model.stop_training = True

    def on_train_batch_begin(self, batch, logs=None):
        self.told.append(f"batch {batch} begins")

    def on_train_batch_end(self, batch, logs=None):
        assert set(logs or {}) == {"loss", "accuracy"}
        self.told.append(f"batch {batch} ends")


@pytest.fixture(scope="module")
def dataset(photos) -> hs.Dataset:
    return hs.load_dataset(photos, seed=3, listener=hs.Quiet())


def train(dataset: hs.Dataset, callbacks: list, **settings) -> hs.Classifier:
    return hs.train(dataset, image_size=SMALL, seed=3, listener=hs.Quiet(), callbacks=callbacks, **settings)


def test_they_hear_of_each_epoch_and_batch(dataset, recipe):
    diary = Diary()
    classifier = train(dataset, [diary], recipe=recipe)
    batches = [f"batch {number} {what}" for number in range(2) for what in ("begins", "ends")]  # of 56 images
    told = iter(diary.told)
    assert next(told) == "train begins"
    for number in range(4):
        epoch = [f"epoch {number} begins", *batches, f"epoch {number} ends"]
        assert [next(told) for _ in epoch] == epoch
    assert list(told) == ["train ends"]
    assert diary.params == {"epochs": 4, "steps": None, "verbose": 0}
    for row in classifier.history:
        assert diary.logs[row["epoch"] - 1] == {name: row[name] for name in diary.end}
    assert diary.end == diary.logs[3]
    assert len({float(output[0, 0]) for output in diary.outputs}) == 4, "its model is the whole one, as it is then"


def test_a_solved_head_is_one_epoch_without_batches_and_they_change_nothing(dataset):
    diary = Diary()
    watched = train(dataset, [diary], recipe=adjusted("fast", fine_tune="never"), views="original")
    assert diary.told == ["train begins", "epoch 0 begins", "epoch 0 ends", "train ends"]
    assert diary.logs[0]["val_accuracy"] == watched.history[0]["val_accuracy"]
    alone = train(dataset, [], recipe=adjusted("fast", fine_tune="never"), views="original")
    for first, second in zip(watched.head, alone.head, strict=True):
        assert_array_equal(first, second)


def test_one_that_stops_ends_the_training(dataset, recipe):
    diary = Diary(last=0)
    classifier = train(dataset, [diary, keras.callbacks.TerminateOnNaN()], recipe=recipe)
    assert [row["phase"] for row in classifier.history] == [FEATURE_EXTRACTION]
    assert diary.told[-2:] == ["epoch 0 ends", "train ends"]


def test_what_is_no_callback_is_said(dataset):
    with pytest.raises(ModelError, match=r"callbacks\[1\] is str, without set_params.*keras.callbacks.Callback"):
        train(dataset, [Diary(), "tensorboard"])
