"""A folder `_other` in the studio: photos of none of the classes, which its own head is not solved on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headstart.data.source import DataSource
from headstart.data.splits import OTHER
from headstart.studio.catalogue import UNKNOWN
from headstart.studio.collection import Collection, open_collection
from headstart.studio.columns import NO_LABEL
from headstart.studio.trying import Trials
from support.planted import tiles

COUNT = 20
CLASSES = ("defective", "functional")


@pytest.fixture(scope="module")
def opened(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """The cells, and beside them COUNT tiles of other photos; all that the studio computes is there."""
    folder = Path(shutil.copytree(photos, tmp_path_factory.mktemp("studio-others") / "cells"))
    (folder / OTHER).mkdir()
    for number, tile in enumerate(tiles()[:COUNT]):
        tile.save(folder / OTHER / f"{number}.png")
    collection = open_collection(DataSource(folder).absolute(), lambda kind, **facts: None)
    while UNKNOWN in collection.catalogue.numbers["state"] or collection.analysis.computing:
        collection._closed.wait(0.05)
    yield collection
    collection.close()


def are_other(collection: Collection) -> np.ndarray:
    return np.array([entry.name.startswith(f"{OTHER}/") for entry in collection.catalogue.entries])


def test_the_heads_know_the_classes_alone(opened):
    answers, others = opened.analysis.known.answers, are_other(opened)
    assert answers is not None
    assert answers.class_names == CLASSES
    assert (answers.labels[others] == NO_LABEL).all()
    assert answers.counted.any()
    assert not answers.counted[others].any()
    assert others.sum() == COUNT == opened.columns.other.sum()


def test_they_keep_their_label_and_are_not_asked_about(opened):
    (row,) = [each for each in opened.columns.class_sizes() if each["name"] == OTHER]
    assert row["photos"] == COUNT
    queue = opened.analysis.known.queue
    assert queue is not None
    asked = {photo for item in queue.items for photo in item.photos}
    assert not asked.intersection(np.flatnonzero(are_other(opened)).tolist())


def test_they_are_not_what_is_familiar(opened):
    """A new photo is compared with photos of classes."""
    predictor = Trials(opened).predictor(None)
    assert predictor.class_names == CLASSES
    assert predictor.novelty_detector is not None
    digests = {opened.catalogue.digest(row) for row in np.flatnonzero(are_other(opened)).tolist()}
    assert not digests.intersection(predictor.novelty_detector.digests)
    strange = predictor.predict(np.asarray(tiles()[COUNT + 5]))
    assert not strange.familiar
    assert set(strange.probabilities) == set(CLASSES)
